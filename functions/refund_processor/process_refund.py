"""PROCESS_REFUND: give back a part or all of a booking, the platform's fee in proportion.

Source: guide, section 5; contract, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from common.auth.caller import Role
from common.bookings import claims, documents, postings
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.status import Status
from common.bookings.view import booking_as_json
from common.context import Answer, Context
from common.disputes import card_dispute
from common.errors import Forbidden, NotRefundable, StripeRefused
from common.http.command import Amount, Command, Id, Text, money_of
from common.ids import derived, fresh
from common.ledger.posting import post
from common.money import to_major
from common.operations import runner
from common.operations.model import Operation, Result, State
from common.refunds.amounts import Breakdown
from common.refunds.clawback_operation import clawback_operation, set_aside
from common.refunds.model import Refund
from common.refunds.plan import apply, breakdown
from common.refunds.refund_operation import open_refund
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write

#: A second request like the first within this time, without a key, is a double click.
DOUBLE_CLICK = timedelta(seconds=60)


class Request(Command):
    """How much of which booking, why, and what the provider keeps of the rest."""

    booking_id: Id
    refund_amount: Amount | None = None
    reason: Annotated[Text, Field(max_length=500)] | None = None
    provider_compensation: Amount | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """The refund's documents, and what is left to do at Stripe."""

    refund_id: str
    operation: Operation | None
    docs: Mapping[Key, Snapshot]


def handle(command: Request, context: Context) -> Answer:
    """The refund, made; or the one that this request has made before.

    Raises:
        NotRefundable, RefusedAmount: see ``common.refunds.plan``.
        StripeRefused: Stripe will not refund; nothing is set aside any more.
    """
    context.notes["bookingId"] = command.booking_id
    fixed = _refund_id(context)  # before the first try: a try that is made again names the same
    begun = context.until_settled(lambda: _begin(command, context, fixed))
    context.notes["refundId"] = begun.refund_id
    if begun.operation is not None and begun.operation.state is State.FAILED:
        raise StripeRefused(begun.operation.note)
    if begun.operation is None or begun.operation.settled:
        return _answer(begun.docs, command.booking_id, begun.refund_id)
    given: Answer = {}

    def answer(after: Mapping[Key, Snapshot], _: Mapping[str, Result]) -> Answer:
        given.update(_answer(after, command.booking_id, begun.refund_id))
        return given

    done, after = runner.run(context, begun.operation, begun.docs, answer)
    if done.state is State.FAILED:
        raise StripeRefused(done.note)
    return given or _answer(after, command.booking_id, begun.refund_id)


def _refund_id(context: Context) -> str:
    if context.record is None:
        return fresh("refund")
    return derived("refund", context.caller.uid, context.record.text)


def _begin(command: Request, context: Context, refund_id: str) -> Begun:
    """Set the refund's amounts aside and write down what Stripe will be asked for."""
    key, wanted = collections.booking(command.booking_id), collections.refund(refund_id)
    docs: Mapping[Key, Snapshot] = context.read(key, wanted, collections.operation(refund_id))
    booking, role = booking_for(context, docs[key])
    if docs[collections.operation(refund_id)].data is not None:
        return Begun(refund_id, Operation.load(docs[collections.operation(refund_id)]), docs)
    _require_refundable(booking, context)
    amount, compensation = _amounts(command, booking, role)
    reason = command.reason or "requested"
    if context.record is None and (first := _first_click(booking, command, amount, context)):
        more = {**docs, **context.read(collections.refund(first), collections.operation(first))}
        return Begun(first, Operation.load(more[collections.operation(first)]), more)
    part = breakdown(booking, role, context.now, amount, compensation)
    after = apply(booking, part, now=context.now, by=context.caller.actor, why=context.action)
    asked = {"asked": amount, "why": command.reason, "by": context.caller.actor}
    return _write(context, docs[key], after, part, refund_id, reason, asked)


def _require_refundable(booking: Booking, context: Context) -> None:
    """Refuse while a bank holds the payment although the booking is over and not DISPUTED; an
    inquiry takes nothing, and a refund may end it.

    Raises:
        NotRefundable: 400 with the dispute in ``reason``.
    """
    if booking.status is Status.DISPUTED or not booking.is_held(card_dispute.HOLD):
        return  # of a DISPUTED booking the plan says so
    held = [collections.dispute(id_) for id_ in card_dispute.held_by(booking)]
    found = context.read(*held)
    if any((found[key].data or {}).get("refundable") is False for key in held):
        raise NotRefundable(str(booking.status), card_dispute.taken_back(booking))


