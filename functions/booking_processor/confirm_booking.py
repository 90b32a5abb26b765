"""CONFIRM_BOOKING: ask Stripe whether the booking is paid, and make the webhook's own transition.

A request to book is accepted by its provider (or an operator) with the same action: the money that
the bank has set aside is captured, or what was saved is charged.
Source: contract, section 3.
"""

from __future__ import annotations

from typing import Any

from common.auth.caller import Role
from common.bookings import (
    apply_authorization,
    apply_payment,
    apply_saved,
    payment,
    requests,
    saved_requests,
)
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.status import Status
from common.bookings.view import booking_as_json
from common.context import Answer, Context
from common.errors import PaymentIncomplete, WrongState
from common.http.command import Command, Id
from common.store import collections
from functions.booking_processor import accept_request

_ASK = frozenset({Status.PENDING, Status.EXPIRED})
_DONE = frozenset({Status.CONFIRMED, Status.COMPLETED, Status.DISPUTED})


class Request(Command):
    """Which booking."""

    booking_id: Id


def handle(command: Request, context: Context) -> Answer:
    """The booking, confirmed; of a request, as its customer sees it: waiting for the provider.

    Raises:
        PaymentIncomplete: 409 with Stripe's status of the payment.
        PlaceTaken: 409, the request kept no place and it is gone.
        WrongState: 409, the booking is over.
    """
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    booking, role = booking_for(context, context.read(key)[key])
    if booking.status in _ASK or saved_requests.awaits_payment(booking):
        booking = _ask_stripe(booking, context)
    if booking.status is Status.REQUESTED and role is not Role.CUSTOMER:
        booking = accept_request.accept(booking.id, context)
    if booking.status not in _DONE and booking.status is not Status.REQUESTED:
        raise WrongState("This booking can no longer be confirmed", str(booking.status))
    return {
        "bookingId": booking.id,
        "status": str(booking.status),
        "booking": booking_as_json(booking),
    }


def _ask_stripe(booking: Booking, context: Context) -> Booking:
    if saved_requests.is_saved(booking):
        return _ask_of_saved(booking, context)
    intent_id = booking.payment.get("intentId")
    if not intent_id:
        raise PaymentIncomplete("requires_payment_method")
    intent: dict[str, Any] = context.services.stripe.payment_intent(str(intent_id))
    paid, authorization = payment.paid(intent), requests.authorized(intent)
    if paid is not None:
        applied = apply_payment.apply(context, booking.id, paid, context.action)
    elif authorization is not None:
        applied = apply_authorization.apply(context, booking.id, authorization, context.action)
    else:
        raise PaymentIncomplete(str(intent["status"]))
    if applied is None:
        raise PaymentIncomplete("amount_mismatch")
    return applied


def _ask_of_saved(booking: Booking, context: Context) -> Booking:
    """What Stripe says of a request whose payment method is saved first."""
    intent_id, setup = booking.payment.get("intentId"), booking.request.get("setupIntentId")
    if booking.status is Status.PENDING:
        if not setup:
            raise PaymentIncomplete("requires_payment_method")
        told = context.services.stripe.setup_intent(str(setup))
        saved = saved_requests.saved(told)
        if saved is None:
            raise PaymentIncomplete(str(told["status"]))
        return apply_saved.apply(context, booking.id, saved, context.action) or booking
    if not intent_id:
        if booking.status is Status.EXPIRED:
            return booking
        raise accept_request.still_unpaid(booking, "requires_payment_method")
    intent = context.services.stripe.payment_intent(str(intent_id))
    paid = payment.paid(intent)
    if paid is None:
        raise accept_request.still_unpaid(booking, str(intent["status"]))
    return apply_payment.apply(context, booking.id, paid, context.action) or booking
