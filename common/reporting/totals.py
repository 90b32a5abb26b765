"""Reads what reports are made of: kept totals of whole days, the ledger's own sums of partial ones.

Nothing here reads a ledger transaction. How many documents are read grows with the days, currencies
and shards in question; how many queries are made with the categories of the two partial days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from common.ledger import figures
from common.reporting.metrics import Cell, cells_of
from common.reporting.windows import Window
from common.store.store import Filter, Store

_PAGE = 1000
#: What a booking's transactions, and those of payouts, are summed up by: Firestore sums five fields
#: a query at most, and each list ends a composite index.
OF_BOOKINGS = ("payments", "gross", "refunds", "refunded", "commission")
OF_PAYOUTS = ("payouts", "paidOut")


def cells(store: Store, window: Window) -> list[Cell]:
    """What the window adds up to, by day, currency and category."""
    found = list(_kept(store, window))
    whole = [cell for cell in found if window.holds_whole(cell.day)]
    for day, part in window.partial():
        kept: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for cell in found:
            if cell.day == day:
                for name, amount in cell.amounts.items():
                    kept[(cell.currency, cell.category)][name] += amount
        for (currency, category), amounts in sorted(kept.items()):
            empty = Cell(day, currency, category, amounts)
            whole.append(empty.with_amounts(_summed(store, part, empty)))
    return whole


def _kept(store: Store, window: Window) -> Iterator[Cell]:
    """The kept totals of every day that the window touches."""
    where: list[Filter] = [("day", ">=", window.first_day), ("day", "<=", window.last_day)]
    order = (("day", "ASCENDING"), ("__name__", "ASCENDING"))
    after: list[Any] | None = None
    while True:
        page = store.query("dailyTotals", where, order=order, limit=_PAGE, after=after)
        for snapshot in page:
            yield from cells_of(snapshot.require())
        if len(page) < _PAGE:
            return
        after = [page[-1].require()["day"], page[-1].key.id]


def _summed(store: Store, part: Window, cell: Cell) -> dict[str, int]:
    """A part of a day by itself, summed up by Firestore; ``cell`` says what the whole day has."""
    where: list[Filter] = [
        ("currency", "==", cell.currency),
        ("category", "==", cell.category),
        ("createdAt", ">=", part.start),
        ("createdAt", "<", part.end),
    ]
    sums: dict[str, int] = {}
    for names in (OF_BOOKINGS, OF_PAYOUTS):
        if not cell.amounts.keys().isdisjoint(names):
            fields = [f"figures.{name}" for name in names]
            told = store.sums("transactions", where, fields)
            sums.update((name, told[f"figures.{name}"]) for name in names)
    if cell.amounts.get(figures.FAILED):
        sums[figures.FAILED] = store.count("failedPayments", where)
    return sums
