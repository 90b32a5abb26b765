"""Refunds whose way at Stripe is not a straight one: pending, failing, refused, cut short."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    as_customer,
    as_operator,
    earnings,
    maintenance,
    operations_left,
    refund,
    refunds_of,
    until_answered,
)
from tests.functions.books import HELD, STRIPE, booking_sums, books_balance, owed
from tests.support.market import Booking, Market, fresh, usd


def status_of(market: Market, booking: Booking) -> list[dict[str, Any]]:
    act = "refund-processor", "GET_REFUND_STATUS"
    told = until_answered(lambda: as_customer(market, booking, *act)).ok()
    refunds: list[dict[str, Any]] = told["refunds"]
    return refunds


def test_a_refund_that_the_bank_takes_its_time_over_is_pending_then_succeeds(
    market: Market,
) -> None:
    booking = a_paid_booking(market, pm="pm_card_pendingRefund")
    told = refund(market, booking, 50).ok()
    assert told["status"] in ("PENDING", "SUCCEEDED")
    market.control.idle()
    found = status_of(market, booking)
    assert [(one["refundId"], one["status"]) for one in found] == [(told["refundId"], "SUCCEEDED")]
    books_balance(market, booking)


def test_a_refund_that_fails_later_gives_the_money_back_to_be_refunded_again(
    market: Market,
) -> None:
    booking = a_paid_booking(market, pm="pm_card_refundFail")
    told = refund(market, booking, 50).ok()
    market.control.idle()
    found = status_of(market, booking)
    assert [(one["refundId"], one["status"]) for one in found] == [(told["refundId"], "FAILED")]
    assert found[0]["failureReason"]
    assert booking_sums(market, booking)[HELD] == -200_00
    seen = as_operator(market, booking, "refund-processor", "CALCULATE_REFUND").ok()
    assert seen["refundAmount"] == usd("200.00")
    books_balance(market, booking)


def test_a_failed_refund_of_earned_money_is_owed_to_the_provider_again(market: Market) -> None:
    booking = a_completed_booking(market, pm="pm_card_refundFail")
    provider = booking.service.provider
    refund(market, booking, 50).ok()
    market.control.idle()
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    assert booking_sums(market, booking)[owed(provider)] == -184_00
    books_balance(market, booking)


def test_an_operator_may_try_again_when_a_cancelled_bookings_refund_failed(market: Market) -> None:
    booking = a_paid_booking(market, pm="pm_card_refundFail")
    as_customer(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
    market.control.idle()
    assert [one["status"] for one in status_of(market, booking)] == ["FAILED"]
    assert booking_sums(market, booking)[HELD] == -200_00
    told = refund(market, booking, 200).ok()
    assert told["refundAmount"] == usd("200.00")
    assert told["booking"]["status"] == "CANCELLED"
    market.control.idle()
    assert booking_sums(market, booking)[HELD] == -200_00  # this card's refunds always fail
    assert len(refunds_of(market, booking)) == 2
    books_balance(market, booking)


def test_a_refund_beyond_the_platforms_balance_waits_and_settles_when_money_comes(
    market: Market,
) -> None:
    # a currency of its own, so that the platform's balance in it is this test's alone
    provider = market.a_provider()
    booking = a_paid_booking(market, provider, price=900, currency="DKK")
    balance = market.stripe.v1.balance.retrieve().available
    has = next(one.amount for one in balance if one.currency == "dkk")
    market.stripe.v1.payouts.create({"amount": has - 100, "currency": "dkk"})
    market.control.idle()
    told = refund(market, booking, 450).ok()
    assert told["status"] == "PENDING"
    market.control.idle()
    assert [one["status"] for one in status_of(market, booking)] == ["PENDING"]
    books_balance(market, booking)
    other = a_paid_booking(market, provider, price=900, currency="DKK")
    market.control.idle()
    assert [one["status"] for one in status_of(market, booking)] == ["SUCCEEDED"]
    assert booking_sums(market, booking)[HELD] == -450_00
    books_balance(market, booking, other)


def test_what_stripe_refuses_is_told_and_nothing_stays_set_aside(market: Market) -> None:
    booking = a_paid_booking(market)
    market.control.fault("POST", "/v1/refunds", "error_before", status=400, code="charge_disputed")
    told = refund(market, booking, 50).refused(502, "stripe_refused")
    assert told["stripeCode"] == "charge_disputed"
    assert [one["status"] for one in status_of(market, booking)] == ["FAILED"]
    assert refund(market, booking).ok()["refundAmount"] == usd("200.00")
    market.control.idle()
    books_balance(market, booking)


def test_a_full_refund_that_stripe_refuses_can_be_tried_again(market: Market) -> None:
    booking = a_paid_booking(market)
    market.control.fault("POST", "/v1/refunds", "error_before", status=400, code="charge_disputed")
    refund(market, booking).refused(502, "stripe_refused")
    told = refund(market, booking).ok()
    assert told["refundAmount"] == usd("200.00")
    assert told["booking"]["status"] == "REFUNDED"
    market.control.idle()
    assert HELD not in booking_sums(market, booking)
    books_balance(market, booking)


@pytest.mark.parametrize("mode", ["error_before", "timeout_after"])
def test_with_stripe_out_of_reach_the_same_key_finishes_the_refund(
    market: Market, mode: str
) -> None:
    booking, key = a_paid_booking(market), fresh("key")
    market.control.fault("POST", "/v1/refunds", mode, times=3, seconds=0.3, status=500)
    cut = refund(market, booking, 50, idempotency_key=key)
    if cut.status != 200:
        cut.refused(503)
        assert cut.headers["Retry-After"]
    market.control.clear_faults()
    told = refund(market, booking, 50, idempotency_key=key).ok()
    assert told["refundAmount"] == usd("50.00")
    market.control.idle()
    assert [one.amount for one in refunds_of(market, booking)] == [50_00]
    books_balance(market, booking)


@pytest.mark.parametrize(
    ("mode", "by"),
    [
        ("kill_before", "key"),
        ("kill_after", "maintenance"),
        ("kill_before", "maintenance"),
        ("reset_after", "maintenance"),
    ],
)
def test_a_refund_whose_server_dies_is_finished_with_one_refund(
    market: Market, mode: str, by: str
) -> None:
    booking, key = a_paid_booking(market), fresh("key")
    times = 1 if "kill" in mode else 3
    market.control.fault("POST", "/v1/refunds", mode, times=times)
    refund(market, booking, 50, idempotency_key=key)
    market.control.clear_faults()
    market.control.advance(6)  # the lease of the one who died
    if by == "key":
        told = until_answered(lambda: refund(market, booking, 50, idempotency_key=key)).ok()
        assert told["status"] == "SUCCEEDED"
    else:
        maintenance(market)
        assert [one["status"] for one in status_of(market, booking)] == ["SUCCEEDED"]
    market.control.idle()
    assert [one.amount for one in refunds_of(market, booking)] == [50_00]
    assert booking_sums(market, booking)[HELD] == -150_00
    assert operations_left(market, "bookingId", booking.id) == []
    books_balance(market, booking)


def test_refund_events_before_the_answer_and_twice_count_once(market: Market) -> None:
    booking = a_paid_booking(market)
    market.control.webhooks("duplicate")
    refund(market, booking, 50).ok()
    market.control.idle()
    market.control.webhooks("normal")
    assert booking_sums(market, booking)[HELD] == -150_00
    books_balance(market, booking)


def test_the_ledger_holds_what_stripe_took_of_the_charge(market: Market) -> None:
    booking = a_paid_booking(market)
    charge = market.stripe.v1.payment_intents.retrieve(
        booking.payment_intent, {"expand": ["latest_charge.balance_transaction"]}
    ).latest_charge
    refund(market, booking).ok()
    market.control.idle()
    fee = charge.balance_transaction.fee  # type: ignore[union-attr]
    assert fee > 0
    assert booking_sums(market, booking)[STRIPE] == -fee  # Stripe keeps its fee on a refund
    books_balance(market, booking)
