"""What reports are made of, recounted: transactions' figures and the totals of them. Pure.

Source: contract, section 3 (GET_METRICS, GET_TAX_SUMMARY); docs/reporting.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from common.ledger import figures
from common.reconciliation.evidence import Evidence, Mismatch
from common.store import collections

#: Document id -> (category, name of a figure) -> count or minor units, where it is not zero.
_Totals = Mapping[str, Mapping[tuple[str, str], int]]


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Figures against entries, the totals of days and years against the recount of everything."""
    for id_, doc in evidence.documents("transactions"):
        counted, said = _figures(doc), doc.get("figures", {})
        if counted != said:
            problem = f"its figures are {said}, its entries make them {counted}"
            yield Mismatch("ledger.figures", "I3", problem, (id_,))
    days = {id_: _daily(doc) for id_, doc in evidence.documents("dailyTotals")}
    for id_, problem in _differences(days, _recounted_days(evidence)):
        yield Mismatch("totals.day", "I16", problem, (id_,))
    years = {id_: _yearly(doc) for id_, doc in evidence.documents("yearlyTotals")}
    for id_, problem in _differences(years, _recounted_years(evidence)):
        yield Mismatch("totals.year", "I16", problem, (id_,))


def _figures(doc: Mapping[str, Any]) -> dict[str, int]:
    entries = [(str(entry["account"]), entry["amount"]) for entry in doc["entries"]]
    whole = all(type(amount) is int for _, amount in entries)  # else a mismatch of its own
    return figures.of(str(doc["kind"]), entries) if whole else dict(doc.get("figures", {}))


def _daily(doc: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    return {(key, name): amount for key, sums in doc["by"].items() for name, amount in sums.items()}


def _yearly(doc: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    return {("", name): doc[name] for name in figures.NAMES if name in doc}


def _recounted_days(evidence: Evidence) -> _Totals:
    sums: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for id_, doc in evidence.documents("transactions"):
        for name, amount in _figures(doc).items():
            sums[_day(id_, doc)][_cell(doc, name)] += amount
    for id_, doc in evidence.documents("failedPayments"):
        sums[_day(id_, doc)][_cell(doc, figures.FAILED)] += 1
    return sums


def _day(id_: str, doc: Mapping[str, Any]) -> str:
    day = figures.day_of(doc["createdAt"])
    return collections.daily_totals(day, str(doc["currency"]), figures.shard_of(id_)).id


def _cell(doc: Mapping[str, Any], name: str) -> tuple[str, str]:
    return figures.category_key(str(doc.get("category", ""))), name


def _recounted_years(evidence: Evidence) -> _Totals:
    sums: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for _, doc in evidence.documents("transactions"):
        if "providerId" not in doc:
            continue
        year = doc["createdAt"].astimezone(UTC).year
        key = collections.yearly_totals(str(doc["providerId"]), year, str(doc["currency"]))
        for name, amount in _figures(doc).items():
            sums[key.id][("", name)] += amount
    return sums


def _differences(stored: _Totals, recount: _Totals) -> Iterator[tuple[str, str]]:
    for id_ in sorted({*stored, *recount}):
        said, counted = stored.get(id_, {}), recount.get(id_, {})
        for cell in sorted({*said, *counted}):
            if said.get(cell, 0) != counted.get(cell, 0):
                name = ".".join(part for part in cell if part)
                figures_ = f"{said.get(cell, 0)}, the ledger makes it {counted.get(cell, 0)}"
                yield id_, f"its {name} is {figures_}"
