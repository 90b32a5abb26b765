"""The service is done: transfer to the connected account, payout to the bank, days later PAID."""

from __future__ import annotations

from decimal import Decimal

from emulator.demo.marketplace import DAY, Marketplace
from emulator.demo.screen import Screen, money


def play(market: Marketplace, screen: Screen) -> None:
    """COMPLETE_BOOKING, PAUSE_PAYOUTS, SCHEDULE_PAYOUT, transfer.created, payout.paid."""
    ada, booking = market.functions.sign_in("ada"), market.bookings["Ben"]
    early = ada.refusal("booking-processor", "COMPLETE_BOOKING", bookingId=booking.id)
    screen.expect("a lesson cannot be completed before its end", early.get("code"), 409)
    market.outside.waits_until(booking.end)
    done = ada.post("booking-processor", "COMPLETE_BOOKING", bookingId=booking.id)
    screen.expect("three days later it can; the booking is", done["status"], "COMPLETED")
    earned = market.earnings(ada)["totalEarnings"]
    screen.expect("Ada has earned 92 % of 200.00", earned, Decimal("184.00"))
    greedy = ada.refusal("payout-manager", "SCHEDULE_PAYOUT", providerId=ada.uid, amount=200)
    screen.expect("asking for more", greedy.get("error"), "Insufficient earnings")
    market.operator.post("payout-manager", "PAUSE_PAYOUTS", reason="a drill")
    paused = ada.refusal("payout-manager", "SCHEDULE_PAYOUT", providerId=ada.uid)
    screen.expect("while an operator has paused payouts", paused.get("type"), "payouts_paused")
    market.operator.post("payout-manager", "RESUME_PAYOUTS", reason="over")
    payout = ada.post("payout-manager", "SCHEDULE_PAYOUT", providerId=ada.uid)
    screen.tell("she asks for all of it", str(payout["stripePayoutId"]))
    screen.expect("the payout is", payout["status"], "PROCESSING")
    transfers = market.stripe.v1.transfers.list({"transfer_group": booking.id}).data
    screen.expect(
        "transferred to her account", [money(one.amount) for one in transfers], ["184.00"]
    )
    screen.tell("by one transfer", transfers[0].id)
    market.outside.waits(3 * DAY)
    history = ada.post("payout-manager", "GET_PAYOUT_HISTORY", providerId=ada.uid)["payouts"]
    states = {one["payoutId"]: one["status"] for one in history}
    screen.expect("payout.paid arrives: it is", states[payout["payoutId"]], "PAID")
