"""review.* and radar.early_fraud_warning.created: earnings wait while a payment is in doubt.

Source: contract, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from common import logs
from common.bookings import documents
from common.bookings.model import Booking
from common.context import Context
from common.disputes import fraud_warning as rule
from common.operations import runner
from common.operations.model import Operation, State
from common.refunds.refund_operation import full_refund
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write
from common.stripe_gateway.calls import Json
from common.webhooks.finding import booking_id as booking_of
from common.webhooks.paid_first import ensure_paid

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
    """Hold the booking's earnings until an operator decides; where a dispute would cost more than
    what is left of the payment, give that back before there is one."""
    booking_id = booking_of(warning, context)
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id
    ensure_paid(booking_id, context)
    begun = context.until_settled(lambda: _warned(warning, booking_id, context))
    if begun is None:
        return False
    booking, operation, docs = begun
    if operation is not None:
        done, _ = runner.run(context, operation, docs)
        if done.state is State.DONE:
            _tell("refunded", booking, warning)
            return True
    _tell("held", booking, warning)
    return True


def _warned(
    warning: Json, booking_id: str, context: Context
) -> tuple[Booking, Operation | None, Mapping[Key, Snapshot]] | None:
    """The booking held, and the refund of all that is left of it if that is cheaper.

    It is held in either case: should Stripe refuse the refund, or the customer's bank, the earnings
    stay where they are.
    """
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    if was.data is None:
        return None
    before = documents.load(was)
    booking = rule.held(before, warning)
    if not rule.cheaper_to_refund(before, warning, context.services.settings.dispute_fees):
        return booking, None, context.commit(documents.change(was, booking))
    refunding, refund, operation = full_refund(
        booking,
        refund_id=f"refund-{warning['id']}",
        reason="fraudulent",
        context_actor="system",
        action=context.action,
        request_id=context.request_id,
        now=context.now,
    )
    writes: list[Write] = [
        *documents.change(was, refunding),
        refund.create(),
        operation.create(),
    ]
    return booking, operation, context.commit(writes)


def _tell(what: str, booking: Booking, warning: Json) -> None:
    """A line that an alert may hang on; the amount in minor units."""
    logs.logger().warning(
        f"fraud_warning.{what}",
        bookingId=booking.id,
        warningId=warning["id"],
        fraudType=warning.get("fraud_type"),
        amount=booking.money.remaining,
        currency=booking.money.currency,
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
