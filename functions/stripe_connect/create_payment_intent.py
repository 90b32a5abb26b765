"""CREATE_PAYMENT_INTENT: the booking's own intent; a live one is given again, never a second one.

Source: contract, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.bookings import documents, saved_requests
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.payment_operations import payment_id, payment_operation
from common.bookings.setup_operation import setup_id
from common.bookings.status import Status
from common.context import Answer, Context
from common.errors import StripeRefused, WrongState
from common.http.command import Command, Id
from common.money import to_major
from common.operations import runner
from common.operations.model import Operation, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot

#: Payment intents of one booking, each after the one before was cancelled at Stripe.
_ATTEMPTS = 5


class Request(Command):
    """Which booking."""

    booking_id: Id


def handle(command: Request, context: Context) -> Answer:
    """The intent to pay the booking with.

    Raises:
        WrongState: 409, the booking is not waiting for its payment.
    """
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    docs = context.read(key)
    booking, _ = booking_for(context, docs[key])
    _require_unpaid(booking)
    if saved_requests.is_saved(booking) and booking.status is Status.PENDING:
        return _to_save(booking, context)
    intent = _current(booking, context)
    if intent is None or intent["status"] == "canceled":
        intent = _new(booking.id, None if intent is None else str(intent["id"]), context)
    return _answer(booking, intent)


def _require_unpaid(booking: Booking) -> None:
    if booking.status is not Status.PENDING and not saved_requests.awaits_payment(booking):
        raise WrongState("This booking is not waiting for a payment", str(booking.status))


def _to_save(booking: Booking, context: Context) -> Answer:
    """The setup intent of a request that is charged when it is accepted, in the same shape."""
    setup = booking.request.get("setupIntentId")
    if not setup:
        runner.resume(context, setup_id(booking.id))
        key = collections.booking(booking.id)
        setup = documents.load(context.read(key)[key]).request.get("setupIntentId")
    if not setup:
        raise WrongState("This booking is not waiting for a payment", str(booking.status))
    intent = context.services.stripe.setup_intent(str(setup))
    return {**_answer(booking, intent), "paymentIntentId": None, "setupIntentId": setup}


def _current(booking: Booking, context: Context) -> dict[str, Any] | None:
    intent_id = booking.payment.get("intentId")
    return context.services.stripe.payment_intent(str(intent_id)) if intent_id else None


def _new(booking_id: str, gone: str | None, context: Context) -> dict[str, Any]:
    """Make the intent that is missing: finish the one begun, or begin another.

    Args:
        gone: The cancelled intent that the booking was seen with.
    """
    operation, docs = context.until_settled(lambda: _begin(booking_id, gone, context))
    if operation is not None and not operation.settled:
        operation, docs = runner.run(context, operation, docs)
    if operation is not None and operation.state is State.FAILED:
        raise StripeRefused(operation.note)
    key = collections.booking(booking_id)
    after = documents.load(docs[key] if key in docs else context.read(key)[key])
    return context.services.stripe.payment_intent(str(after.payment["intentId"]))


def _begin(
    booking_id: str, gone: str | None, context: Context
) -> tuple[Operation | None, Mapping[Key, Snapshot]]:
    """The operation to go on with; None where somebody else has replaced the intent meanwhile."""
    key = collections.booking(booking_id)
    tries = [
        collections.operation(payment_id(booking_id, attempt))
        for attempt in range(1, _ATTEMPTS + 1)
    ]
    docs = context.read(key, *tries)
    booking = documents.load(docs[key])
    _require_unpaid(booking)
    if booking.payment.get("intentId") != gone:
        return None, docs
    for attempt, one in enumerate(tries, start=1):
        if docs[one].data is None:
            operation = payment_operation(
                booking,
                attempt=attempt,
                now=context.now,
                actor=context.caller.actor,
                action=context.action,
                request_id=context.request_id,
            )
            return operation, {**docs, **context.commit([operation.create()])}
        begun = Operation.load(docs[one])
        if not begun.settled:
            return begun, docs
    raise WrongState("This booking's payment was cancelled too often; book again", "PENDING")


def _answer(booking: Booking, intent: Mapping[str, Any]) -> Answer:
    return {
        "paymentIntentId": intent["id"],
        "clientSecret": intent["client_secret"],
        "amount": to_major(booking.money.total, booking.money.currency),
        "currency": booking.money.currency,
        "status": intent["status"],
    }


def refill(answer: Answer, context: Context) -> Answer:
    """A replayed answer with its client secret, which is Stripe's to keep."""
    stripe, setup = context.services.stripe, answer.get("setupIntentId")
    intent = (
        stripe.setup_intent(setup) if setup else stripe.payment_intent(answer["paymentIntentId"])
    )
    return {**answer, "clientSecret": intent["client_secret"]}
