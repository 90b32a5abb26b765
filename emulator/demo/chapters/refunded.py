"""A provider gives a part back; the platform gives back its fee on that part."""

from __future__ import annotations

from decimal import Decimal

from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """PROCESS_REFUND by the provider; the booking goes on."""
    ada, booking = market.functions.sign_in("ada"), market.bookings["Cleo"]
    refund = ada.post(
        "refund-processor",
        "PROCESS_REFUND",
        bookingId=booking.id,
        refundAmount=50,
        reason="a shorter lesson",
    )
    market.outside.post_arrives()
    screen.tell("Ada gives Cleo 50.00 back", _refund_at_stripe(market, booking.payment_intent))
    screen.expect("the refund has", refund["status"], "SUCCEEDED")
    screen.expect("the platform gives up 8 % of it", refund["platformFeeRefunded"], Decimal("4.00"))
    screen.expect("Ada the other 92 %", refund["providerEarningsReversed"], Decimal("46.00"))
    screen.expect("the lesson still takes place: it is", market.status(booking), "CONFIRMED")
    greedy = ada.refusal(
        "refund-processor", "PROCESS_REFUND", bookingId=booking.id, refundAmount=160
    )
    screen.expect("more than what is left", greedy.get("type"), "exceeds_remaining")


def _refund_at_stripe(market: Marketplace, payment_intent: str) -> str:
    """The id of Stripe's refund of a payment."""
    return market.stripe.v1.refunds.list({"payment_intent": payment_intent}).data[0].id
