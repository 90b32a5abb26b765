"""Providers: running totals, debts, payouts. Pure.

Source: invariants I15, I16, I21.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from common.bookings import documents
from common.ledger import accounts
from common.reconciliation.evidence import Evidence, Mismatch

_NAMES = ("held", "available", "claimed", "paid", "parked", "count")


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Running totals against a recount, debts against the ledger, payouts against their lines."""
    yield from _totals(evidence)
    yield from _debts(evidence)
    yield from _payouts(evidence)


def _totals(evidence: Evidence) -> Iterator[Mismatch]:
    recount: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for booking in evidence.bookings():
        for name, amount in documents.totals_of(booking).items():
            recount[f"{booking.provider_id}_{booking.money.currency}"][name] += amount
    stored = dict(evidence.documents("earnings"))
    for id_ in sorted({*recount, *stored}):
        for name in _NAMES:
            counted, said = recount[id_][name], stored.get(id_, {}).get(name, 0)
            if counted != said:
                yield Mismatch(
                    f"earnings.{name}", "I16", f"it says {said}, the bookings {counted}", (id_,)
                )


def _debts(evidence: Evidence) -> Iterator[Mismatch]:
    ledger = evidence.balances()
    for id_, doc in evidence.documents("earnings"):
        booked = ledger[doc["currency"]][accounts.debt(doc["providerId"])]
        if booked != doc.get("debt", 0):
            yield Mismatch(
                "earnings.debt", "I16", f"it says {doc.get('debt', 0)}, the ledger {booked}", (id_,)
            )


def _payouts(evidence: Evidence) -> Iterator[Mismatch]:
    for id_, doc in evidence.documents("payouts"):
        lines = sum(line["amount"] for line in doc["lines"]) + doc.get("beyond", 0)
        if doc["lines"] and lines != doc["amount"] and doc["status"] != "FAILED":
            yield Mismatch(
                "payout.lines", "I21", f"its lines come to {lines}, it says {doc['amount']}", (id_,)
            )
        ids = [line["bookingId"] for line in doc["lines"]]
        if len(set(ids)) != len(ids):
            yield Mismatch("payout.line_twice", "I21", "a booking stands in it twice", (id_,))
