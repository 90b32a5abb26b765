"""What must hold of each document, and of running totals against what they count. Pure.

Source: invariants I1, I3, I4, I14.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from common.bookings import documents
from common.bookings.model import Booking
from common.bookings.status import Status
from common.money import platform_fee
from common.store.store import Snapshot

Mismatch = dict[str, Any]
Totals = dict[tuple[str, str], dict[str, int]]
_NAMES = ("held", "available", "claimed", "paid", "count")


def transaction(transaction_id: str, doc: Mapping[str, Any]) -> list[Mismatch]:
    """A ledger transaction: two entries at least, whole numbers, zero in sum, its own id."""
    amounts = [entry["amount"] for entry in doc["entries"]]
    problems = []
    if not all(type(amount) is int for amount in amounts):
        problems.append("an amount is not a whole number")
    elif sum(amounts):
        problems.append("the entries do not sum to zero")
    if len(amounts) < 2:
        problems.append("fewer than two entries")
    if transaction_id != f"{doc['kind']}_{doc['stripeId']}":
        problems.append("the id is not that of its event")
    return [
        {"kind": "transaction", "transactionId": transaction_id, "problem": problem}
        for problem in problems
    ]


def booking(snapshot: Snapshot, held: int, totals: Totals) -> list[Mismatch]:
    """A booking: its amounts fit one another, and the ledger holds what it says.

    Args:
        held: What the ledger holds for it, minor units.
        totals: Adds what it contributes to its provider's running totals.
    """
    one = documents.load(snapshot)
    sums = totals[(one.provider_id, one.money.currency)]
    for name, amount in documents.totals_of(one).items():
        sums[name] += amount
    problems = list(_problems(one, held))
    return [{"kind": "booking", "bookingId": one.id, "problem": problem} for problem in problems]


def _problems(one: Booking, held: int) -> Iterable[str]:
    money = one.money
    if money.total != money.fee + money.provider:
        yield "fee and earnings do not make up the total"
    if money.fee != platform_fee(money.total, money.rate_bps, money.currency):
        yield "the fee is not the rate's"
    if not 0 <= money.refunded <= money.captured <= money.total:
        yield "more is refunded than was paid, or more paid than agreed"
    if held < 0:
        yield "the ledger holds less than nothing for it"
    if one.status in (Status.CONFIRMED, Status.COMPLETED) and not money.captured:
        yield "it stands without a payment"
    if money.claimed < 0 or money.paid < 0 or money.transferred < 0:
        yield "a part of its earnings is below nothing"
    steps = [step["version"] for step in one.history]
    if steps != sorted(set(steps)):
        yield "its history does not run forward"
    if one.history[-1]["status"] != str(one.status):
        yield "its status is not the last of its history"


def earnings(totals: Totals, stored: Iterable[Mapping[str, Any]]) -> list[Mismatch]:
    """Running totals against a recount over the bookings."""
    found = []
    known = {(doc["providerId"], doc["currency"]): doc for doc in stored}
    for who in sorted({*totals, *known}):
        for name in _NAMES:
            recount, said = totals.get(who, {}).get(name, 0), known.get(who, {}).get(name, 0)
            if recount != said:
                found.append(
                    {
                        "kind": "earnings",
                        "providerId": who[0],
                        "currency": who[1],
                        "total": name,
                        "stored": said,
                        "recounted": recount,
                    }
                )
    return found
