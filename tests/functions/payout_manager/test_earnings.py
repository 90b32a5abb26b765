"""CALCULATE_EARNINGS: the guide's shape, and what counts as earned."""

from __future__ import annotations

from tests.functions.acts import (
    AT_ONCE,
    a_completed_booking,
    a_paid_booking,
    as_customer,
    earnings,
    payout,
    soon,
)
from tests.functions.books import books_balance
from tests.support.market import Market, fresh, usd


def test_earnings_have_the_guides_shape(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    told = earnings(market, provider)
    assert told["providerId"] == provider.uid
    assert told["totalEarnings"] == usd("184.00")
    assert told["bookingCount"] == 1
    assert told["currency"] == "USD"
    [one] = told["eligibleBookings"]
    assert one["bookingId"] == booking.id
    assert one["amount"] == usd("184.00")
    assert one["completedAt"] == market.booking(booking.id)["completedAt"]
    assert told["heldEarnings"] == 0
    books_balance(market, booking)


def test_a_provider_without_bookings_has_earned_nothing(market: Market) -> None:
    told = earnings(market, market.a_provider())
    assert (told["totalEarnings"], told["bookingCount"]) == (0, 0)
    assert told["eligibleBookings"] == []
    assert told["currency"] == "USD"


def test_paid_and_not_completed_is_held_and_not_earned(market: Market) -> None:
    booking = a_paid_booking(market)
    told = earnings(market, booking.service.provider)
    assert (told["totalEarnings"], told["heldEarnings"]) == (0, usd("184.00"))
    assert told["eligibleBookings"] == []


def test_earnings_in_two_currencies_are_never_added_up(market: Market) -> None:
    provider = market.a_provider()
    dollars = a_completed_booking(market, provider, price=200)
    yen = a_completed_booking(market, provider, price=1500, currency="JPY")
    told = earnings(market, provider)
    assert told["byCurrency"]["USD"]["totalEarnings"] == usd("184.00")
    assert told["byCurrency"]["JPY"]["totalEarnings"] == 1380
    assert earnings(market, provider, currency="JPY")["totalEarnings"] == 1380
    books_balance(market, dollars, yen)


def test_the_oldest_earnings_go_out_first_and_a_booking_may_go_in_parts(market: Market) -> None:
    provider = market.a_provider()
    first = a_completed_booking(market, provider, pm=AT_ONCE)
    second = a_completed_booking(market, provider, pm=AT_ONCE)
    told = payout(market, provider, amount=200).ok()
    assert told["amount"] == usd("200.00")
    assert told["bookingIds"] == [first.id, second.id]
    left = earnings(market, provider)
    assert left["totalEarnings"] == usd("168.00")
    assert [(one["bookingId"], one["amount"]) for one in left["eligibleBookings"]] == [
        (second.id, usd("168.00"))
    ]
    rest = payout(market, provider).ok()
    assert (rest["amount"], rest["bookingIds"]) == (usd("168.00"), [second.id])
    assert earnings(market, provider)["totalEarnings"] == 0
    market.control.idle()
    books_balance(market, first, second)


def test_only_the_provider_and_operators_see_earnings(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market))
    provider = booking.service.provider
    act = {"providerId": provider.uid}
    for uid in (booking.customer, fresh("provider")):
        caller = market.api.as_user(uid)
        assert caller.post("payout-manager", "CALCULATE_EARNINGS", **act).status in (403, 404)
    told = market.api.as_operator().post("payout-manager", "CALCULATE_EARNINGS", **act).ok()
    assert told["heldEarnings"] == usd("184.00")
    as_customer(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
