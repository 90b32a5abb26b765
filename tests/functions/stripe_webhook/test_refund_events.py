"""refund.* and charge.refunded: refunds made at Stripe itself, and news that comes oddly."""

from __future__ import annotations

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    a_provider_at_bank,
    arrive,
    as_operator,
    earnings,
    maintenance,
    payout,
    refund,
    transfers_of,
)
from tests.functions.books import (
    COMMISSION,
    HELD,
    STRIPE,
    booking_sums,
    books_balance,
    owed,
    provider_sums,
    rows_of,
    sums,
)
from tests.support.market import Booking, Market, usd


@pytest.fixture(autouse=True)
def _platform_has_funds(market: Market) -> None:
    """A booking that nobody refunds, so that refunds of money transferred are not short of it."""
    a_paid_booking(market, price=1000)


def refunded_at_stripe(market: Market, booking: Booking, amount: int) -> None:
    market.stripe.v1.refunds.create({"payment_intent": booking.payment_intent, "amount": amount})
    market.control.idle()


def test_a_refund_from_stripes_dashboard_counts_like_ours(market: Market) -> None:
    booking = a_paid_booking(market)
    refunded_at_stripe(market, booking, 150_00)
    assert booking_sums(market, booking)[HELD] == -50_00
    told = as_operator(market, booking, "refund-processor", "GET_REFUND_STATUS").ok()
    [one] = told["refunds"]
    assert (one["refundAmount"], one["platformFeeRefunded"]) == (usd("150.00"), usd("12.00"))
    assert one["status"] == "SUCCEEDED"
    assert refund(market, booking).ok()["platformFeeRefunded"] == usd("4.00")
    market.control.idle()
    books_balance(market, booking)


def test_a_full_refund_from_the_dashboard_ends_the_booking_and_frees_its_place(
    market: Market,
) -> None:
    booking = a_paid_booking(market)
    refunded_at_stripe(market, booking, 200_00)
    assert market.booking(booking.id)["status"] == "REFUNDED"
    assert market.book(booking.service, start=booking.start).status == 200
    books_balance(market, booking)


def test_a_refund_from_the_dashboard_after_the_transfer_takes_the_providers_part_back(
    market: Market,
) -> None:
    provider = a_provider_at_bank(market, "000111111116")
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    refunded_at_stripe(market, booking, 100_00)
    assert transfers_of(market, booking)[0].amount_reversed == 92_00
    assert earnings(market, provider)["totalEarnings"] == usd("92.00")
    assert booking_sums(market, booking)[COMMISSION] == -8_00
    assert provider_sums(market, provider)[owed(provider)] == -92_00
    books_balance(market, booking)


@pytest.mark.parametrize("mode", ["duplicate", "reverse", "drop"])
def test_however_refund_events_come_the_books_are_the_same(market: Market, mode: str) -> None:
    booking = a_paid_booking(market, pm="pm_card_refundFail")
    market.control.webhooks(mode)
    refund(market, booking, 50).ok()
    if mode == "drop":
        market.control.idle()
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    maintenance(market)
    told = as_operator(market, booking, "refund-processor", "GET_REFUND_STATUS").ok()
    assert [one["status"] for one in told["refunds"]] == ["FAILED"]
    assert booking_sums(market, booking)[HELD] == -200_00
    books_balance(market, booking)


def test_a_refund_that_fails_of_a_charge_that_is_no_bookings_is_in_the_ledger_both_ways(
    market: Market,
) -> None:
    intent = market.stripe.v1.payment_intents.create(
        {
            "amount": 30_00,
            "currency": "usd",
            "payment_method": "pm_card_refundFail",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    made = market.stripe.v1.refunds.create({"payment_intent": intent.id})
    market.control.idle()
    market.control.advance(86_400)
    refunded = market.stripe.v1.refunds.retrieve(made.id)
    assert refunded.status == "failed"
    rows = rows_of(market, "about", made.id)
    assert [sums([row])[STRIPE] for row in rows] == [-30_00, 30_00]
