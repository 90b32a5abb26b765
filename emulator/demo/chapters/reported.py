"""What the marketplace has come to, as an operator and a bookkeeper ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """GET_METRICS of the whole story, held against the ledger; a file of it; the tax year."""
    ledger = [one.to_dict() or {} for one in market.firestore.collection("transactions").stream()]
    first, last = (pick(one["createdAt"] for one in ledger) for pick in (min, max))
    times = {"from": first.isoformat(), "to": (last + timedelta(seconds=1)).isoformat()}
    told = market.operator.post("reporting", "GET_METRICS", **times)
    metrics: Mapping[str, Any] = told["byCurrency"]["USD"]
    rows = [[name, _shown(figure)] for name, figure in metrics.items()]
    rows.append(["onboardingCompletionRate", _shown(told["onboardingCompletionRate"])])
    screen.table(["GET_METRICS, USD", "figure"], rows)
    dollars = [one for one in ledger if one["currency"] == "USD"]
    kept = -sum(
        entry["amount"]
        for one in dollars
        for entry in one["entries"]
        if entry["account"] == "platform:commission"
    )
    charges = sum(one["kind"] == "charge" for one in dollars)
    revenue = metrics["commissionRevenue"]
    screen.expect("commission is the ledger's", revenue, Decimal(kept).scaleb(-2))
    screen.expect("payments are the ledger's", metrics["paymentCount"], charges)
    file = market.operator.post("reporting", "EXPORT_TRANSACTIONS", **times, format="csv")
    screen.expect("lines of CSV, the header's among them", len(file["rows"]), len(ledger) + 1)
    for year in range(first.year, last.year + 1):
        _tax_year(market, screen, year)


def _tax_year(market: Marketplace, screen: Screen, year: int) -> None:
    told = market.operator.post("reporting", "GET_TAX_SUMMARY", year=year)
    rows = [
        [one["providerId"], str(year), code, *(_shown(figure) for figure in figures.values())]
        for one in told["providers"]
        for code, figures in one["byCurrency"].items()
    ]
    if rows:
        screen.line("")
        heads = ["GET_TAX_SUMMARY", "year", "currency", "gross", "refunds", "fees", "net"]
        screen.table([*heads, "transactions"], rows)


def _shown(figure: Any) -> str:
    if isinstance(figure, Mapping):
        return ", ".join(f"{name} {_shown(part)}" for name, part in figure.items())
    return f"{figure:,}" if isinstance(figure, (int, Decimal)) else "none"
