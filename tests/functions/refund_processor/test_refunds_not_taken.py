"""Refunds that Stripe does not take or that fail later, and what they leave to whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    arrive,
    as_customer,
    as_operator,
    as_provider,
    earnings,
    payout,
    refund,
    refunds_of,
    transfers_of,
)
from tests.functions.books import HELD, booking_sums, books_balance, debt, owed, provider_sums
from tests.support.market import Market, fresh, usd

FAILS_LATER = "pm_card_refundFail"


def refuse(market: Market) -> None:
    market.control.fault("POST", "/v1/refunds", "error_before", status=400, code="charge_disputed")


def test_a_refund_that_stripe_refuses_leaves_the_booking_standing(market: Market) -> None:
    booking = a_paid_booking(market)
    refuse(market)
    assert refund(market, booking).status == 502
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    taken = market.book(booking.service, start=booking.start)
    assert taken.status == 409
    again = as_customer(market, booking, "refund-processor", "PROCESS_REFUND").ok()
    assert again["refundAmount"] == usd("200.00")
    assert again["booking"]["status"] == "REFUNDED"
    assert market.book(booking.service, start=booking.start).status == 200
    books_balance(market, booking)


def test_a_refused_refund_found_again_is_refused_again(market: Market) -> None:
    booking = a_paid_booking(market)
    refuse(market)
    first = as_operator(market, booking, "refund-processor", "PROCESS_REFUND")
    second = as_operator(market, booking, "refund-processor", "PROCESS_REFUND")
    assert (first.status, second.status) == (502, 502)
    assert refunds_of(market, booking) == []


def test_while_all_of_it_is_being_given_back_nothing_else_becomes_of_a_booking(
    market: Market,
) -> None:
    booking = a_paid_booking(market)
    key = fresh("key")
    market.control.fault("POST", "/v1/refunds", "error_before", times=3, status=503)
    assert refund(market, booking, idempotency_key=key).status == 503
    market.control.clear_faults()
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    assert as_customer(market, booking, "booking-processor", "CANCEL_BOOKING").status == 409
    second = refund(market, booking, 10)
    assert (second.status, second.json["currentStatus"]) == (400, "CONFIRMED")
    left = (booking.end - market.control.now()).total_seconds()
    market.control.advance(int(left) + 1)
    assert as_provider(market, booking, "booking-processor", "COMPLETE_BOOKING").status == 409
    assert refund(market, booking, idempotency_key=key).ok()["booking"]["status"] == "REFUNDED"
    assert [one.amount for one in refunds_of(market, booking)] == [200_00]
    books_balance(market, booking)


def test_a_full_refund_that_fails_later_is_nobodys_earnings_and_may_be_made_again(
    market: Market,
) -> None:
    booking = a_completed_booking(market, pm=FAILS_LATER)
    provider = booking.service.provider
    refund(market, booking).ok()
    market.control.advance(3_600)
    told = earnings(market, provider)
    assert (told["totalEarnings"], told["heldEarnings"]) == (usd("0.00"), usd("0.00"))
    assert booking_sums(market, booking)[HELD] == -200_00
    assert owed(provider) not in booking_sums(market, booking)
    quote = as_operator(market, booking, "refund-processor", "CALCULATE_REFUND").ok()
    assert (quote["refundable"], quote["refundAmount"]) == (True, usd("200.00"))
    books_balance(market, booking)


def paid_out(market: Market, pm: str) -> Any:
    booking = a_completed_booking(market, pm=pm)
    payout(market, booking.service.provider).ok()
    market.control.advance(3 * 86_400)
    arrive(market)
    return booking


def test_a_refund_that_fails_after_the_payout_leaves_no_debt(market: Market) -> None:
    booking = paid_out(market, FAILS_LATER)
    provider = booking.service.provider
    market.control.webhooks("hold")  # the refund is recorded, and its debt, before it fails
    refund(market, booking, 100).ok()
    assert earnings(market, provider)["debt"] == usd("92.00")
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.advance(3_600)
    assert earnings(market, provider)["debt"] == usd("0.00")
    assert debt(provider) not in provider_sums(market, provider)
    following = a_completed_booking(market, provider)
    assert payout(market, provider).ok()["amount"] == usd("184.00")
    books_balance(market, booking, following)


def test_what_paid_a_debt_that_was_none_is_payable_again(market: Market) -> None:
    booking = paid_out(market, FAILS_LATER)
    provider = booking.service.provider
    following = a_completed_booking(market, provider)
    market.control.webhooks("hold")
    refund(market, booking, 100).ok()
    netted = payout(market, provider).ok()
    assert (netted["amount"], netted["debtRecovered"]) == (usd("92.00"), usd("92.00"))
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.advance(3_600)
    told = earnings(market, provider)
    assert (told["debt"], told["totalEarnings"]) == (usd("0.00"), usd("92.00"))
    assert payout(market, provider).ok()["amount"] == usd("92.00")
    assert sorted(one.amount for one in transfers_of(market, following)) == [92_00, 92_00]
    books_balance(market, booking, following)


@pytest.mark.parametrize("transferred", [False, True])
def test_a_compensation_alone_gives_the_platform_what_the_provider_does_not_keep(
    market: Market, transferred: bool
) -> None:
    booking = a_completed_booking(market, pm="pm_card_visa")
    provider = booking.service.provider
    if transferred:
        payout(market, provider).ok()
    told = refund(market, booking, 0, providerCompensation=100).ok()
    assert told["refundId"] is None
    assert booking_sums(market, booking).get("platform:commission") == -100_00
    assert [one.amount_reversed for one in transfers_of(market, booking)] == (
        [84_00] if transferred else []
    )
    if not transferred:
        assert earnings(market, provider)["totalEarnings"] == usd("100.00")
    books_balance(market, booking)
