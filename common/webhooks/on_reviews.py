"""review.* and radar.early_fraud_warning.created: earnings wait while a payment is in doubt.

Source: contract, section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from common.bookings import documents
from common.bookings.model import Booking
from common.context import Context
from common.store import collections
from common.stripe_gateway.calls import Json
from common.webhooks.finding import booking_id as booking_of

#: Reviews that ended before their opening was heard of are remembered on the booking.
_CLOSED = "closedReviews"


def opened(review: Json, event: Json, context: Context) -> bool:
    """Hold the booking's earnings until the review is closed."""

    def hold(booking: Booking) -> Booking:
        if review["id"] in booking.payment.get(_CLOSED, ()):
            return booking
        return booking.held_by("review", review["id"])

    return _change(review, context, hold)


def closed(review: Json, event: Json, context: Context) -> bool:
    """Free the earnings if the payment was approved; else an operator decides."""
    if review.get("reason") != "approved":
        return _change(review, context, lambda booking: booking)

    def free(booking: Booking) -> Booking:
        ended = [*booking.payment.get(_CLOSED, ()), review["id"]]
        free = booking.freed_of(review["id"])
        return replace(free, payment={**booking.payment, _CLOSED: ended})

    return _change(review, context, free)


def fraud_warning(warning: Json, event: Json, context: Context) -> bool:
    """Hold the booking's earnings until an operator decides."""
    return _change(
        warning, context, lambda booking: booking.held_by("fraud_warning", warning["id"])
    )


def _change(thing: Json, context: Context, to: Callable[[Booking], Booking]) -> bool:
    booking_id = booking_of(thing, context)
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id

    def once() -> bool:
        key = collections.booking(booking_id)
        was = context.read(key)[key]
        if was.data is None:
            return False
        booking = documents.load(was)
        after = to(booking)
        context.commit(documents.change(was, after) if after != booking else [])
        return True

    return context.until_settled(once)
