"""transfer.*: a booking's money on its way to the provider, and back."""

from __future__ import annotations

from common.bookings import documents
from common.bookings.postings import concerns
from common.context import Context
from common.ledger.posting import post
from common.payouts import postings
from common.payouts.payout_operation import with_transfer
from common.refunds.clawback import reversed_posting, with_reversal
from common.store import collections
from common.store.store import Patch, Write, path
from common.stripe_gateway.calls import Json
from common.webhooks import foreign
from common.webhooks.finding import named


def created(transfer: Json, event: Json, context: Context) -> bool:
    """Record a transfer whose answer was lost, or which is heard of before its answer."""
    booking_id, payout_id = named(transfer, "bookingId"), named(transfer, "payoutId")
    if booking_id is None or payout_id is None:
        return foreign.transfer(transfer, context)
    context.notes.update(bookingId=booking_id, payoutId=payout_id)
    return context.until_settled(lambda: _record(transfer, booking_id, payout_id, context))


def _record(transfer: Json, booking_id: str, payout_id: str, context: Context) -> bool:
    key, payout = collections.booking(booking_id), collections.payout(payout_id)
    posted = collections.transaction(f"transfer_{transfer['id']}")
    docs = context.read(key, payout, posted)
    if docs[key].data is None or docs[payout].data is None:
        return False
    booking = documents.load(docs[key])
    posting = postings.transfer(
        booking.provider_id,
        booking.money.currency,
        transfer["id"],
        transfer["amount"],
        concerns(booking, payoutId=payout_id),
    )
    fresh = post(docs, posting, context.now)
    if not fresh:
        return True
    known = {"bookingId": booking_id, "amount": transfer["amount"]}
    context.commit(
        [
            *documents.change(
                docs[key], with_transfer(booking, transfer["id"], transfer["amount"])
            ),
            Patch(payout, {path("transfers", transfer["id"]): known}),
            *fresh,
        ]
    )
    return True


def updated(transfer: Json, event: Json, context: Context) -> bool:
    """Stripe tells only of changed descriptions and metadata: note that it did."""
    payout_id = named(transfer, "payoutId")
    if payout_id is None:
        return False
    payout = collections.payout(payout_id)

    def note() -> bool:
        if context.read(payout)[payout].data is None:
            return False
        field = path("transfers", transfer["id"], "updatedAt")
        context.commit([Patch(payout, {field: context.now})])
        return True

    return context.until_settled(note)


def reversed_(transfer: Json, event: Json, context: Context) -> bool:
    """Record reversals that are not in the ledger yet, ours or those made at Stripe directly."""
    booking_id = named(transfer, "bookingId")
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id
    reversals = (transfer.get("reversals") or {}).get("data") or []

    def once() -> bool:
        key = collections.booking(booking_id)
        posted = [collections.transaction(f"reversal_{one['id']}") for one in reversals]
        docs = context.read(key, *posted)
        if docs[key].data is None:
            return False
        booking, writes = documents.load(docs[key]), list[Write]()
        for one in reversals:
            fresh = post(docs, reversed_posting(booking, one["id"], one["amount"]), context.now)
            if fresh:
                booking = with_reversal(booking, transfer["id"], one["amount"])
                writes += fresh
        if writes:
            context.commit([*documents.change(docs[key], booking), *writes])
        return True

    return context.until_settled(once)
