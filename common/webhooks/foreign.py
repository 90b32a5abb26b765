"""What moved our Stripe balance without concerning a booking: the ledger follows all the same.

A top-up by test card, a charge, refund or transfer made in Stripe's dashboard: nobody's booking,
but our balance, which the ledger must equal to the cent.
"""

from __future__ import annotations

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
    moved = context.services.stripe.balance_transaction(transaction_id)
    return _post(_adjustment(moved, str(thing["id"])), context)


def dispute(thing: Json, context: Context) -> bool:
    """Post what a dispute of a charge that is no booking's has moved so far."""
    moved = thing.get("balance_transactions") or []
    for one in moved:
        _post(_adjustment(one, str(thing["id"])), context)
    return bool(moved)


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
    index = collections.account(str(id_of(thing["destination"])))
    found = context.read(index)[index].data
    to = accounts.connected(str(found["providerId"])) if found else accounts.ADJUSTMENTS
    amount = int(thing["amount"])
    posting = Posting(
        "transfer",
        thing["id"],
        str(thing["currency"]).upper(),
        entries((accounts.STRIPE, -amount), (to, amount)),
        {"providerId": str(found["providerId"])} if found else {},
    )
    return _post(posting, context)


def _post(posting: Posting, context: Context) -> bool:
    def once() -> bool:
        docs = context.read(collections.transaction(posting.id))
        context.commit(post(docs, posting, context.now))
        return True

    return context.until_settled(once)
