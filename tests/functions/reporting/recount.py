"""Reports computed anew from every ledger transaction, sharing no code with the service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from google.cloud.firestore_v1.base_query import FieldFilter

from tests.support.market import Market

Row = Mapping[str, Any]
DECIMALS = {"USD": 2, "EUR": 2, "JPY": 0}


def rows_between(market: Market, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Every ledger transaction and failed payment of [start, end)."""
    found: list[dict[str, Any]] = []
    for name in ("transactions", "failedPayments"):
        query = market.db.collection(name).where(filter=FieldFilter("createdAt", ">=", start))
        query = query.where(filter=FieldFilter("createdAt", "<", end))
        found += ({"kind": name, **(one.to_dict() or {})} for one in query.stream())
    return found


def metrics(market: Market, rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """``byCurrency`` as GET_METRICS should answer it, rates as fractions."""
    by_code: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["kind"] == "failedPayments" or _counts(row):
            by_code[row["currency"]].append(row)
    return {code: _of_currency(market, code, found) for code, found in by_code.items()}


def _counts(row: Row) -> bool:
    kinds = ("charge", "refund", "refund_failed", "dispute_lost", "payout", "payout_returned")
    return row["kind"] in kinds or bool(_on([row], "platform:commission"))


def _of_currency(market: Market, code: str, rows: list[Row]) -> dict[str, Any]:
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    paid, failed = len(kinds["charge"]), len(kinds["failedPayments"])
    gross = _on(kinds["charge"], "platform:stripe")
    refunds = len(kinds["refund"]) - len(kinds["refund_failed"])
    back = -_on([*kinds["refund"], *kinds["refund_failed"]], "platform:stripe")
    back -= _on(kinds["dispute_lost"], "disputes:open")
    moved = [*kinds["payout"], *kinds["payout_returned"]]
    left = sum(
        -entry["amount"]
        for row in moved
        for entry in row["entries"]
        if entry["account"].endswith(":stripe")
    )
    categories = {id_: _category(market, id_) for id_ in {r.get("bookingId") for r in rows} if id_}
    return {
        "paymentSuccessRate": Fraction(paid, paid + failed) if paid + failed else None,
        "averageTransactionValue": _half_up(gross, paid, code) if paid else None,
        "commissionRevenue": major(-_on(rows, "platform:commission"), code),
        "refundRateByCategory": _refund_rates(kinds, categories),
        "payoutCount": len(kinds["payout"]) - len(kinds["payout_returned"]),
        "payoutTotal": major(left, code),
        "paymentCount": paid,
        "failedPaymentCount": failed,
        "paymentTotal": major(gross, code),
        "refundCount": refunds,
        "refundTotal": major(back, code),
    }


def _category(market: Market, booking_id: str) -> str:
    return str((market.db.document(f"bookings/{booking_id}").get().to_dict() or {})["category"])


def _refund_rates(
    kinds: Mapping[str, list[Row]], categories: Mapping[str, str]
) -> dict[str, Fraction | None]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for place, name, sign in ((0, "refund", 1), (0, "refund_failed", -1), (1, "charge", 1)):
        for row in kinds[name]:
            counts[categories[row["bookingId"]]][place] += sign
    rates = {
        name: Fraction(part, whole) if whole else None for name, (part, whole) in counts.items()
    }
    return {name: rates[name] for name in sorted(rates) if any(counts[name])}


def _on(rows: Iterable[Row], account: str) -> int:
    return sum(
        entry["amount"]
        for row in rows
        for entry in row.get("entries", ())
        if entry["account"] == account
    )


def major(amount: int, code: str) -> Decimal:
    """Minor units as the API shows them."""
    return Decimal(amount).scaleb(-DECIMALS[code])


def _half_up(whole: int, parts: int, code: str) -> Decimal:
    return major((2 * whole + parts) // (2 * parts), code)


def same_rate(told: Decimal | None, exact: Fraction | None) -> bool:
    """Whether a rate is its fraction, to six places."""
    if told is None or exact is None:
        return told is None and exact is None
    return abs(Fraction(told) - exact) <= Fraction(1, 2_000_000)


def assert_equal(told: Mapping[str, Any], exact: Mapping[str, Mapping[str, Any]]) -> None:
    """GET_METRICS' ``byCurrency`` is the recount's, figure by figure."""
    assert sorted(told) == sorted(exact)
    for code, figures in exact.items():
        for name, figure in figures.items():
            shown = told[code][name]
            if name == "paymentSuccessRate":
                assert same_rate(shown, figure), (code, name, shown, figure)
            elif name == "refundRateByCategory":
                assert sorted(shown) == sorted(figure), (code, shown, figure)
                assert all(same_rate(shown[one], figure[one]) for one in figure), (shown, figure)
            else:
                assert shown == figure, (code, name, shown, figure)
