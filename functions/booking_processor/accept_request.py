"""A provider accepts a request: its place is taken for good, and the payment captured or, where a
payment method was saved, charged.

Source: contract, section 3 (CONFIRM_BOOKING).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from common.bookings import apply_payment, deadlines, documents, requests, saved_requests
from common.bookings.capture_operation import capture_id, capture_operation
from common.bookings.charge_operation import charge_id, charge_operation
from common.bookings.model import Booking
from common.bookings.status import Status
from common.clock import rfc3339
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
        PaymentIncomplete: the bank has let the customer's money go, or did not let us charge what
            was saved: the customer is to pay.
        StripeRefused: Stripe refused the capture.
    """
    operation, docs = context.until_settled(lambda: _begin(booking_id, context))
    key = collections.booking(booking_id)
    if not operation.settled:
        operation, docs = runner.run(context, operation, docs)
    booking = documents.load(docs[key] if key in docs else context.read(key)[key])
    if saved_requests.is_saved(booking):
        return _charged(booking)
    if operation.state is State.FAILED and booking.status is Status.EXPIRED:
        raise PaymentIncomplete("canceled")
    if operation.state is State.FAILED and booking.status is Status.REQUESTED:
        raise StripeRefused(operation.note)
    return booking


def _charged(booking: Booking) -> Booking:
    """The booking, unless its customer has to pay it themselves.

    Raises:
        PaymentIncomplete: with the bank's reason, and until when they can.
    """
    if booking.status is not Status.REQUESTED:
        return booking
    raise still_unpaid(booking, str(booking.payment.get("intentStatus", "requires_payment_method")))


def still_unpaid(booking: Booking, payment_status: str) -> PaymentIncomplete:
    """The 409 of a request that was accepted and waits for its customer's payment."""
    failure = booking.payment.get("lastFailure") or {}
    code, pay_by = failure.get("declineCode") or failure.get("code"), booking.request.get("payBy")
    return PaymentIncomplete(
        payment_status,
        "The request is accepted and its charge did not go through; the booking is confirmed when "
        "its customer has paid at the booking's paymentLink",
        **({"declineCode": code} if code else {}),
        **({"payBy": rfc3339(pay_by)} if pay_by else {}),
    )


def _begin(booking_id: str, context: Context) -> Begun:
    """What somebody has begun, or a new operation with the place it needs."""
    key = collections.booking(booking_id)
    tries = [collections.operation(id_(booking_id)) for id_ in (capture_id, charge_id)]
    docs = context.read(key, *tries)
    for begun in tries:
        if docs[begun].data is not None:
            return Operation.load(docs[begun]), docs
    before = documents.load(docs[key])
    accepted = requests.accepting(before, context.now)
    _require_payable(accepted, context)
    operation = _operation(accepted, context)
    writes = [*documents.change(docs[key], accepted), *_place(before, context), operation.create()]
    return operation, {**docs, **context.commit(writes)}


def _operation(accepted: Booking, context: Context) -> Operation:
    """The intent to take the money: what the bank has set aside, or of what was saved."""
    now, actor = context.now, context.caller.actor
    action, request_id = context.action, context.request_id
    if saved_requests.is_saved(accepted):
        link = f"{context.services.settings.app_url}/bookings/{accepted.id}/pay"
        return charge_operation(
            accepted, link=link, now=now, actor=actor, action=action, request_id=request_id
        )
    return capture_operation(accepted, now=now, actor=actor, action=action, request_id=request_id)


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
