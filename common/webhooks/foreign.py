"""What moved our Stripe balance without concerning a booking: the ledger follows all the same.

A top-up by test card, a charge, refund or transfer made in Stripe's dashboard: nobody's booking,
but our balance, which the ledger must equal to the cent.
"""

from __future__ import annotations

from collections.abc import Sequence

from common.context import Context
from common.ledger import accounts
from common.ledger.posting import Posting, entries, post
from common.store import collections
from common.stripe_gateway.calls import Json
from common.webhooks.finding import id_of


def movement(thing: Json, context: Context) -> bool:
    """Post an object's balance transaction, once there is one, against the adjustments."""
    transaction_id = id_of(thing.get("balance_transaction"))
    if transaction_id is None:
        return False
    back = id_of(thing.get("failure_balance_transaction"))  # of a refund that failed
    moved = [
        context.services.stripe.balance_transaction(id_)
        for id_ in (transaction_id, back)
        if id_ is not None
    ]
    return _post([_adjustment(one, str(thing["id"])) for one in moved], context)


def dispute(thing: Json, context: Context) -> bool:
    """Post what a dispute of a charge that is no booking's has moved so far."""
    moved = thing.get("balance_transactions") or []
    return _post([_adjustment(one, str(thing["id"])) for one in moved], context)


def _adjustment(moved: Json, about: str) -> Posting:
    return Posting(
        "adjustment",
        moved["id"],
        str(moved["currency"]).upper(),
        entries(
            (accounts.STRIPE, moved["net"]),
            (accounts.STRIPE_FEES, moved["fee"]),
            (accounts.ADJUSTMENTS, -moved["amount"]),
        ),
        {"about": about},
    )


def transfer(thing: Json, context: Context) -> bool:
    """Post a transfer that pays for no booking: to a provider of ours, or to nobody we know."""
    amount = -int(thing["amount"])
    return _post([_to_destination("transfer", thing["id"], amount, thing, context)], context)


def reversals(thing: Json, context: Context) -> bool:
    """Post what came back of such a transfer."""
    made = (thing.get("reversals") or {}).get("data") or []
    postings = [
        _to_destination("reversal", one["id"], int(one["amount"]), thing, context) for one in made
    ]
    return _post(postings, context)


def _to_destination(
    kind: str, source: str, amount: int, transfer: Json, context: Context
) -> Posting:
    """A movement between our balance and a transfer's destination; what it does to ours."""
    index = collections.account(str(id_of(transfer["destination"])))
    found = context.read(index)[index].data
    other = accounts.connected(str(found["providerId"])) if found else accounts.ADJUSTMENTS
    return Posting(
        kind,
        source,
        str(transfer["currency"]).upper(),
        entries((accounts.STRIPE, amount), (other, -amount)),
        {"providerId": str(found["providerId"])} if found else {},
    )


def _post(postings: Sequence[Posting], context: Context) -> bool:
    """All of them in one commit; whether there are any."""

    def once() -> bool:
        docs = context.read(*(collections.transaction(one.id) for one in postings))
        context.commit([write for one in postings for write in post(docs, one, context.now)])
        return bool(postings)

    return context.until_settled(once)
