"""A dispute or a refund at Stripe may be heard of before the payment it ends."""

from __future__ import annotations

from tests.support.market import Market


def test_a_dispute_heard_of_first_freezes_the_booking_it_belongs_to(market: Market) -> None:
    booking = market.a_booking()
    market.control.webhooks("reverse")
    market.pay(booking, wait=False)
    charge = market.stripe.v1.payment_intents.retrieve(booking.payment_intent).latest_charge
    market.control.dispute(str(charge), outcome="lost")
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    shown = market.booking(booking.id)
    assert shown["status"] == "REFUNDED"
    held = sum(
        entry["amount"]
        for row in market.ledger(booking.id)
        for entry in row["entries"]
        if entry["account"] in ("bookings:held", "platform:losses")
    )
    assert held == 0
