"""I16: what is kept for reports of each day and each provider's year is the ledger's recount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.evidence import Evidence

NAMES = ("payments", "gross", "refunds", "refunded", "commission", "payouts", "paidOut", "failed")
_REFUNDS = {"refund": 1, "refund_failed": -1}
_PAYOUTS = {"payout": 1, "payout_returned": -1}
Sums = dict[tuple[Any, ...], dict[str, int]]


def totals(seen: Evidence) -> Iterator[str]:
    """Days by currency and category, years by provider and currency."""
    days, years = _recount(seen)
    kept_days: Sums = defaultdict(lambda: defaultdict(int))
    for doc in seen.all("dailyTotals").values():
        for key, sums in doc["by"].items():
            for name, amount in sums.items():
                kept_days[(doc["day"], doc["currency"], key)][name] += amount
    kept_years: Sums = defaultdict(dict)
    for doc in seen.all("yearlyTotals").values():
        kept_years[(doc["providerId"], doc["year"], doc["currency"])] = doc
    yield from _differences("day", kept_days, days)
    yield from _differences("year", kept_years, years)


def _recount(seen: Evidence) -> tuple[Sums, Sums]:
    days: Sums = defaultdict(lambda: defaultdict(int))
    years: Sums = defaultdict(lambda: defaultdict(int))
    for doc in seen.all("transactions").values():
        booking = seen.all("bookings").get(doc.get("bookingId", ""), {})
        day = doc["createdAt"].strftime("%Y-%m-%d")
        where = (day, doc["currency"], f"c:{booking.get('category', '')}")
        whose = (doc.get("providerId"), doc["createdAt"].year, doc["currency"])
        for name, amount in _figures(doc).items():
            days[where][name] += amount
            if whose[0]:
                years[whose][name] += amount
    for doc in seen.all("failedPayments").values():
        day = doc["createdAt"].strftime("%Y-%m-%d")
        category = seen.all("bookings")[doc["bookingId"]]["category"]
        days[(day, doc["currency"], f"c:{category}")]["failed"] += 1
    return days, years


def _figures(doc: dict[str, Any]) -> dict[str, int]:
    kind, on = doc["kind"], defaultdict(int)
    for entry in doc["entries"]:
        account = entry["account"]
        on["connected" if account.endswith(":stripe") and account[:2] == "pr" else account] += (
            entry["amount"]
        )
    cash = on["platform:stripe"]
    back = -cash if kind in _REFUNDS else 0
    if kind == "dispute_lost":
        back = -on["disputes:open"] - on["platform:losses"]
    return {
        "payments": int(kind == "charge"),
        "gross": cash if kind == "charge" else 0,
        "refunds": _REFUNDS.get(kind, 0),
        "refunded": back,
        "commission": -on["platform:commission"],
        "payouts": _PAYOUTS.get(kind, 0),
        "paidOut": -on["connected"] if kind in _PAYOUTS else 0,
    }


def _differences(what: str, kept: Sums, counted: Sums) -> Iterator[str]:
    for where in sorted({*kept, *counted}, key=str):
        for name in NAMES:
            said, right = kept[where].get(name, 0), counted[where].get(name, 0)
            if said != right:
                yield f"I16 {what} {where}: {name} {said}, counted {right}"
