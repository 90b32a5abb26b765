"""What is told of a payment's end may come before the payment itself: that one goes first."""

from __future__ import annotations

from common.bookings import apply_payment, documents, payment
from common.context import Context
from common.store import collections


def ensure_paid(booking_id: str, context: Context) -> None:
    """Bring a booking's payment to it, if Stripe has it and its own event is still on its way.

    In a unit of its own: the event at hand is marked as seen only with its own effect.
    """
    key = collections.booking(booking_id)
    found = context.services.store.read([key])[key]
    if found.data is None:
        return
    booking = documents.load(found)
    intent_id = booking.payment.get("intentId")
    if booking.money.captured or not intent_id:
        return
    paid = payment.paid(context.services.stripe.payment_intent(str(intent_id)))
    if paid is not None:
        own = context.apart()
        apply_payment.apply(own, booking_id, paid, context.action)
