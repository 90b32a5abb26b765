"""GET_TAX_SUMMARY: a provider's year per currency, the ledger's own sums."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.functions.acts import a_completed_booking, a_paid_booking, as_customer, refund
from tests.functions.books import rows_of
from tests.functions.reporting.conftest import Life
from tests.functions.reporting.recount import major
from tests.support.market import Market, Provider, fresh, usd


def recounted(market: Market, provider: Provider, year: int) -> dict[str, dict[str, Any]]:
    """What every ledger transaction of the provider's year comes to."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows_of(market, "providerId", provider.uid):
        if row["createdAt"].year != year:
            continue
        one, entries = sums[row["currency"]], row["entries"]
        cash = sum(entry["amount"] for entry in entries if entry["account"] == "platform:stripe")
        lost = sum(entry["amount"] for entry in entries if entry["account"] == "disputes:open")
        kept = sum(e["amount"] for e in entries if e["account"] == "platform:commission")
        one["fees"] -= kept
        one["gross"] += cash if row["kind"] == "charge" else 0
        one["transactionCount"] += row["kind"] == "charge"
        one["refunds"] -= cash if row["kind"] in ("refund", "refund_failed") else 0
        one["refunds"] -= lost if row["kind"] == "dispute_lost" else 0
    return {
        code: {
            **{name: major(one[name], code) for name in ("gross", "refunds", "fees")},
            "net": major(one["gross"] - one["refunds"] - one["fees"], code),
            "transactionCount": one["transactionCount"],
        }
        for code, one in sums.items()
    }


def asked(market: Market, uid: str, **fields: Any) -> dict[str, Any]:
    return market.api.as_user(uid).post("reporting", "GET_TAX_SUMMARY", **fields).ok()


def test_a_year_is_gross_less_refunds_less_fees(market: Market) -> None:
    lesson = a_completed_booking(market)
    provider = lesson.service.provider
    refund(market, lesson, 50).ok()
    cancelled = a_paid_booking(market, provider)
    as_customer(market, cancelled, "booking-processor", "CANCEL_BOOKING").ok()
    a_completed_booking(market, provider, price=1500, currency="JPY")
    year = market.control.now().year
    told = asked(market, provider.uid, year=year)
    assert told["byCurrency"]["USD"] == {
        "gross": usd("400.00"),
        "refunds": usd("250.00"),
        "fees": usd("12.00"),
        "net": usd("138.00"),
        "transactionCount": 2,
    }
    assert told["byCurrency"]["JPY"] == {
        "gross": 1500,
        "refunds": 0,
        "fees": 120,
        "net": 1380,
        "transactionCount": 1,
    }
    assert asked(market, provider.uid, year=year, providerId=provider.uid) == told
    assert told["byCurrency"] == recounted(market, provider, year)


def test_every_provider_of_a_life_is_the_recount_of_the_ledger(life: Life) -> None:
    for provider in (life.dollars, life.yen):
        for year in {row["createdAt"].year for row in life.rows}:
            told = life.ask("GET_TAX_SUMMARY", year=year, providerId=provider.uid).ok()
            assert told["byCurrency"] == recounted(life.market, provider, year)


def test_an_operator_gets_every_provider_once_by_pages(life: Life) -> None:
    year = life.begins.year
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        told = life.ask("GET_TAX_SUMMARY", year=year, limit=1, **more).ok()
        assert len(told["providers"]) <= 1
        found += told["providers"]
        cursor = told["nextCursor"]
        if cursor is None:
            break
    by_provider = {one["providerId"]: one["byCurrency"] for one in found}
    assert len(by_provider) == len(found)
    for provider in (life.dollars, life.yen):
        assert by_provider[provider.uid] == recounted(life.market, provider, year)
    whole = life.ask("GET_TAX_SUMMARY", year=year).ok()
    assert whole["providers"] == found


def test_a_year_without_payments_is_empty(life: Life) -> None:
    told = asked(life.market, life.dollars.uid, year=2001)
    assert told["byCurrency"] == {}
    assert told["providers"] == [{"providerId": life.dollars.uid, "byCurrency": {}}]


def test_nobody_sees_another_provider_s_year(life: Life) -> None:
    api, year = life.market.api, life.begins.year
    for uid in (life.yen.uid, life.refunded.customer):
        answer = api.as_user(uid).post(
            "reporting", "GET_TAX_SUMMARY", year=year, providerId=life.dollars.uid
        )
        answer.refused(404, "not_found")
    api.as_user(fresh("customer")).post("reporting", "GET_TAX_SUMMARY", year=year).refused(403)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "year"),
        ({"year": "2026"}, "year"),
        ({"year": Decimal("2026.5")}, "year"),
        ({"year": True}, "year"),
        ({"year": 1999}, "year"),
        ({"year": 2026, "cursor": "WyIuLi8uLi94Il0"}, "cursor"),
        ({"year": 2026, "limit": 501}, "limit"),
    ],
)
def test_what_is_asked_is_checked(market: Market, fields: dict[str, Any], named: str) -> None:
    refused = market.api.as_operator().post("reporting", "GET_TAX_SUMMARY", **fields)
    assert [one["field"] for one in refused.refused(400)["fields"]] == [named]
