"""A payout tells of every booking in it, when it arrives, and why it did not."""

from __future__ import annotations

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    a_provider_at_bank,
    arrive,
    payout,
    payout_now,
    refund,
)
from tests.support.market import Market, usd


def test_each_booking_in_a_payout_shows_what_it_brought_and_what_went_off(market: Market) -> None:
    whole = a_completed_booking(market)
    provider = whole.service.provider
    halved = a_paid_booking(market, provider)
    refund(market, halved, 50).ok()
    market.complete(halved)
    told = payout(market, provider).ok()
    lines = {line["bookingId"]: line for line in told["bookings"]}
    title = market.booking(whole.id)["service"]["title"]
    assert lines[whole.id] == {
        "bookingId": whole.id,
        "title": title,
        "total": usd("200.00"),
        "refunded": usd("0.00"),
        "platformFee": usd("16.00"),
        "net": usd("184.00"),
        "amount": usd("184.00"),
    }
    assert lines[halved.id]["refunded"] == usd("50.00")
    assert lines[halved.id]["platformFee"] == usd("12.00")
    assert lines[halved.id]["net"] == lines[halved.id]["amount"] == usd("138.00")
    assert sum(line["amount"] for line in lines.values()) == told["amount"] == usd("322.00")


def test_a_part_of_a_bookings_earnings_stands_beside_all_that_it_earned(market: Market) -> None:
    booking = a_completed_booking(market)
    [line] = payout(market, booking.service.provider, amount=100).ok()["bookings"]
    assert (line["net"], line["amount"]) == (usd("184.00"), usd("100.00"))


def test_a_payout_on_its_way_says_when_it_should_arrive(market: Market) -> None:
    booking = a_completed_booking(market)
    told = payout(market, booking.service.provider).ok()
    assert told["arrivalDate"] > told["createdAt"]
    assert told["failure"] is None


def test_a_payout_that_came_back_says_why_and_what_to_do(market: Market) -> None:
    provider = a_provider_at_bank(market, "000111111113")
    a_completed_booking(market, provider)
    told = payout(market, provider).ok()
    arrive(market)
    failed = payout_now(market, told["payoutId"])
    assert (failed["status"], failed["failureCode"]) == ("FAILED", "account_closed")
    assert failed["failure"]["reason"] == "The bank account has been closed."
    assert "another bank account" in failed["failure"]["nextStep"]
