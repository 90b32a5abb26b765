"""Collects the evidence: documents page by page, Stripe's objects by its lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from common.bootstrap import Services
from common.reconciliation.evidence import Evidence, Objects, Stripe
from common.store.store import Document, Store
from common.stripe_gateway.gateway import Gateway, Refused

T = TypeVar("T")
COLLECTIONS = (
    "accounts",
    "audit",
    "bookings",
    "calendars",
    "dailyTotals",
    "disputes",
    "earnings",
    "failedPayments",
    "operations",
    "payouts",
    "refunds",
    "services",
    "subscriptions",
    "transactions",
    "webhook_events",
    "yearlyTotals",
)
_PAGE = 1_000
#: What is asked for at once; far below Stripe's limit for a key.
AT_ONCE = 8
#: Stripe's code for an account that has left the platform: nothing of it can be seen any more.
_LEFT = "account_invalid"
_PLATFORM = "platform"
#: Lists of the platform's own objects.
_LISTS = (
    "payment_intents",
    "charges",
    "refunds",
    "transfers",
    "disputes",
    "accounts",
    "invoices",
    "invoice_payments",
)
Account = tuple[dict[str, int], Objects, Objects]


def gather(services: Services) -> Evidence:
    """Both sides as they are now, everything asked for side by side.

    Raises:
        Unavailable: Firestore or Stripe did not answer.
    """
    stripe, store = services.stripe, services.store
    account_ids = sorted(_collection(store, "accounts"))
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def asked(work: Callable[..., T], *about: Any) -> Future[T]:
            # A context of its own for each: the request's counters and its deadline go with it.
            return pool.submit(copy_context().run, work, *about)

        lists = {name: asked(lambda name=name: _by_id(stripe.all(name))) for name in _LISTS}
        subscriptions = asked(lambda: _by_id(stripe.all("subscriptions", status="all")))
        moved = asked(lambda: _by_id(stripe.all("balance_transactions")))
        balance = asked(lambda: _sums(stripe.balance()))
        paid_to = {str(one["destination"]) for one in lists["transfers"].result().values()}
        connected = {id_: asked(_account, stripe, id_, id_ in paid_to) for id_ in account_ids}
        documents = {name: asked(_collection, store, name) for name in COLLECTIONS}
        seen = {id_: one.result() for id_, one in connected.items()}
    there = {id_: one for id_, one in seen.items() if one is not None}
    side = Stripe(
        **{name: one.result() for name, one in lists.items()},
        subscriptions=subscriptions.result(),
        payouts={k: one for _, _, payouts in there.values() for k, one in payouts.items()},
        movements={_PLATFORM: moved.result(), **{id_: one[1] for id_, one in there.items()}},
        balances={_PLATFORM: balance.result(), **{id_: one[0] for id_, one in there.items()}},
    )
    firestore = {name: one.result() for name, one in documents.items()}
    return Evidence(firestore, side, services.clock.now())


def _account(stripe: Gateway, account_id: str, paid: bool) -> Account | None:
    """A connected account's balance, movements and payouts; None where it has left us.

    One that was never sent anything, has nothing and pays nothing out, has moved nothing.
    """
    try:
        balance = _sums(stripe.balance(account_id))
    except Refused as refused:
        if refused.code != _LEFT:
            raise
        return None
    payouts = _by_id({**one, "account": account_id} for one in stripe.all("payouts", account_id))
    if not paid and not payouts and not any(balance.values()):
        return balance, {}, payouts
    return balance, _by_id(stripe.all("balance_transactions", account_id)), payouts


def _collection(store: Store, name: str) -> dict[str, Document]:
    found: dict[str, Document] = {}
    after: list[Any] | None = None
    while True:
        page = store.query(name, [], order=(("__name__", "ASCENDING"),), limit=_PAGE, after=after)
        found.update((snapshot.key.id, snapshot.require()) for snapshot in page)
        if len(page) < _PAGE:
            return found
        after = [page[-1].key.id]


def _by_id(objects: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(one["id"]): one for one in objects}


def _sums(balance: Mapping[str, Any]) -> dict[str, int]:
    """Pending and available together, by currency, minor units."""
    sums: dict[str, int] = defaultdict(int)
    for part in ("available", "pending"):
        for one in balance[part]:
            sums[str(one["currency"]).upper()] += one["amount"]
    return dict(sums)
