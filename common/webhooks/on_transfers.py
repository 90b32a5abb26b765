"""transfer.*: a booking's money on its way to the provider, and back."""

from __future__ import annotations

from common.bookings import documents
from common.bookings.postings import concerns
from common.context import Context
from common.ledger.posting import post
from common.operations import runner
from common.operations.model import Operation
from common.payouts import postings
from common.payouts.transfers import with_transfer
from common.refunds.clawback import reversed_posting, with_reversal
from common.refunds.clawback_operation import clawback_operation, set_aside
from common.store import collections
from common.store.store import Patch, Write, path
from common.stripe_gateway.calls import Json
from common.webhooks import foreign
from common.webhooks.finding import id_of, named


def created(transfer: Json, event: Json, context: Context) -> bool:
    """Record a transfer whose answer was lost, or which is heard of before its answer."""
    booking_id, payout_id = named(transfer, "bookingId"), named(transfer, "payoutId")
    if booking_id is None or payout_id is None:
        return foreign.transfer(transfer, context)
    context.notes.update(bookingId=booking_id, payoutId=payout_id)
    found, back = context.until_settled(lambda: _record(transfer, booking_id, payout_id, context))
    if back is not None:
        runner.run(context, back, {})
    return found


def _record(
    transfer: Json, booking_id: str, payout_id: str, context: Context
) -> tuple[bool, Operation | None]:
    """The transfer in the books; and what takes it back if nothing of it is due any more, because
    it came through after its payout had given it up."""
    key, payout = collections.booking(booking_id), collections.payout(payout_id)
    posted = collections.transaction(f"transfer_{transfer['id']}")
    docs = context.read(key, payout, posted)
    if docs[key].data is None or docs[payout].data is None:
        return False, None
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
        return True, None
    after = with_transfer(booking, transfer, str(id_of(transfer["destination"])))
    back = clawback_operation(
        after,
        f"clawback-{transfer['id']}",
        action=context.action,
        request_id=context.request_id,
        now=context.now,
    )
    known = {"bookingId": booking_id, "amount": transfer["amount"]}
    context.commit(
        [
            *documents.change(docs[key], set_aside(after, back)),
            Patch(payout, {path("transfers", transfer["id"]): known}),
            *fresh,
            *([back.create()] if back else []),
        ]
    )
    return True, back


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
    booking_id, payout_id = named(transfer, "bookingId"), named(transfer, "payoutId")
    if booking_id is None or payout_id is None:
        return foreign.reversals(transfer, context)
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
