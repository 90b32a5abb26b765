"""EXPORT_TRANSACTIONS: the ledger as a file, whole and in order, and to each only their own."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.functions.books import rows_of
from tests.functions.reporting.conftest import Life
from tests.functions.reporting.recount import major
from tests.support.api import Caller
from tests.support.market import Market

TIMES = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}


def pages(caller: Caller, life: Life, **fields: Any) -> list[list[str]]:
    """Every page of an export of the whole life."""
    found: list[list[str]] = []
    cursor = None
    while True:
        told = caller.post(
            "reporting",
            "EXPORT_TRANSACTIONS",
            **{"from": life.begins.isoformat(), "to": life.ends.isoformat(), **fields},
            **({"cursor": cursor} if cursor else {}),
        ).ok()
        found.append(told["rows"])
        cursor = told["nextCursor"]
        if cursor is None:
            return found


def file_of(found: Iterable[list[str]]) -> str:
    return "".join(f"{line}\r\n" for page in found for line in page)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def ledger_of(life: Life) -> list[dict[str, Any]]:
    return [row for row in life.rows if row["kind"] != "failedPayments"]


def test_all_pages_together_are_the_ledger_in_order(life: Life) -> None:
    operator = life.market.api.as_operator()
    whole = read(file_of(pages(operator, life, format="csv")))
    assert len(whole) == len(ledger_of(life))
    order = [(row["createdAt"], row["transactionId"]) for row in whole]
    assert [at for at, _ in order] == sorted(at for at, _ in order)
    assert len(set(order)) == len(order)
    cut = pages(operator, life, format="csv", limit=3)
    assert len(cut) > 5
    assert all(len(page) <= 4 for page in cut)
    assert read(file_of(cut)) == whole


def test_each_column_sums_to_its_account_to_the_cent(life: Life) -> None:
    told = read(file_of(pages(life.market.api.as_operator(), life, format="csv")))
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in told:
        sums[row["currency"], "held"] += Decimal(row["bookingsHeld"])
        sums[row["currency"], "commission"] += Decimal(row["platformCommission"])
        sums[row["currency"], "stripe"] += Decimal(row["platformStripe"])
    names = {
        "bookings:held": "held",
        "platform:commission": "commission",
        "platform:stripe": "stripe",
    }
    ledger: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in ledger_of(life):
        for entry in one["entries"]:
            if entry["account"] in names:
                code = one["currency"]
                ledger[code, names[entry["account"]]] += major(entry["amount"], code)
    assert sums == ledger


def test_json_lines_hold_the_same_transactions_exactly(life: Life) -> None:
    (page,) = pages(life.market.api.as_operator(), life, format="jsonl")
    told = [json.loads(line, parse_float=Decimal) for line in page]
    ids = {f"{row['kind']}_{row['stripeId']}": row for row in ledger_of(life)}
    assert {one["transactionId"] for one in told} == set(ids)
    for one in told:
        stored = ids[one["transactionId"]]["entries"]
        assert [entry["amount"] for entry in one["entries"]] == [
            major(entry["amount"], one["currency"]) for entry in stored
        ]


def test_a_provider_gets_their_own_and_nothing_of_the_customers(life: Life) -> None:
    market, provider = life.market, life.dollars
    found = pages(market.api.as_user(provider.uid), life, format="csv")
    text = file_of(found)
    own = {row["id"] for row in rows_of(market, "providerId", provider.uid)}
    assert {row["transactionId"] for row in read(text)} == own
    assert {row["providerId"] for row in read(text)} == {provider.uid}
    assert life.refunded.customer not in text
    assert "@" not in text
    asked = pages(market.api.as_operator(), life, format="csv", providerId=provider.uid)
    assert file_of(asked) == text


def test_a_category_that_would_be_a_formula_is_a_text(life: Life) -> None:
    told = read(file_of(pages(life.market.api.as_operator(), life, format="csv")))
    assert {row["category"] for row in told} == {"music", "'=sport", ""}
    assert min(Decimal(row["platformStripe"]) for row in told) < 0


def test_the_end_is_not_in_it(life: Life) -> None:
    first = min(row["createdAt"] for row in life.rows)
    operator = life.market.api.as_operator()
    fields = {"from": life.begins.isoformat(), "to": first.isoformat(), "format": "jsonl"}
    assert operator.post("reporting", "EXPORT_TRANSACTIONS", **fields).ok()["rows"] == []
    fields["to"] = (first + timedelta(microseconds=1)).isoformat()
    assert operator.post("reporting", "EXPORT_TRANSACTIONS", **fields).ok()["rows"]


def test_others_see_nothing_of_a_provider(life: Life) -> None:
    api = life.market.api
    asked = {**TIMES, "format": "csv", "providerId": life.dollars.uid}
    for caller in (api.as_user(life.yen.uid), api.as_user(life.refunded.customer)):
        caller.post("reporting", "EXPORT_TRANSACTIONS", **asked).refused(404, "not_found")
    customer = api.as_user(life.refunded.customer)
    customer.post("reporting", "EXPORT_TRANSACTIONS", **TIMES, format="csv").refused(403)
    operator = api.as_operator()
    asked["providerId"] = "nobody-here"
    operator.post("reporting", "EXPORT_TRANSACTIONS", **asked).refused(404, "not_found")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"format": "xml"}, "format"),
        ({}, "format"),
        ({"format": "csv", "cursor": "not a cursor"}, "cursor"),
        ({"format": "csv", "cursor": "W10"}, "cursor"),
        ({"format": "csv", "cursor": "WyIuLi8uLi94Il0"}, "cursor"),
        ({"format": "csv", "limit": 0}, "limit"),
        ({"format": "csv", "limit": 1001}, "limit"),
        ({"format": "csv", "to": "2025-01-01T00:00:00Z"}, "to"),
        ({"format": "csv", "from": "yesterday"}, "from"),
    ],
)
def test_what_is_asked_is_checked(market: Market, fields: dict[str, Any], named: str) -> None:
    asked = {**TIMES, **fields}
    refused = market.api.as_operator().post("reporting", "EXPORT_TRANSACTIONS", **asked)
    assert [one["field"] for one in refused.refused(400)["fields"]] == [named]
