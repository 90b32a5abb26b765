"""The same life in currencies that count differently: booked, refunded, cancelled, paid out.

The figures are worked out by hand from docs/currencies.md; JSON carries the currency's own number
of decimals, Stripe the integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.functions import acts, books
from tests.support.market import Market, Provider


@dataclass(frozen=True)
class Case:
    """One currency's figures as its people write them.

    Attributes:
        fee: 8 % of the price.
        refund, fee_back: A first refund and what of the fee goes back with it.
        earned: What is left for the provider then.
        paid: What of that the bank takes; the rest waits for the next payout.
        half: What a policy of 50 % gives back of the price.
        unit: Stripe's integers for one major unit.
    """

    code: str
    price: str
    fee: str
    refund: str
    fee_back: str
    earned: str
    paid: str
    half: str
    unit: int


CASES = [
    Case("USD", "200.00", "16.00", "50.00", "4.00", "138.00", "138.00", "100.00", 100),
    Case("EUR", "10.07", "0.81", "0.06", "0.00", "9.20", "9.20", "5.04", 100),
    Case("JPY", "1507", "121", "999", "80", "467", "467", "754", 1),
    Case("KRW", "33333", "2667", "3", "0", "30663", "30663", "16667", 1),
    Case("KWD", "10.110", "0.800", "0.250", "0.020", "9.080", "9.080", "5.060", 1000),
    Case("BHD", "1.260", "0.100", "0.010", "0.010", "1.160", "1.160", "0.630", 1000),
    Case("ISK", "1369", "109", "700", "56", "616", "616", "685", 100),
    Case("UGX", "5001", "400", "1", "1", "4601", "4601", "2501", 100),
    Case("HUF", "12345.67", "987.65", "1000.00", "80.00", "10438.02", "10438.00", "6172.84", 100),
    Case("TWD", "800.45", "64.04", "0.45", "0.04", "736.00", "736.00", "400.23", 100),
]


def a_provider_with_a_bank_in(market: Market, code: str) -> Provider:
    """A provider who has a bank account in this currency beside the one in dollars."""
    provider = market.a_provider()
    if code != "USD":
        bank: Any = {
            "object": "bank_account",
            "country": "US",
            "currency": code.lower(),
            "routing_number": "110000000",
            "account_number": "000123456789",
        }
        market.stripe.v1.accounts.external_accounts.create(
            str(provider.account_id), {"external_account": bank}
        )
        market.control.idle()
    return provider


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_booking_is_priced_refunded_in_part_and_paid_out_in_its_own_unit(
    market: Market, case: Case
) -> None:
    provider = a_provider_with_a_bank_in(market, case.code)
    booking = acts.a_paid_booking(
        market, provider, price=case.price, currency=case.code, start=acts.soon(market)
    )
    pricing = market.booking(booking.id)["pricing"]
    assert pricing["currency"] == case.code
    assert str(pricing["platformFee"]) == case.fee
    charge = market.stripe.v1.charges.retrieve(acts.charge_of(market, booking))
    assert (charge.amount, charge.currency) == (
        int(Decimal(case.price) * case.unit),
        case.code.lower(),
    )
    told = acts.refund(market, booking, case.refund).ok()
    assert (str(told["refundAmount"]), str(told["platformFeeRefunded"])) == (
        case.refund,
        case.fee_back,
    )
    market.complete(booking)
    earned = acts.earnings(market, provider, currency=case.code)
    assert str(earned["eligibleBookings"][0]["amount"]) == case.earned
    paid = acts.payout(market, provider).ok()
    assert (str(paid["amount"]), paid["currency"]) == (case.paid, case.code)
    acts.arrive(market)
    assert acts.payout_now(market, paid["payoutId"])["status"] == "PAID"
    (at_bank,) = acts.payouts_of(market, provider)
    assert (at_bank.amount, at_bank.currency) == (
        int(Decimal(case.paid) * case.unit),
        case.code.lower(),
    )
    booked = market.db.collection("earnings").document(f"{provider.uid}_{case.code}").get()
    left = Decimal((booked.to_dict() or {})["available"]) / case.unit
    assert left == Decimal(case.earned) - Decimal(case.paid), "waits for the next payout"
    books.books_balance(market, booking)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_policys_half_is_rounded_to_what_the_currency_has(market: Market, case: Case) -> None:
    half = [{"hoursBefore": 2, "refundPercent": 50}]
    booking = acts.a_paid_booking(
        market,
        price=case.price,
        currency=case.code,
        cancellationPolicy=half,
        start=acts.soon(market, hours=4),
    )
    told = acts.as_customer(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
    assert str(told["refund"]["refundAmount"]) == case.half
    (refund,) = acts.refunds_of(market, booking)
    assert (refund.amount, refund.currency) == (
        int(Decimal(case.half) * case.unit),
        case.code.lower(),
    )
    books.books_balance(market, booking)


@pytest.mark.parametrize(
    ("code", "price", "problem"),
    [
        ("JPY", "49", "smallest charge, 50 JPY"),
        ("JPY", "100.5", "more decimals than JPY has"),
        ("KWD", "1.255", "multiple of 0.010 KWD"),
        ("ISK", "500.50", "more decimals than ISK has"),
        ("HUF", "174.99", "smallest charge, 175.00 HUF"),
        ("USD", "1000000", "largest amount, 999999.99 USD"),
        ("BGN", "20", "currency"),
    ],
)
def test_a_price_that_its_currency_cannot_have_is_refused_before_anything_is_stored(
    market: Market, code: str, price: str, problem: str
) -> None:
    service = market.a_service(market.a_provider(), price=price, currency=code)
    answer = market.book(service)
    assert answer.status == 400
    assert problem in str(answer.json)


def test_a_providers_currencies_are_earned_and_paid_out_one_by_one_and_never_added(
    market: Market,
) -> None:
    provider = market.a_provider()
    prices = {"USD": "200.00", "JPY": "1500", "KWD": "10.000"}
    made = [
        acts.a_completed_booking(
            market, provider, price=price, currency=code, lasts=timedelta(minutes=30)
        )
        for code, price in prices.items()
    ]
    told = acts.earnings(market, provider)
    assert {code: str(one["totalEarnings"]) for code, one in told["byCurrency"].items()} == {
        "USD": "184.00",
        "JPY": "1380",
        "KWD": "9.200",
    }
    for code, amount in (("JPY", "1380"), ("KWD", "9.200"), ("USD", "184.00")):
        paid = acts.payout(market, provider, currency=code.lower()).ok()
        assert (str(paid["amount"]), paid["currency"]) == (amount, code)
    books.books_balance(market, *made)


def test_a_payout_in_a_currency_that_nothing_was_earned_in_or_that_does_not_exist_is_refused(
    market: Market,
) -> None:
    provider = market.a_provider()
    acts.a_completed_booking(market, provider)
    nothing = acts.payout(market, provider, currency="JPY")
    assert (nothing.status, nothing.json["error"]) == (400, "Insufficient earnings")
    unknown = acts.payout(market, provider, "INSTANT_PAYOUT", currency="BTC")
    assert (unknown.status, unknown.json["fields"][0]["field"]) == (400, "currency")
