"""docs/currency-vectors.json against the code: the file that another implementation may use."""

from __future__ import annotations

import json
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.bookings.pricing import PriceOutOfRange, quote
from common.currencies import CURRENCIES, currency
from common.money import (
    BadAmount,
    Money,
    down_to_multiple,
    fee_returned,
    parse_major,
    platform_fee,
    to_major,
)
from common.refunds.amounts import Held, policy_refund
from common.services.model import ServiceMisconfigured, parse_service
from emulator.stack.up import ROOT

VECTORS: dict[str, Any] = json.loads(
    (ROOT / "docs" / "currency-vectors.json").read_text(encoding="utf-8")
)
Vector = dict[str, Any]


def each(name: str) -> Any:
    """A test for each vector of a list."""
    return pytest.mark.parametrize(
        "vector", VECTORS[name], ids=lambda one: " ".join(map(str, one.values()))
    )


def test_the_currencies_are_exactly_those_of_the_table() -> None:
    listed = {one["code"]: tuple(one.values()) for one in VECTORS["currencies"]}
    assert listed == {code: astuple(one) for code, one in CURRENCIES.items()}
    assert len(listed) == len(VECTORS["currencies"]) >= 135


@each("amounts")
def test_an_amount_is_read_and_shown_as_the_vector_says(vector: Vector) -> None:
    money = parse_major(vector["text"], vector["currency"])
    assert money == Money(vector["minor"], vector["currency"])
    assert str(to_major(money.amount, money.currency)) == vector["shown"]


@each("refused")
def test_what_is_no_amount_of_the_currency_is_refused(vector: Vector) -> None:
    with pytest.raises(BadAmount):
        parse_major(vector["text"], vector["currency"])


@each("charges")
def test_only_what_stripe_takes_is_charged(vector: Vector) -> None:
    assert _is_sold(vector["minor"], vector["currency"]) is vector["chargeable"]


def _is_sold(minor: int, code: str) -> bool:
    """Whether a service at this price can be had."""
    offered = {
        "providerId": "ada",
        "title": "Piano lesson",
        "category": "music",
        "price": str(to_major(minor, code)),
        "currency": code,
    }
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    try:
        price = quote(parse_service("lesson", offered), start, start + timedelta(hours=1), 1)
    except (ServiceMisconfigured, PriceOutOfRange):
        return False
    return price == Money(minor, code)


@each("fees")
def test_a_fee_and_the_rest_make_up_the_total(vector: Vector) -> None:
    fee = platform_fee(vector["total"], vector["rateBps"], vector["currency"])
    assert (fee, vector["total"] - fee) == (vector["fee"], vector["provider"])


@each("refunds")
def test_a_chain_of_refunds_gives_back_the_fee_as_the_vector_says(vector: Vector) -> None:
    before, returned = 0, []
    for refund in vector["refunds"]:
        returned.append(
            fee_returned(
                fee=vector["fee"],
                charged=vector["total"],
                refunded_before=before,
                refund=refund,
                currency=vector["currency"],
            )
        )
        before += refund
    assert returned == vector["feesGivenBack"]
    assert sum(returned) == vector["fee"], "all of it was refunded"


@each("cancellations")
def test_a_policys_percent_gives_back_what_the_vector_says(vector: Vector) -> None:
    held = Held(vector["total"], 0, 0, 0, vector["currency"])
    assert policy_refund(held, vector["percent"]) == vector["refund"]


@each("payouts")
def test_what_a_bank_takes_of_earnings_is_what_the_vector_says(vector: Vector) -> None:
    step = currency(vector["currency"]).payout_multiple
    assert down_to_multiple(vector["earned"], step) == vector["payable"]
