"""COMPLETE_BOOKING: not before the end, once, and then the provider has earned their part."""

from __future__ import annotations

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    as_customer,
    as_operator,
    as_provider,
    earnings,
    maintenance,
    soon,
    together,
)
from tests.functions.books import COMMISSION, HELD, booking_sums, books_balance, owed, rows_of
from tests.support.market import Market, usd


def test_a_booking_cannot_be_completed_before_its_end(market: Market) -> None:
    booking = a_paid_booking(market)
    as_provider(market, booking, "booking-processor", "COMPLETE_BOOKING").refused(409)
    as_operator(market, booking, "booking-processor", "COMPLETE_BOOKING").refused(409)
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    assert earnings(market, booking.service.provider)["totalEarnings"] == 0
    assert earnings(market, booking.service.provider)["heldEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_completion_earns_the_provider_92_percent_and_the_platform_8(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    totals = booking_sums(market, booking)
    assert (totals[owed(provider)], totals[COMMISSION]) == (-184_00, -16_00)
    assert HELD not in totals
    told = earnings(market, provider)
    assert (told["totalEarnings"], told["heldEarnings"]) == (usd("184.00"), 0)
    books_balance(market, booking)


def test_after_a_partial_refund_completion_earns_what_is_left(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market))
    refund = {"refundAmount": 150, "reason": "short"}
    as_operator(market, booking, "refund-processor", "PROCESS_REFUND", **refund).ok()
    market.complete(booking)
    totals = booking_sums(market, booking)
    assert totals[owed(booking.service.provider)] == -46_00
    assert totals[COMMISSION] == -4_00
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("46.00")
    books_balance(market, booking)


def test_completing_twice_or_at_once_earns_once(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market))
    market.control.advance(3600)
    act = "booking-processor", "COMPLETE_BOOKING"
    answers = together(
        lambda: as_provider(market, booking, *act), lambda: as_operator(market, booking, *act)
    )
    again = as_provider(market, booking, *act)
    assert {answer.ok()["status"] for answer in [*answers, again]} == {"COMPLETED"}
    kinds = [row["kind"] for row in rows_of(market, "bookingId", booking.id)]
    assert kinds.count("earning") == 1
    books_balance(market, booking)


def test_the_customer_cannot_complete_and_an_unpaid_booking_cannot_be_completed(
    market: Market,
) -> None:
    paid, unpaid = a_paid_booking(market, start=soon(market)), market.a_booking(start=soon(market))
    market.control.advance(3600)
    as_customer(market, paid, "booking-processor", "COMPLETE_BOOKING").refused(403)
    as_provider(market, unpaid, "booking-processor", "COMPLETE_BOOKING").refused(409)
    books_balance(market, paid)


def test_maintenance_completes_what_has_ended(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market))
    market.control.advance(3600)
    assert maintenance(market)["completed"] >= 1
    assert market.booking(booking.id)["status"] == "COMPLETED"
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)
