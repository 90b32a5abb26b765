"""Charges that Stripe settles in another currency: exchanged in the ledger, held from transfers.

The Stripe emulator settles in dollars here; its rates are fixed: a euro is 1.08, a yen 0.0067, a
won 0.00074 dollars.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from common.errors import BadRequest
from emulator.stack.handle import RunningStack
from functions.booking_processor import create_booking
from tests.functions import acts, books
from tests.functions.inside import a_context, services_on
from tests.support.market import Booking, Market
from tests.support.subscriptions import a_recurring_service, a_subscription, period_of

EXCHANGE = "platform:exchange"


@pytest.fixture(autouse=True)
def _settling(market: Market) -> Iterator[None]:
    market.control.call("POST", "settlement", {"currencies": ["usd"]})
    yield
    market.control.call("POST", "settlement", {"currencies": []})


def kinds(market: Market, booking: Booking, *wanted: str) -> list[dict[str, Any]]:
    return [row for row in books.rows_of(market, "bookingId", booking.id) if row["kind"] in wanted]


def in_currency(market: Market, booking: Booking, code: str) -> dict[str, int]:
    """What the accounts come to for a booking in one currency."""
    rows = books.rows_of(market, "bookingId", booking.id)
    return books.sums(row for row in rows if row["currency"] == code)


def differences(market: Market) -> dict[str, Any]:
    """By how much ledger and Stripe differ, of the two currencies."""
    told = books.reconcile(market)["byCurrency"]
    return {
        code: told[code]["difference"]
        for code in ("JPY", "USD")
        if code in told and told[code]["difference"]
    }


def agreed(market: Market, *bookings: Booking, wrong: tuple[str, ...] = ()) -> None:
    """The books of these bookings are Stripe's, in each currency."""
    for booking in bookings:
        books.balances(market, booking)
    told = books.reconcile(market)
    ids = [id_ for one in bookings for id_ in (one.id, acts.charge_of(market, one))]
    assert [one["kind"] for one in books.about(told, *ids)] == list(wrong)


def test_a_charge_is_exchanged_by_two_transactions_at_the_rate_that_stripe_reports(
    market: Market,
) -> None:
    before = differences(market)
    booking = acts.a_paid_booking(market, price=15000, currency="JPY")
    (out,) = kinds(market, booking, "conversion")
    (came,) = kinds(market, booking, "settlement")
    assert out["id"].removeprefix("conversion_") == came["id"].removeprefix("settlement_")
    assert out["stripeId"].startswith("txn_")
    assert (out["currency"], came["currency"]) == ("JPY", "USD")
    assert books.sums([out]) == {books.STRIPE: -15000, EXCHANGE: 15000}
    assert books.sums([came]) == {books.STRIPE: 100_50, EXCHANGE: -100_50}
    assert (out["counterpart"], came["counterpart"]) == (came["id"], out["id"])
    assert {out["exchangeRate"], came["exchangeRate"]} == {"0.0067"}
    assert in_currency(market, booking, "JPY") == {EXCHANGE: 15000, books.HELD: -15000}
    fee = 100_50 * 29 // 1000 + 30
    assert in_currency(market, booking, "USD") == {
        books.STRIPE: 100_50 - fee,
        books.STRIPE_FEES: fee,
        EXCHANGE: -100_50,
    }
    agreed(market, booking)
    assert differences(market) == before, "our balance at Stripe is the ledger's in both"


@pytest.mark.parametrize("mode", ["duplicate", "reverse"])
def test_it_is_exchanged_once_however_and_in_whatever_order_stripe_tells_of_it(
    market: Market, mode: str
) -> None:
    offered = market.a_service(market.a_provider(), price="200.00", currency="EUR")
    booking = market.a_booking(offered, start=acts.soon(market, hours=72))
    market.control.webhooks(mode)
    market.pay(booking, acts.AT_ONCE, wait=False)
    acts.as_customer(market, booking, "booking-processor", "CONFIRM_BOOKING").ok()
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert len(kinds(market, booking, "conversion", "settlement")) == 2
    agreed(market, booking)


def test_an_accepted_request_is_exchanged_as_well(market: Market) -> None:
    offered = market.a_service(
        market.a_provider(), price="200.00", currency="EUR", bookingMode="REQUEST"
    )
    booking = market.a_booking(offered, start=acts.soon(market, hours=72))
    market.pay(booking, acts.AT_ONCE)
    acts.as_provider(market, booking, "booking-processor", "CONFIRM_BOOKING").ok()
    market.control.idle()
    assert in_currency(market, booking, "EUR") == {EXCHANGE: 200_00, books.HELD: -200_00}
    agreed(market, booking)


def test_a_subscriptions_period_is_exchanged_and_held_as_well(market: Market) -> None:
    service = a_recurring_service(market, price="40.00", currency="EUR")
    subscription = a_subscription(market, service, paid=True)
    market.api.as_user(subscription.customer).post(
        "stripe-connect", "CANCEL_SUBSCRIPTION", subscriptionId=subscription.id, atPeriodEnd=False
    ).ok()
    market.control.idle()
    period = period_of(market, subscription)
    assert in_currency(market, period, "EUR")[EXCHANGE] == 40_00
    assert in_currency(market, period, "USD")[EXCHANGE] == -43_20
    assert market.booking(period.id)["payment"]["holds"] == ["settlement"]
    agreed(market, period, wrong=("booking.unpayable",))


