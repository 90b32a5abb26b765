"""Collects the evidence: documents page by page, Stripe's objects by its lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from common.bootstrap import Services
from common.reconciliation.evidence import Evidence, Objects, Stripe
from common.store.store import Document, Store
from common.stripe_gateway.gateway import Gateway, Refused

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
#: Accounts asked after at once; far below Stripe's limit for a key.
PARALLEL_ACCOUNTS = 8
#: Stripe's code for an account that has left the platform: nothing of it can be seen any more.
_LEFT = "account_invalid"


def gather(services: Services) -> Evidence:
    """Both sides as they are now; Stripe's first, whose calls need more of the request's time.

    Raises:
        Unavailable: Firestore or Stripe did not answer.
    """
    stripe = services.stripe
    account_ids = sorted(_collection(services.store, "accounts"))
    payouts: list[dict[str, Any]] = []
    balances = {"platform": _sums(stripe.balance())}
    movements: dict[str, Objects] = {"platform": _by_id(stripe.all("balance_transactions"))}
    with ThreadPoolExecutor(PARALLEL_ACCOUNTS) as pool:
        # A context of its own for each: the request's counters and its deadline go with it.
        asked = [
            pool.submit(copy_context().run, _account, stripe, account_id)
            for account_id in account_ids
        ]
        for account_id, one in zip(account_ids, (each.result() for each in asked), strict=True):
            if one is not None:
                balances[account_id], movements[account_id], listed = one
                payouts += listed
    side = Stripe(
        payment_intents=_by_id(stripe.all("payment_intents")),
        charges=_by_id(stripe.all("charges")),
        refunds=_by_id(stripe.all("refunds")),
        transfers=_by_id(stripe.all("transfers")),
        payouts=_by_id(payouts),
        disputes=_by_id(stripe.all("disputes")),
        accounts=_by_id(stripe.all("accounts")),
        subscriptions=_by_id(stripe.all("subscriptions", status="all")),
        invoices=_by_id(stripe.all("invoices")),
        invoice_payments=_by_id(stripe.all("invoice_payments")),
        movements=movements,
        balances=balances,
    )
    firestore = {name: _collection(services.store, name) for name in COLLECTIONS}
    return Evidence(firestore, side, services.clock.now())


def _account(
    stripe: Gateway, account_id: str
) -> tuple[dict[str, int], Objects, list[dict[str, Any]]] | None:
    """A connected account's balance, movements and payouts; None where it has left us."""
    try:
        balance = _sums(stripe.balance(account_id))
    except Refused as refused:
        if refused.code != _LEFT:
            raise
        return None
    movements = _by_id(stripe.all("balance_transactions", account_id))
    payouts = [{**one, "account": account_id} for one in stripe.all("payouts", account_id)]
    return balance, movements, payouts


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
