"""The operation that gives a customer money back, and takes the provider's part back after it.

The refund comes first and the reversals after it: a refund that Stripe refuses must cost the
provider nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from common.bookings import claims, documents
from common.bookings.model import Booking
from common.ledger.posting import post
from common.operations.model import LEASE, Operation, Results, Settled, State
from common.refunds import clawback, dispute, outcome
from common.refunds.amounts import Breakdown, Held, refund_breakdown
from common.refunds.model import Refund
from common.store import collections
from common.store.collections import Key
from common.store.store import Replace, Snapshot, Write
from common.stripe_gateway.calls import Call

Documents = Mapping[Key, Snapshot]
#: Reasons that Stripe knows; ours go into the metadata.
_STRIPE_REASONS = {"duplicate": "duplicate", "fraudulent": "fraudulent"}


def held_of(booking: Booking) -> Held:
    """A booking's money as the refund rules see it."""
    money = booking.money
    return Held(money.total, money.fee, money.refunded, money.fee_refunded, money.currency)


def reserved(booking: Booking, part: Breakdown) -> Booking:
    """The booking with a refund's amounts set aside, and the provider's part that is left.

    What an earlier refund failed to give back is held and goes first; only what goes beyond it is
    taken from what was earned.
    """
    money = booking.money
    again = min(part.refund, money.unreturned)
    due = money.due if part.refund == again else min(money.due, part.provider_share_after)
    return booking.with_money(
        refunded=money.refunded + part.refund,
        fee_refunded=money.fee_refunded + part.fee_refunded,
        unreturned=money.unreturned - again,
        due=due if booking.earned_at is not None else 0,
    )


def sources(before: Booking, after: Booking, amount: int) -> tuple[int, int]:
    """Where an amount came from that was set aside: held money, and what we owed the provider.

    The rest of it was our commission.
    """
    if before.earned_at is None:
        return amount, 0
    return before.money.unreturned - after.money.unreturned, before.money.due - after.money.due


def open_refund(
    before: Booking,
    after: Booking,
    part: Breakdown,
    *,
    refund_id: str,
    reason: str,
    actor: str,
    action: str,
    request_id: str,
    now: datetime,
) -> tuple[Booking, Refund, Operation]:
    """The intent to refund: the booking that remembers it, the refund, the operation.

    Args:
        before: The booking as it was.
        after: The same with the refund's amounts reserved.
    """
    held, owed_delta = sources(before, after, part.refund)
    refund = Refund(
        id=refund_id,
        booking_id=before.id,
        customer_id=before.customer_id,
        provider_id=before.provider_id,
        currency=before.money.currency,
        amount=part.refund,
        fee_refunded=part.fee_refunded,
        owed_delta=owed_delta,
        held=held,
        compensation=part.compensation,
        reason=reason,
        requested_by=actor,
        created_at=now,
    )
    remembered = {"id": refund_id, "amount": part.refund, "reason": reason, "at": now}
    booking = replace(after, last_refund=remembered)
    operation = _operation(booking, refund, actor, action, request_id, now)
    return clawback.set_aside(booking, _reversals(operation)), refund, operation


def full_refund(
    booking: Booking,
    *,
    refund_id: str,
    reason: str,
    context_actor: str,
    action: str,
    request_id: str,
    now: datetime,
) -> tuple[Booking, Refund, Operation]:
    """The intent to give everything that is held back; the booking keeps its status."""
    part = refund_breakdown(held_of(booking), booking.money.remaining)
    return open_refund(
        booking,
        reserved(booking, part),
        part,
        refund_id=refund_id,
        reason=reason,
        actor=context_actor,
        action=action,
        request_id=request_id,
        now=now,
    )


def _operation(
    booking: Booking, refund: Refund, actor: str, action: str, request_id: str, now: datetime
) -> Operation:
    params: dict[str, Any] = {
        "payment_intent": booking.payment["intentId"],
        "amount": refund.amount,
        "reason": _STRIPE_REASONS.get(refund.reason, "requested_by_customer"),
        "metadata": {
            "bookingId": booking.id,
            "refundId": refund.id,
            "operationId": refund.id,
            "reason": refund.reason[:200],
            "requestId": request_id,
        },
    }
    reversals = clawback.calls(booking, refund.id, request_id)
    first = (Call("refund", "refunds.create", params, refund.id),)
    return Operation(
        id=refund.id,
        kind="refund",
        stages=(first, reversals) if reversals else (first,),
        plan={"bookingId": booking.id, "refundId": refund.id},
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


def _reversals(operation: Operation) -> tuple[Call, ...]:
    return operation.stages[1] if len(operation.stages) > 1 else ()


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation, its booking and its refund; the dispute that it settles, if there is one."""
    plan = operation.plan
    disputed = plan.get("disputeId")
    return (
        operation.key,
        collections.booking(plan["bookingId"]),
        collections.refund(plan["refundId"]),
        *([collections.dispute(disputed)] if disputed else []),
    )


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the ledger transactions, which a webhook may have written."""
    made = results["refund"].ok
    posted = outcome.posting_keys(made["id"]) if made else ()
    return (*needs(operation), *posted, *clawback.posting_keys(results))


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Record what became of the refund and of the reversals."""
    booking_was = docs[collections.booking(operation.plan["bookingId"])]
    refund_was = docs[collections.refund(operation.plan["refundId"])]
    booking, refund = documents.load(booking_was), Refund.load(refund_was)
    disputed: str | None = operation.plan.get("disputeId")
    result = results["refund"]
    if result.ok is None:
        why = result.refused_code or result.refused_message or "refused"
        failed = replace(refund, status="FAILED", failure_reason=why)
        free, kept = outcome.refused(booking, refund)
        free = clawback.called_off(free, _reversals(operation))
        return Settled(
            operation.became(State.FAILED, note=why),
            [
                *documents.change(booking_was, free),
                Replace(refund_was, failed.to_document()),
                *(write for posting in kept for write in post(docs, posting, now)),
                *([dispute.open_again(docs[collections.dispute(disputed)])] if disputed else []),
            ],
        )
    told, after, postings = outcome.apply(refund, booking, result.ok)
    after = outcome.given_back(after, told, at=now, by=operation.actor, why=operation.action)
    place = claims.release(booking) if booking.keeps_place and not after.keeps_place else []
    ledger: list[Write] = [write for posting in postings for write in post(docs, posting, now)]
    after, reversed_ = clawback.record(
        after, operation.id, _reversals(operation), results, docs, now
    )
    after = dispute.lifted(after, disputed)
    return Settled(
        operation.became(State.DONE),
        [
            *documents.change(booking_was, after),
            Replace(refund_was, told.to_document()),
            *place,
            *ledger,
            *reversed_,
        ],
    )
