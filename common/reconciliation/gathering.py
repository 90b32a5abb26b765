"""Collects the evidence: documents page by page, Stripe's objects by its lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from common.bootstrap import Services
from common.reconciliation.evidence import Evidence, Stripe
from common.store.store import Document, Store
from common.stripe_gateway.gateway import Refused

COLLECTIONS = (
    "accounts",
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
_PAGE = 500
#: Stripe's code for an account that has left the platform: nothing of it can be seen any more.
_LEFT = "account_invalid"


def gather(services: Services) -> Evidence:
    """Both sides as they are now.

    Raises:
        Unavailable: Firestore or Stripe did not answer.
    """
    firestore = {name: _collection(services.store, name) for name in COLLECTIONS}
    stripe = services.stripe
    account_ids = sorted(firestore["accounts"])
    payouts: list[dict[str, Any]] = []
    balances = {"platform": _sums(stripe.balance())}
    for account_id in account_ids:
        try:
            balances[account_id] = _sums(stripe.balance(account_id))
        except Refused as refused:
            if refused.code != _LEFT:
                raise
            continue
        payouts += ({**one, "account": account_id} for one in stripe.all("payouts", account_id))
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
        balances=balances,
    )
    return Evidence(firestore, side, services.clock.now())


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
