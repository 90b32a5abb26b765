"""A booking that is called off, by a cancellation or as a no-show: the steps both share.

The place is given back, what the plan says goes back, the rest is earned; whoever comes a second
time finds it so and finishes what the first left open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.bookings import apply_payment, claims, documents, payment_operations, postings
from common.bookings.cancellation_plan import Cancellation
from common.bookings.model import Booking
from common.bookings.status import Status
from common.bookings.view import booking_as_json
from common.context import Answer, Context
from common.ledger.posting import post
from common.money import to_major
from common.operations import runner
from common.operations.model import Operation, Result, State
from common.refunds.model import Refund
from common.refunds.refund_operation import open_refund
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write


@dataclass(frozen=True, slots=True)
class Begun:
    """The booking called off, and the operation that is left to do."""

    operation: Operation | None
    docs: Mapping[Key, Snapshot]


def carry_out(context: Context, begun: Begun, key: Key) -> Answer:
    """Do what is left to do at Stripe; the answer."""
    if begun.operation is None or begun.operation.settled:
        return _as_it_is(context, begun.docs, key)
    given: Answer = {}

    def answer(after: Mapping[Key, Snapshot], _: Mapping[str, Result]) -> Answer:
        given.update(_answer(after, key))
        return given

    done, after = runner.run(context, begun.operation, begun.docs, answer)
    if done.kind == "void" and done.state is State.FAILED:
        apply_payment.apply_if_paid(context, documents.load(after[key]))
        return _as_it_is(context, context.read(key), key)
    return given or _as_it_is(context, after, key)


def begin(context: Context, was: Snapshot, plan: Cancellation, reason: str) -> Begun:
    """Call the booking off and write down what Stripe will be asked for."""
    return _void(context, was, plan) if plan.part is None else _refund(context, was, plan, reason)


def left_open(context: Context, booking: Booking, docs: Mapping[Key, Snapshot]) -> Begun:
    """What a first call began, if it is not finished."""
    last = booking.last_refund
    void = payment_operations.void_id(booking)
    if last is not None:
        wanted = [collections.operation(last["id"]), collections.refund(last["id"])]
    elif void and not booking.money.captured:
        wanted = [collections.operation(void)]
    else:
        return Begun(None, docs)
    more = {**docs, **context.read(*wanted)}
    if more[wanted[0]].data is None:
        return Begun(None, more)
    return Begun(Operation.load(more[wanted[0]]), more)


def _void(context: Context, was: Snapshot, plan: Cancellation) -> Begun:
    """Nothing was paid: the payment intent goes too."""
    operation = payment_operations.void_operation(
        plan.booking,
        now=context.now,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
    )
    writes: list[Write] = [
        *documents.change(was, plan.booking),
        *claims.release(plan.booking),
        *([operation.create()] if operation else []),
    ]
    return Begun(operation, context.commit(writes))


def _refund(context: Context, was: Snapshot, plan: Cancellation, reason: str) -> Begun:
    """Paid: the refund's amounts are set aside and the rest is earned, in one commit."""
    before, after, part = documents.load(was), plan.booking, plan.part
    assert part is not None
    remainder = postings.earning(after)
    earned = post({}, remainder, context.now) if remainder else []
    if not part.refund:
        writes = [*documents.change(was, after), *claims.release(after), *earned]
        return Begun(None, context.commit(writes))
    booking, refund, operation = open_refund(
        before,
        after,
        part,
        refund_id=f"refund-{before.id}-cancel",
        reason=reason,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
        now=context.now,
    )
    writes = [
        *documents.change(was, booking),
        *claims.release(booking),
        *earned,
        refund.create(),
        operation.create(),
    ]
    return Begun(operation, context.commit(writes))


def booking_in(docs: Mapping[Key, Snapshot], key: Key) -> Booking:
    """The booking among the documents."""
    return documents.load(docs[key])


def _as_it_is(context: Context, docs: Mapping[Key, Snapshot], key: Key) -> Answer:
    """The answer from the documents as they stand."""
    last = _refund_since(documents.load(docs[key]))
    wanted = collections.refund(last["id"]) if last else None
    if wanted is not None and wanted not in docs:
        docs = {**docs, **context.read(wanted)}
    return _answer(docs, key)


def _refund_since(booking: Booking) -> Mapping[str, Any] | None:
    """The refund that cancelling made (or one since), not one of before."""
    last = booking.last_refund
    ended = next(step["at"] for step in booking.history if step["status"] == Status.CANCELLED)
    return last if last is not None and last["at"] >= ended else None


def _answer(docs: Mapping[Key, Snapshot], key: Key) -> Answer:
    booking = documents.load(docs[key])
    last = _refund_since(booking)
    return {
        "bookingId": booking.id,
        "status": str(booking.status),
        "refund": _refund_json(booking, docs[collections.refund(last["id"])]) if last else None,
        "booking": booking_as_json(booking),
    }


def _refund_json(booking: Booking, snapshot: Snapshot) -> Answer:
    """The refund with what the provider keeps of the rest."""
    refund = Refund.load(snapshot)
    return {
        **refund.as_json(),
        "providerCompensation": to_major(booking.money.due, booking.money.currency),
    }
