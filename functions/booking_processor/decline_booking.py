"""DECLINE_BOOKING: the provider does not take a request; the customer's money is let go.

Source: contract, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from common.bookings import apply_payment, claims, documents, payment_operations, requests
from common.bookings.access import booking_for
from common.bookings.status import Status
from common.bookings.view import booking_as_json
from common.context import Answer, Context
from common.http.command import Command, Id, Text
from common.operations import runner
from common.operations.model import Operation, Result, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot

Begun = tuple[Operation | None, Mapping[Key, Snapshot]]


class Request(Command):
    """Which booking, and why."""

    booking_id: Id
    reason: Annotated[Text, Field(max_length=500)] | None = None


def handle(command: Request, context: Context) -> Answer:
    """The booking, declined; a second call finds it so and finishes what the first left open.

    Raises:
        WrongState: 409, the booking waits for no answer.
    """
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    operation, docs = context.until_settled(lambda: _begin(command, context, key))
    if operation is None or operation.settled:
        return _answer(docs, key)
    given: Answer = {}

    def answer(after: Mapping[Key, Snapshot], _: Mapping[str, Result]) -> Answer:
        given.update(_answer(after, key))
        return given

    done, after = runner.run(context, operation, docs, answer)
    if done.state is State.FAILED:  # captured meanwhile, by hand: it goes back
        apply_payment.apply_if_paid(context, documents.load(after[key]))
        after = context.read(key)
    return given or _answer(after, key)


def _begin(command: Request, context: Context, key: Key) -> Begun:
    docs = context.read(key)
    booking, _ = booking_for(context, docs[key])
    if booking.status is Status.DECLINED:
        return _left_open(context, docs, payment_operations.void_id(booking))
    over = requests.declined(
        booking, reason=command.reason, now=context.now, by=context.caller.actor
    )
    operation = payment_operations.void_operation(
        over,
        now=context.now,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
    )
    assert operation is not None, "a request has a payment or a setup intent"
    writes = [*documents.change(docs[key], over), *claims.release(over), operation.create()]
    return operation, context.commit(writes)


def _left_open(context: Context, docs: Mapping[Key, Snapshot], void: str | None) -> Begun:
    """What a first call began."""
    begun = collections.operation(str(void))
    more = {**docs, **context.read(begun)}
    return (None if more[begun].data is None else Operation.load(more[begun])), more


def _answer(docs: Mapping[Key, Snapshot], key: Key) -> Answer:
    booking = documents.load(docs[key])
    return {
        "bookingId": booking.id,
        "status": str(booking.status),
        "booking": booking_as_json(booking),
    }
