"""What the books say of a booking or a provider, held against Stripe's own records.

The stack is shared, so nothing here looks at totals over everybody: each check takes the ledger
transactions of one booking or provider, and the objects at Stripe that belong to them.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from google.cloud.firestore_v1.base_query import FieldFilter

from tests.support.market import Booking, Market, Provider

STRIPE = "platform:stripe"
HELD = "bookings:held"
COMMISSION = "platform:commission"
STRIPE_FEES = "platform:stripe_fees"
DISPUTES = "disputes:open"
LOSSES = "platform:losses"

#: Everything that was checked: its id -> the test that did, for RECONCILE at the end.
_checked: dict[str, str] = {}


def owed(provider: Provider) -> str:
    """The account of what a provider earned and was not paid yet."""
    return f"provider:{provider.uid}"


def connected(provider: Provider) -> str:
    """The account of a provider's balance at Stripe."""
    return f"provider:{provider.uid}:stripe"


def debt(provider: Provider) -> str:
    """The account of what a provider owes the platform."""
    return f"provider:{provider.uid}:debt"


def rows_of(market: Market, field: str, value: str) -> list[dict[str, Any]]:
    """Ledger transactions with this field, oldest first, each with its ``id``."""
    found = market.db.collection("transactions").where(filter=FieldFilter(field, "==", value))
    rows = [{**(one.to_dict() or {}), "id": one.id} for one in found.stream()]
    return sorted(rows, key=lambda row: row["createdAt"])


def sums(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Minor units per ledger account, accounts of zero left out."""
    totals: dict[str, int] = defaultdict(int)
    for row in rows:
        for entry in row["entries"]:
            totals[entry["account"]] += entry["amount"]
    return {account: amount for account, amount in totals.items() if amount}


def booking_sums(market: Market, booking: Booking) -> dict[str, int]:
    """What the ledger's accounts come to for one booking, minor units."""
    return sums(rows_of(market, "bookingId", booking.id))


def provider_sums(market: Market, provider: Provider) -> dict[str, int]:
    """What the ledger's accounts come to over everything that concerns one provider."""
    return sums(rows_of(market, "providerId", provider.uid))


def books_balance(market: Market, *bookings: Booking) -> None:
    """Each booking's ledger is balanced and equals Stripe's balance transactions for it, and so
    does each provider's connected balance. RECONCILE is asked about all of them at the
    end of the run."""
    for booking in bookings:
        for id_ in balances(market, booking):
            _checked[id_] = _test()
    for provider in {booking.service.provider for booking in bookings}:
        _provider_balances(market, provider)


def _test() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]


def balances(market: Market, booking: Booking) -> list[str]:
    """The same for one booking, without a word to RECONCILE at the end; the ids looked at."""
    rows = rows_of(market, "bookingId", booking.id)
    for row in rows:
        assert len(row["entries"]) >= 2, row
        assert sum(entry["amount"] for entry in row["entries"]) == 0, row
        assert row["id"] == f"{row['kind']}_{row['stripeId']}", row
    at_stripe = _net_at_stripe(market, booking)
    for code in {*at_stripe, *(row["currency"] for row in rows)}:
        totals = sums(row for row in rows if row["currency"] == code)
        assert totals.get(HELD, 0) <= 0, f"more than was held went out: {totals}"
        assert totals.get(STRIPE, 0) == at_stripe.get(code, 0), (booking.id, code, totals)
    return [booking.id, *(row["id"] for row in rows)]


def _net_at_stripe(market: Market, booking: Booking) -> dict[str, int]:
    """What Stripe's balance transactions for a booking's objects come to: minor units by
    currency."""
    v1 = market.stripe.v1
    intent = booking.payment_intent
    charges = v1.charges.list({"payment_intent": intent}).data
    refunds = v1.refunds.list({"payment_intent": intent}).data
    disputes = v1.disputes.list({"payment_intent": intent}).data
    transfers = v1.transfers.list({"transfer_group": booking.id}).data
    reversals = [one for tr in transfers for one in v1.transfers.reversals.list(tr.id).data]
    objects = [*charges, *refunds, *disputes, *transfers, *reversals]
    moved = [v1.balance_transactions.list({"source": thing.id}).data for thing in objects]
    nets: dict[str, int] = defaultdict(int)
    for one in (one for page in moved for one in page):
        nets[str(one.currency).upper()] += one.net
    return nets


def _provider_balances(market: Market, provider: Provider) -> None:
    assert provider.account_id is not None
    balance = market.stripe.v1.balance.retrieve({}, {"stripe_account": provider.account_id})
    has = sum(one.amount for one in [*balance.available, *balance.pending])
    assert provider_sums(market, provider).get(connected(provider), 0) == has
    _checked[provider.uid] = _test()


def reconcile(market: Market) -> dict[str, Any]:
    """RECONCILE, asked by an operator."""
    return market.api.as_operator().post("reporting", "RECONCILE").ok()


def about(told: Mapping[str, Any], *ids: str) -> list[dict[str, Any]]:
    """The mismatches of a RECONCILE that name one of these ids."""
    named = [(one, json.dumps(one, default=str)) for one in told["mismatches"]]
    return [one for one, text in named if any(id_ in text for id_ in ids)]


def reconciled(market: Market) -> None:
    """RECONCILE finds nothing amiss with anything that was checked."""
    if not _checked:
        return
    told = reconcile(market)
    ours = about(told, *_checked)
    text = json.dumps(ours, default=str)
    tests = {test for id_, test in _checked.items() if id_ in text}
    assert ours == [], f"left behind by {sorted(tests)}: {text[:4000]}"
    assert [code for code, one in told["byCurrency"].items() if one["entriesSum"]] == []
