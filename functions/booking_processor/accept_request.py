"""A provider accepts a request: its place is taken for good, and the payment captured.

Source: contract, section 3 (CONFIRM_BOOKING).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from common.bookings import apply_payment, deadlines, documents, requests
from common.bookings.capture_operation import capture_id, capture_operation
from common.bookings.model import Booking
from common.bookings.status import Status
from common.context import Context
from common.errors import PaymentIncomplete, PlaceTaken, StripeRefused
from common.operations import runner
from common.operations.model import Operation, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write

Begun = tuple[Operation, Mapping[Key, Snapshot]]


def accept(booking_id: str, context: Context) -> Booking:
    """The booking, CONFIRMED, or as whatever crossed the acceptance has left it.

    Raises:
        WrongState: it waits for no answer any more.
        PlaceTaken: it kept no place, and somebody else has it; or it is still too far off for the
            money to be held until then.
        PaymentIncomplete: the bank has let the customer's money go.
        StripeRefused: Stripe refused the capture.
    """
    operation, docs = context.until_settled(lambda: _begin(booking_id, context))
    key = collections.booking(booking_id)
    if not operation.settled:
        operation, docs = runner.run(context, operation, docs)
    booking = documents.load(docs[key] if key in docs else context.read(key)[key])
    if operation.state is State.FAILED and booking.status is Status.EXPIRED:
        raise PaymentIncomplete("canceled")
    if operation.state is State.FAILED and booking.status is Status.REQUESTED:
        raise StripeRefused(operation.note)
    return booking


def _begin(booking_id: str, context: Context) -> Begun:
    """The capture that somebody has begun, or a new one with the place it needs."""
    key, begun = collections.booking(booking_id), collections.operation(capture_id(booking_id))
    docs = context.read(key, begun)
    if docs[begun].data is not None:
        return Operation.load(docs[begun]), docs
    before = documents.load(docs[key])
    accepted = requests.accepting(before, context.now)
    _require_payable(accepted, context)
    operation = capture_operation(
        accepted,
        now=context.now,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
    )
    writes = [*documents.change(docs[key], accepted), *_place(before, context), operation.create()]
    return operation, {**docs, **context.commit(writes)}


def _require_payable(booking: Booking, context: Context) -> None:
    """Refuse what is captured now and would be held for longer than it may."""
    settings = context.services.settings
    wait = timedelta(hours=settings.payout_hold_hours)
    country = settings.platform_country
    if booking.end > deadlines.latest_end(country, wait=wait, captured=context.now):
        raise PlaceTaken("too_far")


def _place(before: Booking, context: Context) -> list[Write]:
    """The writes that take the place of a request that has kept none so far."""
    if before.keeps_place:
        return []
    mine = replace(before, request={**before.request, "blocks": True})
    taken = apply_payment.still_free(context, mine)
    if taken is None:
        raise PlaceTaken("full")
    return taken
