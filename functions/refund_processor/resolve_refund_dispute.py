"""RESOLVE_REFUND_DISPUTE: an operator decides, money goes back or is free to be paid out.

With money to give back the decision is an operation like any refund: the dispute, the booking's
reserved amounts and the operation stand in one commit; the hold is lifted in the commit that
records Stripe's answer. What Stripe refuses opens the dispute again, its money still held.
Source: contract, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from common.bookings import documents
from common.bookings.model import Booking
from common.context import Answer, Context
from common.errors import InvalidFields, Missing, StripeRefused, WrongState
from common.http.command import Amount, Command, Id, Text, money_of
from common.operations import runner
from common.operations.model import Operation, Result, State
from common.refunds.amounts import Breakdown
from common.refunds.dispute import KIND, Decided, Decision, RefundDispute, lifted
from common.refunds.model import Refund
from common.refunds.refund_operation import open_refund
from common.refunds.resolution import resolve, set_aside
from common.store import collections
from common.store.collections import Key
from common.store.store import Replace, Snapshot

Documents = Mapping[Key, Snapshot]


class Request(Command):
    """Which dispute, what is decided, how much goes back, and why, in words for both sides."""

    dispute_id: Id
    decision: Annotated[Decision, Field(strict=False)]
    refund_amount: Amount | None = None
    note: Annotated[Text, Field(min_length=1, max_length=2000)]


@dataclass(frozen=True, slots=True)
class Begun:
    """The dispute decided, and what is left to do at Stripe."""

    dispute: RefundDispute
    operation: Operation | None
    docs: Documents


def handle(command: Request, context: Context) -> Answer:
    """The dispute as decided, and its refund; deciding the same again finds it so.

    Raises:
        WrongState: 409 with ``currentStatus``, it was decided otherwise.
        NotRefundable, RefusedAmount: see ``common.refunds.resolution``.
        StripeRefused: Stripe will not refund; the dispute is open again.
    """
    context.notes["disputeId"] = command.dispute_id
    begun = context.until_settled(lambda: _begin(command, context))
    if begun.operation is not None and begun.operation.state is State.FAILED:
        raise StripeRefused(begun.operation.note)
    if begun.operation is None or begun.operation.settled:
        return _answer(begun.dispute, begun.docs)
    given: Answer = {}

    def answer(after: Documents, _: Mapping[str, Result]) -> Answer:
        given.update(_answer(begun.dispute, after))
        return given

    done, after = runner.run(context, begun.operation, begun.docs, answer)
    if done.state is State.FAILED:
        raise StripeRefused(done.note)
    return given or _answer(begun.dispute, after)


def _begin(command: Request, context: Context) -> Begun:
    key = collections.dispute(command.dispute_id)
    was = context.read(key)[key]
    if was.data is None or was.data["kind"] != KIND:
        raise Missing("refund dispute")
    dispute = RefundDispute.load(was)
    context.notes["bookingId"] = dispute.booking_id
    asked = _asked(command, dispute.currency)
    if dispute.decided is not None:
        return _as_decided(command.decision, asked, context, dispute, was)
    about = collections.booking(dispute.booking_id)
    booking_was = context.read(about)[about]
    part = resolve(documents.load(booking_was), dispute, command.decision, asked)
    decided = replace(
        dispute,
        decided=Decided(
            command.decision,
            asked,
            part.refund if part else 0,
            dispute.next_refund_id if part else None,
            command.note,
            context.caller.actor,
            context.now,
        ),
    )
    decision = Replace(was, decided.to_document())
    if part is None:
        return _without_refund(context, decided, booking_was, decision)
    return _refund(context, decided, booking_was, part, decision)


def _asked(command: Request, currency: str) -> int | None:
    """The amount that the operator names, minor units.

    Raises:
        InvalidFields: the decision has no room for it, or cannot do without.
    """
    if command.refund_amount is None:
        if command.decision is Decision.PARTIAL:
            raise InvalidFields([("refundAmount", "is needed for PARTIAL")])
        return None
    if command.decision is Decision.REJECTED:
        raise InvalidFields([("refundAmount", "must be left out where nothing goes back")])
    asked = money_of(command.refund_amount, currency, "refundAmount").amount
    if not asked:
        raise InvalidFields([("refundAmount", "must be above 0; or decide REJECTED")])
    return asked


def _as_decided(
    decision: Decision, asked: int | None, context: Context, dispute: RefundDispute, was: Snapshot
) -> Begun:
    """What was decided before, if it is the same."""
    known = dispute.decided
    assert known is not None
    if not known.repeats(decision, asked):
        raise WrongState(
            "This dispute was decided otherwise; what goes back beyond it is a PROCESS_REFUND",
            dispute.status,
        )
    if known.refund_id is None:
        return Begun(dispute, None, {})
    begun, made = collections.operation(known.refund_id), collections.refund(known.refund_id)
    docs = context.read(begun, made, collections.booking(dispute.booking_id), was.key)
    return Begun(dispute, Operation.load(docs[begun]), docs)


def _without_refund(
    context: Context, dispute: RefundDispute, booking_was: Snapshot, decision: Replace
) -> Begun:
    """Nothing goes back: the hold ends with this commit, and the answer goes with it."""
    free = lifted(documents.load(booking_was), dispute.id)
    context.finish([*documents.change(booking_was, free), decision], _answer(dispute, {}))
    return Begun(dispute, None, {})


def _refund(
    context: Context,
    dispute: RefundDispute,
    booking_was: Snapshot,
    part: Breakdown,
    decision: Replace,
) -> Begun:
    """Set the refund aside and write down what Stripe will be asked for; the hold stays."""
    before = documents.load(booking_was)
    booking, refund, operation = open_refund(
        before,
        set_aside(before, part),
        part,
        refund_id=dispute.next_refund_id,
        reason=f"dispute {dispute.status.lower()}",
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
        now=context.now,
    )
    operation = replace(operation, plan={**operation.plan, "disputeId": dispute.id})
    docs = context.commit(
        [
            *documents.change(booking_was, _remembering(booking, before)),
            refund.create(),
            operation.create(),
            decision,
        ]
    )
    return Begun(dispute, operation, docs)


def _remembering(booking: Booking, before: Booking) -> Booking:
    """The booking that still knows PROCESS_REFUND's double clicks."""
    clicks = (before.last_refund or {}).get("clicks")
    if not clicks:
        return booking
    return replace(booking, last_refund={**(booking.last_refund or {}), "clicks": clicks})


def _answer(dispute: RefundDispute, docs: Documents) -> Answer:
    made = dispute.decided.refund_id if dispute.decided else None
    refund = Refund.load(docs[collections.refund(made)]).as_json() if made else None
    return {**dispute.as_json(), "refund": refund}
