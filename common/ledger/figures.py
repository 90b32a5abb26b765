"""What a ledger transaction adds to the figures of reports, and the totals that keep their sums.

The figures follow from kind and entries alone. They stand on the transaction itself, and the same
commit adds them to the totals of its day and of its provider's year: what reports say is the
ledger's own sum, since neither can be written without the other
(docs/decisions/0008-reports-from-daily-totals.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from common.ledger import accounts
from common.ledger.kinds import kind_of
from common.store import collections
from common.store.store import Add

#: Counts: payments, refunds, payouts. Amounts in minor units: gross (what customers paid), refunded
#: (what went back to them, lost disputes included), commission (what the platform earned), paidOut
#: (what left the providers' connected balances).
NAMES = ("payments", "gross", "refunds", "refunded", "commission", "payouts", "paidOut")
#: Attempts to pay that failed: no money, so no ledger transaction; in the daily totals only.
FAILED = "failed"
#: Documents that share a day's traffic in one currency, so that none of them is hot.
SHARDS = 8
Figures = Mapping[str, int]


def of(kind: str, entries: Sequence[tuple[str, int]]) -> dict[str, int]:
    """A transaction's figures; empty where it has none.

    Args:
        entries: (account, signed minor units).
    """
    what = kind_of(kind)
    owed = sum(amount for account, amount in entries if _is_owed(account))
    kept = -sum(amount for account, amount in entries if account == accounts.COMMISSION)
    held = sum(amount for account, amount in entries if account == accounts.HELD)
    customers = kept - held - owed  # what came from customers, or went back to them (negative)
    figures = {
        "payments": what.payment,
        "gross": customers if what.payment else 0,
        "refunds": what.refund,
        "refunded": -customers if what.gives_back else 0,
        "commission": kept,
        "payouts": what.payout,
        "paidOut": owed if what.payout else 0,
    }
    return figures if any(figures.values()) else {}


def _is_owed(account: str) -> bool:
    """Whether an account is what some provider has earned and was not paid."""
    return account.startswith("provider:") and account.count(":") == 1


def day_of(instant: datetime) -> str:
    """The UTC day of an instant, ``YYYY-MM-DD``."""
    return instant.astimezone(UTC).date().isoformat()


def category_key(category: str) -> str:
    """A category as a map's key: Firestore reserves some names, and none may be empty."""
    return f"c:{category}"


def shard_of(source: str) -> int:
    """Which of a day's documents what has this id is added to."""
    return crc32(source.encode()) % SHARDS


def on_day(source: str, currency: str, category: str, figures: Figures, now: datetime) -> list[Add]:
    """The write that adds figures to their day's totals.

    Args:
        source: The id of what adds them, which spreads them over the day's documents.
    """
    way = ("by", category_key(category))
    deltas: dict[tuple[str, ...], int] = {
        (*way, name): amount for name, amount in figures.items() if amount
    }
    if not deltas:
        return []
    day, shard = day_of(now), shard_of(source)
    fixed = {"day": day, "currency": currency, "shard": shard}
    return [Add(collections.daily_totals(day, currency, shard), fixed, deltas)]


def on_year(provider_id: str | None, currency: str, figures: Figures, now: datetime) -> list[Add]:
    """The write that adds figures to their provider's totals of the UTC year."""
    deltas = {name: amount for name, amount in figures.items() if amount}
    if not deltas or provider_id is None:
        return []
    year = now.astimezone(UTC).year
    fixed: dict[str, Any] = {"providerId": provider_id, "year": year, "currency": currency}
    return [Add(collections.yearly_totals(provider_id, year, currency), fixed, deltas)]