def test_refunds_go_out_in_what_was_settled(market: Market) -> None:
    booking = acts.a_paid_booking(market, price="200.00", currency="EUR")
    acts.refund(market, booking, "50.00").ok()
    market.control.idle()
    assert in_currency(market, booking, "EUR") == {EXCHANGE: 150_00, books.HELD: -150_00}
    assert in_currency(market, booking, "USD")[EXCHANGE] == -162_00
    acts.refund(market, booking, "150.00").ok()
    market.control.idle()
    assert in_currency(market, booking, "EUR") == {}
    assert EXCHANGE not in in_currency(market, booking, "USD"), "the emulator's rate is the same"
    agreed(market, booking)


def test_a_refund_that_comes_to_nothing_in_the_settled_currency_is_exchanged_one_way(
    market: Market,
) -> None:
    booking = acts.a_paid_booking(market, price=50000, currency="KRW")
    acts.refund(market, booking, 1).ok()
    market.control.idle()
    last = kinds(market, booking, "conversion", "settlement")[-1]
    assert books.sums([last]) == {books.STRIPE: 1, EXCHANGE: -1}
    assert "counterpart" not in last
    agreed(market, booking)


def test_a_refund_that_fails_comes_back_by_an_exchange_of_its_own(market: Market) -> None:
    booking = acts.a_paid_booking(market, price="200.00", currency="EUR", pm="pm_card_refundFail")
    market.control.advance(3 * acts.DAY)  # its funds are there
    acts.refund(market, booking, "50.00").ok()
    market.control.idle()
    assert len(kinds(market, booking, "refund_failed")) == 1
    assert len(kinds(market, booking, "conversion")) == len(kinds(market, booking, "settlement"))
    assert in_currency(market, booking, "EUR") == {EXCHANGE: 200_00, books.HELD: -200_00}
    agreed(market, booking)


@pytest.mark.parametrize(("outcome", "left"), [("won", 200_00), ("lost", 0)])
def test_a_dispute_takes_what_was_settled_and_its_fee_is_in_that_currency(
    market: Market, outcome: str, left: int
) -> None:
    booking = acts.a_paid_booking(market, price="200.00", currency="EUR")
    fee = in_currency(market, booking, "USD")[books.STRIPE_FEES]
    charge = acts.charge_of(market, booking)
    market.control.dispute(charge)
    market.control.idle()
    assert in_currency(market, booking, "EUR") == {
        books.HELD: -200_00,
        books.DISPUTES: 200_00,
    }
    assert in_currency(market, booking, "USD") == {
        books.STRIPE: -fee - 15_00,
        books.STRIPE_FEES: fee + 15_00,
    }
    market.control.dispute(charge, outcome=outcome)
    market.control.idle()
    euros = {EXCHANGE: left, books.HELD: -left} if left else {}
    assert in_currency(market, booking, "EUR") == euros
    agreed(market, booking)


def test_its_earnings_are_held_and_reconcile_says_so_until_a_person_has_settled_it(
    market: Market,
) -> None:
    provider = market.a_provider()
    booking = acts.a_completed_booking(market, provider, price="200.00", currency="EUR")
    assert market.booking(booking.id)["payment"]["holds"] == ["settlement"]
    told = acts.earnings(market, provider, currency="EUR")
    assert (str(told["totalEarnings"]), str(told["heldEarnings"])) == ("0.00", "184.00")
    refused = acts.payout(market, provider)
    assert (refused.status, refused.json["error"]) == (400, "Insufficient earnings")
    assert acts.transfers_of(market, booking) == []
    agreed(market, booking, wrong=("booking.unpayable",))
    acts.refund(market, booking).ok()
    market.control.idle()
    agreed(market, booking)


def test_its_statement_tells_the_exchange_and_what_is_held_in_the_bookings_currency(
    market: Market,
) -> None:
    booking = acts.a_paid_booking(market, price=15000, currency="JPY")
    told = acts.as_operator(market, booking, "reporting", "GET_STATEMENT").ok()
    lines = {one["kind"]: one for one in told["transactions"]}
    assert {kind: one["currency"] for kind, one in lines.items()} == {
        "charge": "JPY",
        "conversion": "JPY",
        "settlement": "USD",
        "stripe_fee": "USD",
    }
    assert lines["settlement"]["stripeObject"] == "balance_transaction"
    assert str(lines["settlement"]["entries"][0]["amount"]) == "100.50"
    assert {str(one["held"]) for one in lines.values()} == {"15000"}
    assert str(told["held"]) == "15000"


def test_a_charge_in_the_settled_currency_is_neither_exchanged_nor_held(market: Market) -> None:
    provider = market.a_provider()
    booking = acts.a_completed_booking(market, provider)
    assert kinds(market, booking, "conversion", "settlement") == []
    paid = acts.payout(market, provider).ok()
    assert str(paid["amount"]) == "184.00"
    agreed(market, booking)


def test_services_in_currencies_that_are_not_settled_are_refused_before_anything_is_stored(
    market: Market, stack: RunningStack
) -> None:
    provider = market.a_provider()
    yen = market.a_service(provider, price=15000, currency="JPY")
    start = acts.soon(market, hours=72)
    command = create_booking.Request(
        serviceId=yen.id,
        customerEmail="ben@example.com",
        startDateTime=start.isoformat(),
        endDateTime=(start + timedelta(hours=1)).isoformat(),
    )
    with services_on(stack, market) as services:
        chosen = replace(services.settings, settlement_currencies=frozenset({"USD", "EUR"}))
        context = a_context(replace(services, settings=chosen), "CREATE_BOOKING", uid="ben")
        with pytest.raises(BadRequest) as refused:
            create_booking.handle(command, context)
    assert (refused.value.type, refused.value.details) == (
        "currency_not_settled",
        {"currency": "JPY"},
    )
    assert "EUR, USD" in refused.value.message
    of_service = FieldFilter("serviceId", "==", yen.id)
    assert list(market.db.collection("bookings").where(filter=of_service).stream()) == []
