"""refund.*: what became of a refund, ours or one made at Stripe directly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from common.bookings import claims, documents
from common.bookings.model import Booking
from common.bookings.postings import concerns
from common.bookings.status import Status
from common.context import Context
from common.ledger import exchange
from common.ledger.posting import Posting, post
from common.operations import runner
from common.operations.model import Operation
from common.refunds import outcome
from common.refunds.amounts import refund_breakdown
from common.refunds.clawback_operation import clawback_operation, set_aside
from common.refunds.debt_relief import relieve
from common.refunds.model import Refund
from common.refunds.refund_operation import held_of, reserved, sources
from common.store import collections
from common.store.store import Replace, Snapshot, Write
from common.stripe_gateway.calls import Json
from common.webhooks import foreign
from common.webhooks.finding import booking_id as booking_of
from common.webhooks.finding import id_of, named
from common.webhooks.paid_first import ensure_paid


def changed(stripe: Json, event: Json, context: Context) -> bool:
    """Bring Stripe's word to the refund, its booking and the ledger."""
    booking_id = booking_of(stripe, context)
    if booking_id is None:
        return foreign.movement(stripe, context)
    refund_id = named(stripe, "refundId") or f"refund-{stripe['id']}"
    context.notes.update(bookingId=booking_id, refundId=refund_id)
    if named(stripe, "refundId") is None:
        ensure_paid(booking_id, context)
    done: list[tuple[Operation, dict[Any, Snapshot]]] = []
    found = context.until_settled(lambda: _once(stripe, booking_id, refund_id, context, done))
    for operation, docs in done:
        runner.run(context, operation, docs)
    return found


def _once(
    stripe: Json,
    booking_id: str,
    refund_id: str,
    context: Context,
    done: list[tuple[Operation, dict[Any, Snapshot]]],
) -> bool:
    key, refund_key = collections.booking(booking_id), collections.refund(refund_id)
    docs = context.read(key, refund_key, *outcome.posting_keys(stripe["id"]))
    if docs[key].data is None:
        return False
    booking = documents.load(docs[key])
    operation = None
    if docs[refund_key].data is None:
        if named(stripe, "refundId"):
            return False  # one of ours is written down before Stripe hears of it
        if _failed(stripe) and stripe["amount"] > booking.money.remaining:
            return False  # another refund has taken its place since: there is nothing to hold
        booking, refund, operation = _made_elsewhere(booking, stripe, refund_id, context)
    else:
        refund = Refund.load(docs[refund_key])
    told, after, postings = outcome.apply(refund, booking, stripe)
    after = outcome.given_back(
        after, told, at=context.now, by=told.requested_by, why=context.action
    )
    relief = relieve(context, after, stripe["id"])
    exchanged = _exchanged(booking, stripe, context)
    docs.update(context.read(*(collections.transaction(one.id) for one in exchanged)))
    after, postings = relief.booking, [*postings, *relief.postings, *exchanged]
    writes: list[Write] = [
        *relief.writes,
        *documents.change(docs[key], after),
        Replace(docs[refund_key], told.to_document()),
        *(write for posting in postings for write in post(docs, posting, context.now)),
        *([operation.create()] if operation else []),
        *(claims.release(after) if _lost_place(docs[key], after) else []),
    ]
    now = context.commit(writes)
    if operation:
        done.append((operation, now))
    return True


def _failed(stripe: Json) -> bool:
    return stripe["status"] in ("failed", "canceled")


def _exchanged(booking: Booking, stripe: Json, context: Context) -> list[Posting]:
    """What Stripe exchanged to give the refund, and what to take it back once it failed.

    A charge that was settled in its own currency is refunded in it, so nothing is asked for.
    """
    if booking.payment.get("balanceTransactionId") and not booking.payment.get("settlement"):
        return []
    code, amount, about = booking.money.currency, int(stripe["amount"]), concerns(booking)
    moved = {
        id_of(stripe.get("balance_transaction")): -amount,
        id_of(stripe.get("failure_balance_transaction")): amount,
    }
    return [
        posting
        for id_, signed in moved.items()
        if id_ is not None
        for posting in exchange.of(
            context.services.stripe.balance_transaction(id_), signed, code, about
        )
    ]


def _lost_place(was: Snapshot, after: Booking) -> bool:
    return documents.load(was).keeps_place and not after.keeps_place


def _made_elsewhere(
    booking: Booking, stripe: Json, refund_id: str, context: Context
) -> tuple[Booking, Refund, Operation | None]:
    """A refund from Stripe's dashboard counts like an operator's.

    So does one that is heard of only when it has failed: whichever of its events comes first, it
    was made and came back. Then there is nothing to take from the provider any more.
    """
    part = refund_breakdown(held_of(booking), min(stripe["amount"], booking.money.remaining))
    after = reserved(booking, part)
    if not after.money.remaining and booking.status in (Status.CONFIRMED, Status.COMPLETED):
        after = after.moved(Status.REFUNDED, at=context.now, by="stripe", why=context.action)
    held, owed_delta = sources(booking, after, part.refund)
    refund = Refund(
        id=refund_id,
        booking_id=booking.id,
        customer_id=booking.customer_id,
        provider_id=booking.provider_id,
        currency=booking.money.currency,
        amount=stripe["amount"],
        fee_refunded=part.fee_refunded,
        owed_delta=owed_delta,
        held=stripe["amount"] if booking.earned_at is None else held,
        compensation=None,
        reason="made_at_stripe",
        requested_by="stripe",
        created_at=context.now,
    )
    operation = None
    if not _failed(stripe):
        operation = clawback_operation(
            after,
            f"clawback-{stripe['id']}",
            action=context.action,
            request_id=context.request_id,
            now=context.now,
        )
    last = {"id": refund_id, "amount": refund.amount, "reason": refund.reason, "at": context.now}
    return replace(set_aside(after, operation), last_refund=last), refund, operation
