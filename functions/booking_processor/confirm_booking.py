"""CONFIRM_BOOKING: ask Stripe whether the booking is paid, and make the webhook's own transition.

Source: contract, section 3.
"""

from __future__ import annotations

from typing import Any

from common.bookings import apply_payment, payment
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.status import Status
from common.bookings.view import booking_as_json
from common.context import Answer, Context
from common.errors import PaymentIncomplete, WrongState
from common.http.command import Command, Id
from common.store import collections

_ASK = frozenset({Status.PENDING, Status.EXPIRED})
_DONE = frozenset({Status.CONFIRMED, Status.COMPLETED, Status.DISPUTED})


class Request(Command):
    """Which booking."""

    booking_id: Id


def handle(command: Request, context: Context) -> Answer:
    """The booking, confirmed.

    Raises:
        PaymentIncomplete: 409 with Stripe's status of the payment.
        WrongState: 409, the booking is over.
    """
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    booking, _ = booking_for(context, context.read(key)[key])
    if booking.status in _ASK:
        booking = _ask_stripe(booking, context)
    if booking.status not in _DONE:
        raise WrongState("This booking can no longer be confirmed", str(booking.status))
    return {
        "bookingId": booking.id,
        "status": str(booking.status),
        "booking": booking_as_json(booking),
    }


def _ask_stripe(booking: Booking, context: Context) -> Booking:
    intent_id = booking.payment.get("intentId")
    if not intent_id:
        raise PaymentIncomplete("requires_payment_method")
    intent: dict[str, Any] = context.services.stripe.payment_intent(str(intent_id))
    paid = payment.paid(intent)
    if paid is None:
        raise PaymentIncomplete(str(intent["status"]))
    applied = apply_payment.apply(context, booking.id, paid, context.action)
    if applied is None:
        raise PaymentIncomplete("amount_mismatch")
    return applied
