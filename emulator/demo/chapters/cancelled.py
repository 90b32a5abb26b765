"""A customer cancels three days ahead: MODERATE gives half back, the rest is earned; she argues."""

from __future__ import annotations

from decimal import Decimal

from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """CALCULATE_REFUND, CANCEL_BOOKING, charge.refunded; DISPUTE_REFUND and its decision."""
    booking = market.books("Eve", "piano", market.in_days(4), "piano lesson")
    market.pays(booking)
    screen.tell("Eve books and pays a lesson", market.charge(booking))
    eve = booking.customer
    quote = eve.post("refund-processor", "CALCULATE_REFUND", bookingId=booking.id)
    screen.expect("between 120 and 24 hours ahead she gets", f"{quote['refundPercent']} %", "50 %")
    answer = eve.post("booking-processor", "CANCEL_BOOKING", bookingId=booking.id)
    refund = answer["refund"]
    screen.tell("she cancels", refund["stripeRefundId"])
    screen.expect("the booking is", answer["status"], "CANCELLED")
    screen.expect("back to her card", refund["refundAmount"], Decimal("100.00"))
    screen.expect(
        "half of the platform's 16.00 in it", refund["platformFeeRefunded"], Decimal("8.00")
    )
    screen.expect("Ada keeps 92 % of the rest", refund["providerCompensation"], Decimal("92.00"))
    market.outside.post_arrives()
    ada = market.functions.sign_in("ada")
    earned = market.earnings(ada)["totalEarnings"]
    screen.expect("and may be paid it at once", earned, Decimal("92.00"))
    what = {"bookingId": booking.id, "reason": "I was ill", "requestedAmount": 100}
    dispute = eve.post("refund-processor", "DISPUTE_REFUND", **what)
    free = market.earnings(ada)["totalEarnings"]
    screen.expect("she wants the rest, too; meanwhile Ada may be paid", free, Decimal("0.00"))
    ada.post("refund-processor", "DISPUTE_REFUND", bookingId=booking.id, reason="three days ahead")
    decided = market.operator.post(
        "refund-processor",
        "RESOLVE_REFUND_DISPUTE",
        disputeId=dispute["disputeId"],
        decision="REJECTED",
        note="half is what the policy gives",
    )
    screen.expect("an operator has heard both and decides", decided["status"], "REJECTED")
    earned = market.earnings(ada)["totalEarnings"]
    screen.expect("Ada may be paid again", earned, Decimal("92.00"))
