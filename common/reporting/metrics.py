"""The key metrics from sums of figures: rates as fractions of counts, amounts per currency. Pure.

Source: guide (key metrics), contract, section 3 (GET_METRICS); docs/reporting.md defines each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from common.ledger import figures
from common.money import half_up, to_major
from common.reporting.windows import group_of

#: Decimals of a rate.
_PLACES = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """Figures of one UTC day (or the part of it that is asked for), currency and category.

    Attributes:
        category: Empty where the figures are no booking's: payouts.
        amounts: Name of a figure -> count, or minor units.
    """

    day: str
    currency: str
    category: str
    amounts: Mapping[str, int]

    def with_amounts(self, amounts: Mapping[str, int]) -> Cell:
        """The same cell with other figures."""
        return replace(self, amounts=amounts)


def cells_of(doc: Mapping[str, Any]) -> list[Cell]:
    """The cells in a document of daily totals."""
    return [
        Cell(doc["day"], doc["currency"], key.removeprefix("c:"), amounts)
        for key, amounts in doc["by"].items()
    ]


def by_currency(cells: Iterable[Cell]) -> dict[str, dict[str, Any]]:
    """Each currency's metrics; nothing is ever added across currencies."""
    found: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        found[cell.currency].append(cell)
    return {code: _metrics(code, found[code]) for code in sorted(found)}


def grouped(cells: Iterable[Cell], by: str) -> list[dict[str, Any]]:
    """The same for each day, week, month or category that has any, in order.

    Payouts carry bookings of several categories, so no category has any.
    """
    found: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        if by != "category":
            found[group_of(cell.day, by)].append(cell)
        elif cell.category:
            found[cell.category].append(cell)
    return [{"group": group, "byCurrency": by_currency(found[group])} for group in sorted(found)]


def rate(part: int, whole: int) -> Decimal | None:
    """A fraction of counts, to six places, half up; None of nothing."""
    return Decimal(half_up(part * 10**_PLACES, whole)).scaleb(-_PLACES) if whole else None


def _metrics(code: str, cells: list[Cell]) -> dict[str, Any]:
    sums = _sums(cells)
    tried = sums["payments"] + sums[figures.FAILED]
    average = half_up(sums["gross"], sums["payments"]) if sums["payments"] else None
    return {
        "paymentSuccessRate": rate(sums["payments"], tried),
        "averageTransactionValue": None if average is None else to_major(average, code),
        "commissionRevenue": to_major(sums["commission"], code),
        "refundRateByCategory": _refund_rates(cells),
        "payoutCount": sums["payouts"],
        "payoutTotal": to_major(sums["paidOut"], code),
        "paymentCount": sums["payments"],
        "failedPaymentCount": sums[figures.FAILED],
        "paymentTotal": to_major(sums["gross"], code),
        "refundCount": sums["refunds"],
        "refundTotal": to_major(sums["refunded"], code),
    }


def _refund_rates(cells: list[Cell]) -> dict[str, Decimal | None]:
    categories = sorted({cell.category for cell in cells if cell.category})
    rates = {}
    for category in categories:
        sums = _sums([cell for cell in cells if cell.category == category])
        if sums["payments"] or sums["refunds"]:
            rates[category] = rate(sums["refunds"], sums["payments"])
    return rates


def _sums(cells: Iterable[Cell]) -> dict[str, int]:
    sums = dict.fromkeys((*figures.NAMES, figures.FAILED), 0)
    for cell in cells:
        for name, amount in cell.amounts.items():
            sums[name] += amount
    return sums