def _amounts(command: Request, booking: Booking, role: Role) -> tuple[int | None, int | None]:
    code = booking.money.currency
    amount = compensation = None
    if command.refund_amount is not None:
        amount = money_of(command.refund_amount, code, "refundAmount").amount
    if command.provider_compensation is not None:
        if role is not Role.OPERATOR:
            raise Forbidden("Only an operator may set what the provider keeps")
        compensation = money_of(command.provider_compensation, code, "providerCompensation").amount
    return amount, compensation


def _first_click(
    booking: Booking, command: Request, amount: int | None, context: Context
) -> str | None:
    """The refund that this request repeats: same amount and reason, a moment ago."""
    asked = {"asked": amount, "why": command.reason, "by": context.caller.actor}
    for click in _clicks(booking, context):
        if {name: click[name] for name in asked} == asked:
            return str(click["id"])
    return None


def _clicks(booking: Booking, context: Context) -> list[Mapping[str, Any]]:
    """What was asked for a moment ago, refund by refund."""
    known = (booking.last_refund or {}).get("clicks", ())
    return [click for click in known if context.now - click["at"] < DOUBLE_CLICK]


def _write(
    context: Context,
    was: Snapshot,
    after: Booking,
    part: Breakdown,
    refund_id: str,
    reason: str,
    asked: Mapping[str, object],
) -> Begun:
    before = documents.load(was)
    writes: list[Write] = []
    operation: Operation | None = None
    booking = after
    if part.refund:
        booking, refund, operation = open_refund(
            before,
            after,
            part,
            refund_id=refund_id,
            reason=reason,
            actor=context.caller.actor,
            action=context.action,
            request_id=context.request_id,
            now=context.now,
        )
        click = {**asked, "id": refund_id, "at": context.now}
        remembered = {**(booking.last_refund or {}), "clicks": [*_clicks(before, context), click]}
        booking = replace(booking, last_refund=remembered)
        writes += [refund.create(), operation.create()]
    elif before.earned_at is not None:
        booking, operation, compensated = _compensated(context, before, after, refund_id)
        writes += compensated
    if before.earned_at is None and after.earned_at is not None:
        remainder = postings.earning(after)
        writes += post({}, remainder, context.now) if remainder else []
    if before.keeps_place and not after.keeps_place:
        writes += claims.release(before)
    changed = [*documents.change(was, booking), *writes]
    if operation is None:  # all is done with this commit, so the answer goes with it
        done = {was.key: Snapshot(was.key, documents.to_document(booking), None)}
        context.finish(changed, _answer(done, booking.id, refund_id))
        return Begun(refund_id, None, done)
    return Begun(refund_id, operation, context.commit(changed))


def _compensated(
    context: Context, before: Booking, after: Booking, refund_id: str
) -> tuple[Booking, Operation | None, list[Write]]:
    """Only a compensation was set, of earnings that stand: what the provider has beyond it is taken
    back, what they lack is owed to them."""
    posting = postings.compensation(before, after, refund_id)
    operation = clawback_operation(
        after, refund_id, action=context.action, request_id=context.request_id, now=context.now
    )
    writes = post({}, posting, context.now) if posting else []
    return (
        set_aside(after, operation),
        operation,
        [*writes, *([operation.create()] if operation else [])],
    )


def _answer(docs: Mapping[Key, Snapshot], booking_id: str, refund_id: str) -> Answer:
    booking = documents.load(docs[collections.booking(booking_id)])
    snapshot = docs.get(collections.refund(refund_id))
    given = _nothing(booking) if snapshot is None else Refund.load(snapshot).as_json()
    money = booking.money
    share = money.due if booking.earned_at is not None else money.provider_share
    return {
        **given,
        "bookingId": booking.id,
        "policy": booking.policy.as_document(),
        "providerCompensation": to_major(share, money.currency),
        "booking": booking_as_json(booking),
    }


def _nothing(booking: Booking) -> Answer:
    """The answer's refund where only a compensation was set and nothing went back."""
    zero = to_major(0, booking.money.currency)
    return {
        "refundId": None,
        "refundAmount": zero,
        "platformFeeRefunded": zero,
        "providerEarningsReversed": zero,
        "currency": booking.money.currency,
        "status": "SUCCEEDED",
    }
