"""PROCESS_REFUND: how much, to the cent; who may; and never twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    as_customer,
    as_operator,
    as_provider,
    earnings,
    payout,
    refund,
    refunds_of,
    soon,
    together,
    transfers_of,
)
from tests.functions.books import COMMISSION, HELD, booking_sums, books_balance, owed
from tests.support.market import Market, fresh, usd


def test_partial_refunds_give_the_fee_back_in_proportion_and_end_at_all_of_it(
    market: Market,
) -> None:
    booking = a_paid_booking(market)
    first = refund(market, booking, 150, reason="customer_request").ok()
    assert first["refundAmount"] == usd("150.00")
    assert first["platformFeeRefunded"] == usd("12.00")
    assert first["providerEarningsReversed"] == usd("138.00")
    assert first["currency"] == "USD"
    assert first["booking"]["status"] == "CONFIRMED"
    second = refund(market, booking).ok()
    assert second["refundAmount"] == usd("50.00")
    assert second["platformFeeRefunded"] == usd("4.00")
    assert second["providerEarningsReversed"] == usd("46.00")
    assert second["booking"]["status"] == "REFUNDED"
    assert [one.amount for one in refunds_of(market, booking)] == [150_00, 50_00]
    assert HELD not in booking_sums(market, booking)
    market.control.idle()
    books_balance(market, booking)


@pytest.mark.parametrize("chain", [["0.01"] * 3, ["33.33", "33.33", "33.34"], ["99.99", "0.01"]])
def test_any_chain_of_refunds_ends_at_the_cent_of_one(market: Market, chain: list[str]) -> None:
    booking = a_paid_booking(market, price="100.10")
    parts = [refund(market, booking, usd(amount)).ok() for amount in chain]
    given = sum(part["platformFeeRefunded"] for part in parts)
    total = sum(usd(amount) for amount in chain)
    # 8.01 of fee on 100.10; what went back so far rounds half up
    assert given == (usd("8.01") * total / usd("100.10")).quantize(usd("0.01"), "ROUND_HALF_UP")
    rest = refund(market, booking).ok()
    assert given + rest["platformFeeRefunded"] == usd("8.01")
    assert rest["booking"]["status"] == "REFUNDED"
    market.control.idle()
    books_balance(market, booking)


def test_the_guides_refund_with_a_compensation_cancels_and_pays_the_provider(
    market: Market,
) -> None:
    booking = a_paid_booking(market)
    told = refund(market, booking, 150, reason="customer_request", providerCompensation=50).ok()
    assert told["refundAmount"] == usd("150.00")
    assert told["providerCompensation"] == usd("50.00")
    assert told["booking"]["status"] == "CANCELLED"
    found = earnings(market, booking.service.provider)
    assert found["totalEarnings"] == usd("50.00")
    assert found["eligibleBookings"][0]["amount"] == usd("50.00")
    totals = booking_sums(market, booking)
    assert totals[owed(booking.service.provider)] == -50_00
    assert COMMISSION not in totals
    assert HELD not in totals
    assert payout(market, booking.service.provider).ok()["amount"] == usd("50.00")
    market.control.idle()
    books_balance(market, booking)


def test_only_an_operator_sets_a_compensation_and_within_what_is_left(market: Market) -> None:
    booking = a_paid_booking(market)
    asked = {"refundAmount": 150, "providerCompensation": 20}
    for act in (as_customer, as_provider):
        act(market, booking, "refund-processor", "PROCESS_REFUND", **asked).refused(403)
    refund(market, booking, 150, providerCompensation="50.01").refused(400)
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    assert refunds_of(market, booking) == []
    books_balance(market, booking)


def test_a_compensation_without_a_refund_leaves_the_platform_the_rest(market: Market) -> None:
    booking = a_paid_booking(market)
    told = refund(market, booking, 0, providerCompensation=200).ok()
    assert told["booking"]["status"] == "CANCELLED"
    assert booking_sums(market, booking)[owed(booking.service.provider)] == -200_00
    assert refunds_of(market, booking) == []
    books_balance(market, booking)


def test_a_customer_gets_at_most_what_the_policy_gives(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=20))
    act = "refund-processor", "PROCESS_REFUND"
    told = as_customer(market, booking, *act, refundAmount="100.01").refused(400, "exceeds_policy")
    assert told["allowed"] == usd("100.00")
    assert refunds_of(market, booking) == []
    given = as_customer(market, booking, *act, refundAmount=100).ok()
    assert given["refundAmount"] == usd("100.00")
    more = as_customer(market, booking, *act, refundAmount=1).refused(400, "exceeds_policy")
    assert more["allowed"] == 0
    market.control.idle()
    books_balance(market, booking)


def test_the_provider_may_give_back_what_is_left_and_no_more(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market), cancellationPolicy="STRICT")
    act = "refund-processor", "PROCESS_REFUND"
    as_provider(market, booking, *act, refundAmount=120).ok()
    told = as_provider(market, booking, *act, refundAmount="80.01").refused(400)
    assert told["allowed"] == usd("80.00")
    assert as_provider(market, booking, *act).ok()["refundAmount"] == usd("80.00")
    market.control.idle()
    books_balance(market, booking)


def test_an_amount_that_is_no_amount_is_refused(market: Market) -> None:
    booking = a_paid_booking(market)
    for bad in ("150.001", -1, "NaN", "1e3", True, 0):
        refund(market, booking, bad).refused(400)
    assert refunds_of(market, booking) == []


@pytest.mark.parametrize("act", [as_customer, as_provider])
def test_a_completed_booking_is_not_refundable_in_the_guides_words(
    market: Market, act: Any
) -> None:
    booking = a_completed_booking(market)
    told = act(market, booking, "refund-processor", "PROCESS_REFUND", refundAmount=10).refused(400)
    assert told["error"] == "Booking is not in a refundable state"
    assert told["currentStatus"] == "COMPLETED"
    books_balance(market, booking)


def test_no_state_but_confirmed_is_refundable_to_a_customer(market: Market) -> None:
    act = "refund-processor", "PROCESS_REFUND"
    unpaid, cancelled, refunded = market.a_booking(), a_paid_booking(market), a_paid_booking(market)
    as_provider(market, cancelled, "booking-processor", "CANCEL_BOOKING").ok()
    refund(market, refunded).ok()
    for booking, status in [
        (unpaid, "PENDING"),
        (cancelled, "CANCELLED"),
        (refunded, "REFUNDED"),
    ]:
        for who in (as_customer, as_provider, as_operator):
            told = who(market, booking, *act, refundAmount=10).refused(400)
            assert told["error"] == "Booking is not in a refundable state"
            assert told["currentStatus"] == status
    market.control.idle()
    books_balance(market, cancelled, refunded)


def test_an_operator_may_refund_a_completed_booking_before_its_payout(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    told = refund(market, booking, 50).ok()
    assert told["platformFeeRefunded"] == usd("4.00")
    assert told["booking"]["status"] == "COMPLETED"
    assert earnings(market, provider)["totalEarnings"] == usd("138.00")
    assert refund(market, booking).ok()["booking"]["status"] == "REFUNDED"
    assert earnings(market, provider)["totalEarnings"] == 0
    totals = booking_sums(market, booking)
    assert owed(provider) not in totals
    assert COMMISSION not in totals
    assert transfers_of(market, booking) == []
    market.control.idle()
    books_balance(market, booking)


def test_a_refund_without_a_key_twice_within_a_minute_is_one_and_later_it_is_two(
    market: Market,
) -> None:
    booking = a_paid_booking(market)
    act, asked = ("refund-processor", "PROCESS_REFUND"), {"refundAmount": 20, "reason": "late"}
    first = as_operator(market, booking, *act, **asked).ok()
    assert as_operator(market, booking, *act, **asked).ok()["refundId"] == first["refundId"]
    other = as_operator(market, booking, *act, **{**asked, "reason": "cold"}).ok()
    assert other["refundId"] != first["refundId"]
    market.control.advance(61)
    again = as_operator(market, booking, *act, **{**asked, "reason": "cold"}).ok()
    assert again["refundId"] != other["refundId"]
    assert [one.amount for one in refunds_of(market, booking)] == [20_00] * 3
    market.control.idle()
    books_balance(market, booking)


def test_a_double_click_is_noticed_even_after_another_refund_in_between(market: Market) -> None:
    booking = a_paid_booking(market)
    act = "refund-processor", "PROCESS_REFUND"
    asked = {"refundAmount": 20, "reason": "late"}
    first = as_operator(market, booking, *act, **asked).ok()
    as_operator(market, booking, *act, **{**asked, "reason": "cold"}).ok()
    assert as_operator(market, booking, *act, **asked).ok()["refundId"] == first["refundId"]
    assert len(refunds_of(market, booking)) == 2
    market.control.idle()
    books_balance(market, booking)


def test_a_double_click_at_once_is_one_refund(market: Market) -> None:
    booking = a_paid_booking(market)
    act, asked = ("refund-processor", "PROCESS_REFUND"), {"refundAmount": 20, "reason": "late"}
    answers = together(*[lambda: as_operator(market, booking, *act, **asked)] * 3)
    assert len({answer.ok()["refundId"] for answer in answers}) == 1
    assert [one.amount for one in refunds_of(market, booking)] == [20_00]
    market.control.idle()
    books_balance(market, booking)


def test_a_double_click_on_a_full_refund_is_answered_with_the_first(market: Market) -> None:
    booking = a_paid_booking(market)
    act = "refund-processor", "PROCESS_REFUND"
    first = as_customer(market, booking, *act, refundAmount=200).ok()
    second = as_customer(market, booking, *act, refundAmount=200).ok()
    assert second["refundId"] == first["refundId"]
    assert len(refunds_of(market, booking)) == 1
    market.control.idle()
    books_balance(market, booking)


def test_two_keys_are_two_refunds_and_one_key_is_one(market: Market) -> None:
    booking, key = a_paid_booking(market), fresh("key")
    first = refund(market, booking, 20, idempotency_key=key).ok()
    again = refund(market, booking, 20, idempotency_key=key)
    assert again.ok() == first
    assert again.headers["Idempotent-Replayed"] == "true"
    refund(market, booking, 21, idempotency_key=key).refused(422)
    assert refund(market, booking, 20).ok()["refundId"] != first["refundId"]
    assert [one.amount for one in refunds_of(market, booking)] == [20_00, 20_00]
    market.control.idle()
    books_balance(market, booking)


def test_refunds_raced_never_give_back_more_than_was_paid(market: Market) -> None:
    booking = a_paid_booking(market)
    answers = together(*[lambda: refund(market, booking, 120)] * 4)
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    assert [one.amount for one in refunds_of(market, booking)] == [120_00]
    market.control.idle()
    books_balance(market, booking)


def test_a_three_decimal_refund_is_rounded_in_the_platforms_disfavour(market: Market) -> None:
    booking = a_paid_booking(market, price="10.110", currency="KWD")
    told = refund(market, booking, usd("1.234")).ok()
    assert told["refundAmount"] == usd("1.240")
    assert told["currency"] == "KWD"
    assert refund(market, booking).ok()["booking"]["status"] == "REFUNDED"
    assert sum(one.amount for one in refunds_of(market, booking)) == 10_110
    market.control.idle()
    books_balance(market, booking)


def test_a_whole_unit_currency_has_no_decimals(market: Market) -> None:
    booking = a_paid_booking(market, price=1500, currency="JPY")
    refund(market, booking, usd("10.5")).refused(400)
    told = refund(market, booking, 500).ok()
    assert (told["refundAmount"], told["platformFeeRefunded"]) == (500, 40)
    market.control.idle()
    books_balance(market, booking)


def test_what_a_refund_would_give_is_told_beforehand(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=20))
    act = "refund-processor", "CALCULATE_REFUND"
    told = as_customer(market, booking, *act).ok()
    assert told["refundable"] is True
    assert (told["refundPercent"], told["refundAmount"]) == (50, usd("100.00"))
    assert told["platformFeeRefunded"] == usd("8.00")
    assert told["providerEarningsReversed"] == usd("92.00")
    assert told["providerCompensation"] == usd("92.00")
    assert as_operator(market, booking, *act).ok()["refundAmount"] == usd("200.00")
    assert as_provider(market, booking, *act, refundAmount=50).ok()["refundAmount"] == usd("50.00")
    assert refunds_of(market, booking) == []
    as_customer(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
    over = as_customer(market, booking, *act).ok()
    assert (over["refundable"], over["refundAmount"]) == (False, 0)
    books_balance(market, booking)


def test_a_stranger_learns_nothing_of_refunds(market: Market) -> None:
    booking = a_paid_booking(market)
    given = refund(market, booking, 20).ok()
    stranger = market.api.as_user(fresh("customer"))
    act = "refund-processor"
    for action in ("CALCULATE_REFUND", "PROCESS_REFUND", "GET_REFUND_STATUS"):
        stranger.post(act, action, bookingId=booking.id).refused(404)
    stranger.post(act, "GET_REFUND_STATUS", refundId=given["refundId"]).refused(404)
