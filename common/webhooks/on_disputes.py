"""charge.dispute.*: freeze, thaw or settle the booking by what Stripe says of the dispute now."""

from __future__ import annotations

from common import logs
from common.bookings import claims, documents
from common.context import Context
from common.disputes import card_dispute
from common.ledger import exchange
from common.ledger.posting import post
from common.operations import runner
from common.operations.model import Operation
from common.refunds.clawback_operation import clawback_operation, set_aside
from common.store import collections
from common.store.collections import Key
from common.store.store import Replace, Snapshot, Write
from common.stripe_gateway.calls import Json
from common.webhooks import foreign
from common.webhooks.finding import booking_id as booking_of
from common.webhooks.paid_first import ensure_paid

Begun = tuple[Operation, dict[Key, Snapshot]]


def changed(stale: Json, event: Json, context: Context) -> bool:
    """Read the dispute anew, since events come in any order, and let it have its effect."""
    dispute_id = str(stale["id"])
    booking_id = booking_of(stale, context)
    if booking_id is None:
        return foreign.dispute(context.services.stripe.dispute(dispute_id), context)
    context.notes.update(bookingId=booking_id, disputeId=dispute_id)
    ensure_paid(booking_id, context)
    found, begun = context.until_settled(lambda: _once(dispute_id, booking_id, context))
    if begun is not None:
        runner.run(context, *begun)
    return found


def _once(dispute_id: str, booking_id: str, context: Context) -> tuple[bool, Begun | None]:
    """Our record first, then Stripe's word: what another event's handler has written meanwhile is
    newer, and then this word is asked for again."""
    key, record = collections.booking(booking_id), collections.dispute(dispute_id)
    docs = context.read(key, record)
    if docs[key].data is None:
        return False, None
    dispute = context.services.stripe.dispute(dispute_id)
    docs.update(context.read(*_postings(dispute)))
    booking = documents.load(docs[key])
    settled = card_dispute.is_settled(docs[record].data or {}, dispute)
    result = card_dispute.apply(
        booking, dispute, settled=settled, now=context.now, why=context.action
    )
    after = result.booking
    operation = clawback_operation(
        after,
        f"clawback-{dispute['id']}",
        action=context.action,
        request_id=context.request_id,
        now=context.now,
    )
    if settled or not card_dispute.is_over(dispute):
        operation = None
    after = set_aside(after, operation)
    writes: list[Write] = [
        *(documents.change(docs[key], after) if after != booking else []),
        Replace(
            docs[record],
            card_dispute.document(booking, dispute, context.now, docs[record].data),
        ),
        *(write for posting in result.postings for write in post(docs, posting, context.now)),
        *(claims.release(after) if booking.keeps_place and not after.keeps_place else []),
        *([operation.create()] if operation else []),
    ]
    now = context.commit(writes)
    if card_dispute.is_turned(docs[record].data or {}, dispute):
        logs.logger().error(
            "dispute.won_on_appeal", disputeId=dispute_id, bookingId=booking_id,
            amount=dispute["amount"], currency=booking.money.currency,
        )  # fmt: skip
    return True, (operation, {**docs, **now}) if operation else None


def _postings(dispute: Json) -> list[Key]:
    """The ledger transactions that the dispute's movements may have."""
    moved = dispute.get("balance_transactions") or []
    posted = [collections.transaction(f"dispute_{one['id']}") for one in moved]
    return [*posted, *(key for one in moved for key in exchange.keys(str(one["id"])))]
