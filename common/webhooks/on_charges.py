"""charge.*: the charge's details, and what its balance transaction says (it may come later)."""

from __future__ import annotations

from typing import Any

from common.bookings import documents, payment
from common.bookings.payment_effects import fee_keys, told_later
from common.context import Context
from common.ledger.posting import post
from common.store import collections
from common.stripe_gateway.calls import Json
from common.webhooks import foreign
from common.webhooks.finding import booking_id as booking_of
from common.webhooks.finding import id_of


def recorded(charge: Json, event: Json, context: Context) -> bool:
    """Bring the charge's details to its booking, and the fee to the ledger."""
    if charge.get("status") != "succeeded":
        return False
    booking_id = booking_of(charge, context)
    if booking_id is None:
        return foreign.movement(charge, context)
    context.notes["bookingId"] = booking_id
    facts = payment.charge_facts({**charge, "balance_transaction": _transaction(charge, context)})
    return context.until_settled(lambda: _once(booking_id, facts, context))


def _transaction(charge: Json, context: Context) -> Json | None:
    """The charge's balance transaction, which an event only names."""
    named = charge.get("balance_transaction")
    if isinstance(named, dict):
        return named
    transaction = id_of(named)
    return None if transaction is None else context.services.stripe.balance_transaction(transaction)


def _once(booking_id: str, facts: dict[str, Any], context: Context) -> bool:
    key = collections.booking(booking_id)
    docs = context.read(key, *fee_keys(facts))
    if docs[key].data is None:
        return False
    booking = documents.load(docs[key])
    if booking.payment.get("chargeId") not in (None, facts["chargeId"]):
        return False
    after = payment.known(booking, facts)
    # Without news of it there is nothing to post: whoever heard of it first has done so.
    told = told_later(after) if "balanceTransactionId" in facts else ()
    posted = [write for one in told for write in post(docs, one, context.now)]
    if after == booking and not posted:
        return True
    context.commit([*documents.change(docs[key], after), *posted])
    return True
