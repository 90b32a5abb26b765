"""A booking in yen: no decimals anywhere, and never added to anybody's dollars."""

from __future__ import annotations

from decimal import Decimal

from emulator.demo.marketplace import DAY, Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """The whole life of a booking in a currency of its own."""
    yuki = market.signs_up("Yuki", "JP", "JPY")
    market.outside.finishes_onboarding(market.opens_account(yuki)["accountId"])
    market.offers(
        yuki,
        "tea",
        title="Tea ceremony",
        category="culture",
        price=15000,
        currency="JPY",
        timezone="Asia/Tokyo",
    )
    booking = market.books("Haru", "tea", market.in_days(2), "tea ceremony", "JPY")
    pricing = market.shown(booking)["pricing"]
    screen.expect("Haru owes Yuki's 15000 yen", pricing["totalAmount"], Decimal("15000"))
    screen.expect("of which the platform keeps 8 %", pricing["platformFee"], Decimal("1200"))
    market.pays(booking)
    charge = market.stripe.v1.charges.retrieve(market.charge(booking))
    screen.tell("Haru pays", charge.id)
    screen.expect("Stripe counts yen by one, not by a hundredth", charge.amount, 15000)
    back = market.operator.post(
        "refund-processor", "PROCESS_REFUND", bookingId=booking.id, refundAmount=999
    )
    screen.expect("999 yen go back for a late start", back["refundAmount"], Decimal("999"))
    screen.expect("and of the fee, rounded to a yen", back["platformFeeRefunded"], Decimal("80"))
    market.outside.waits_until(booking.end)
    yuki.post("booking-processor", "COMPLETE_BOOKING", bookingId=booking.id)
    earned = market.earnings(yuki)
    screen.expect("Yuki has earned the rest", earned["totalEarnings"], Decimal("12881"))
    screen.expect("in", earned["currency"], "JPY")
    payout = yuki.post("payout-manager", "SCHEDULE_PAYOUT", providerId=yuki.uid)
    screen.tell("she asks for it", str(payout["stripePayoutId"]))
    for _ in ("her customer's money becomes available and leaves", "it arrives"):
        market.outside.waits(3 * DAY)
    history = yuki.post("payout-manager", "GET_PAYOUT_HISTORY", providerId=yuki.uid)["payouts"]
    screen.expect("days later it is at her bank", history[0]["status"], "PAID")
