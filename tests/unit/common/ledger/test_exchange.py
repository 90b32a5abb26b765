"""Amounts that Stripe exchanged: two halves that balance, each in its own currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ledger import exchange
from common.store import collections

ABOUT = {"bookingId": "booking-1"}


def a_transaction(**more: Any) -> dict[str, Any]:
    return {"id": "txn_1", "currency": "usd", "amount": 100_50, "exchange_rate": 0.0067, **more}


def test_an_amount_leaves_in_one_currency_and_comes_in_the_other() -> None:
    out, came = exchange.of(a_transaction(), 15000, "JPY", ABOUT)
    assert (out.id, came.id) == ("conversion_txn_1", "settlement_txn_1")
    assert (out.currency, came.currency) == ("JPY", "USD")
    assert out.entries == (("platform:stripe", -15000), ("platform:exchange", 15000))
    assert came.entries == (("platform:stripe", 100_50), ("platform:exchange", -100_50))
    assert out.concerns["counterpart"] == came.id
    assert came.concerns["counterpart"] == out.id


def test_a_fee_without_a_transaction_of_its_own_is_in_the_settled_half() -> None:
    taken = a_transaction(amount=-100_50)
    _, came = exchange.of(taken, -15000, "JPY", ABOUT, fee=15_00)
    assert came.entries == (
        ("platform:stripe", -115_50),
        ("platform:exchange", 100_50),
        ("platform:stripe_fees", 15_00),
    )


def test_nothing_is_exchanged_of_a_transaction_in_the_same_currency() -> None:
    assert exchange.of(a_transaction(currency="jpy", exchange_rate=None), 15000, "JPY", {}) == ()


def test_what_comes_to_nothing_only_leaves() -> None:
    (out,) = exchange.of(a_transaction(amount=0), -1, "KRW", ABOUT)
    assert out.entries == (("platform:stripe", 1), ("platform:exchange", -1))
    assert "counterpart" not in out.concerns


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(1.08, "1.08"), (0.0067, "0.0067"), (0.0000067, "0.0000067"), (1, "1"), (None, "")],
)
def test_a_rate_is_kept_in_plain_digits_as_stripe_reports_it(rate: Any, shown: str) -> None:
    assert exchange.rate_text(a_transaction(exchange_rate=rate)) == shown


@given(st.integers(1, 99_999_999), st.integers(1, 99_999_999), st.integers(0, 99_999_999))
def test_every_half_sums_to_zero(amount: int, settled: int, fee: int) -> None:
    for signed, came in ((amount, settled), (-amount, -settled)):
        for one in exchange.of(a_transaction(amount=came), signed, "JPY", ABOUT, fee=fee):
            assert sum(part for _, part in one.entries) == 0


FACTS = {
    "bookingId": "booking-1",
    "exchangeRate": "0.9",
    "exchangedFrom": "USD",
    "exchangedTo": "EUR",
}
STRIPES = {
    "id": "txn_1",
    "amount": 180_00,
    "fee": 5_00,
    "currency": "eur",
    "exchange_rate": Decimal("0.9"),
}


def test_the_two_transactions_of_an_exchange_tell_its_facts_and_name_each_other() -> None:
    about = {"bookingId": "booking-1"}
    conversion, settlement = exchange.of(STRIPES, 200_00, "USD", about, fee=5_00)
    assert (conversion.id, conversion.currency) == ("conversion_txn_1", "USD")
    assert dict(conversion.entries) == {
        "platform:stripe": -200_00,
        "platform:exchange": 200_00,
    }
    assert conversion.concerns == {**FACTS, "counterpart": "settlement_txn_1"}
    assert (settlement.id, settlement.currency) == ("settlement_txn_1", "EUR")
    assert dict(settlement.entries) == {
        "platform:stripe": 175_00,
        "platform:exchange": -180_00,
        "platform:stripe_fees": 5_00,
    }
    assert settlement.concerns == {**FACTS, "counterpart": "conversion_txn_1"}


def test_without_a_fee_of_its_own_an_exchange_costs_nothing() -> None:
    _, settlement = exchange.of(STRIPES, 200_00, "USD", {})
    assert dict(settlement.entries) == {"platform:stripe": 180_00, "platform:exchange": -180_00}
    plain = {"amount": 2, "code": "USD", "settled": 1, "into": "EUR", "rate": "", "about": {}}
    _, settlement = exchange.postings("txn_1", **plain)
    assert dict(settlement.entries) == {"platform:stripe": 1, "platform:exchange": -1}


def test_what_comes_to_nothing_in_the_other_currency_only_leaves_the_first() -> None:
    about = {"bookingId": "booking-1"}
    [conversion] = exchange.of({**STRIPES, "amount": 0}, 1, "USD", about)
    assert (conversion.kind, conversion.source, conversion.currency) == (
        "conversion",
        "txn_1",
        "USD",
    )
    assert conversion.concerns == FACTS


def test_an_exchange_has_two_transactions_to_look_for() -> None:
    assert exchange.keys("txn_1") == (
        collections.transaction("conversion_txn_1"),
        collections.transaction("settlement_txn_1"),
    )
