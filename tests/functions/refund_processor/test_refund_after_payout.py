"""Refunds of what the provider has already: reversals, debts, and the next earnings."""

from __future__ import annotations

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    a_provider_at_bank,
    arrive,
    earnings,
    maintenance,
    payout,
    payout_now,
    payouts_of,
    refund,
    refunds_of,
    together,
    transfers_of,
)
from tests.functions.books import (
    COMMISSION,
    booking_sums,
    books_balance,
    connected,
    debt,
    owed,
    provider_sums,
)
from tests.support.market import Market, usd


@pytest.fixture(autouse=True)
def _platform_has_funds(market: Market) -> None:
    """A booking that nobody refunds, so that refunds of money paid out are not short of it."""
    a_paid_booking(market, price=1000)


def test_a_transfer_not_paid_out_yet_is_reversed_in_proportion(market: Market) -> None:
    provider = a_provider_at_bank(market, "000111111116")
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)  # and back: the money is in the provider's balance
    told = refund(market, booking, 50).ok()
    assert told["providerEarningsReversed"] == usd("46.00")
    market.control.idle()
    [transfer] = transfers_of(market, booking)
    assert transfer.amount_reversed == 46_00
    assert provider_sums(market, provider)[connected(provider)] == 138_00
    assert earnings(market, provider)["totalEarnings"] == usd("138.00")
    books_balance(market, booking)
    refund(market, booking).ok()
    market.control.idle()
    assert transfers_of(market, booking)[0].reversed is True
    assert earnings(market, provider)["totalEarnings"] == 0
    totals = provider_sums(market, provider)
    assert {owed(provider), debt(provider), connected(provider), COMMISSION} & set(totals) == set()
    books_balance(market, booking)


def test_after_the_payout_the_customer_is_refunded_and_the_provider_owes_it(
    market: Market,
) -> None:
    first = a_completed_booking(market)
    provider = first.service.provider
    payout(market, provider).ok()
    arrive(market)
    told = refund(market, first, 100).ok()
    assert told["status"] == "SUCCEEDED"
    assert [one.amount for one in refunds_of(market, first)] == [100_00]
    assert transfers_of(market, first)[0].amount_reversed == 0
    market.control.idle()
    totals = provider_sums(market, provider)
    assert totals[debt(provider)] == 92_00
    assert owed(provider) not in totals
    assert earnings(market, provider)["totalEarnings"] == 0
    assert payout(market, provider).refused(400)["available"] == 0
    books_balance(market, first)

    second = a_completed_booking(market, provider)
    assert earnings(market, provider)["totalEarnings"] == usd("92.00")
    refused = payout(market, provider, amount=100).refused(400)
    assert refused["available"] == usd("92.00")
    sent = payout(market, provider).ok()
    assert sent["amount"] == usd("92.00")
    assert sum(one.amount for one in transfers_of(market, second)) == 92_00
    arrive(market)
    assert payout_now(market, sent["payoutId"])["status"] == "PAID"
    assert [one.amount for one in payouts_of(market, provider)] == [184_00, 92_00]
    totals = provider_sums(market, provider)
    assert {owed(provider), debt(provider), connected(provider)} & set(totals) == set()
    assert earnings(market, provider)["totalEarnings"] == 0
    assert booking_sums(market, first)[COMMISSION] == -8_00
    books_balance(market, first, second)


def test_a_debt_larger_than_the_next_earnings_takes_them_all(market: Market) -> None:
    first = a_completed_booking(market)
    provider = first.service.provider
    payout(market, provider).ok()
    arrive(market)
    refund(market, first).ok()
    small = a_completed_booking(market, provider, price=100)
    assert earnings(market, provider)["totalEarnings"] == 0
    assert payout(market, provider).refused(400)["available"] == 0
    large = a_completed_booking(market, provider, price=200)
    assert earnings(market, provider)["totalEarnings"] == usd("92.00")
    sent = payout(market, provider).ok()
    assert sent["amount"] == usd("92.00")
    arrive(market)
    totals = provider_sums(market, provider)
    assert {owed(provider), debt(provider), connected(provider)} & set(totals) == set()
    books_balance(market, first, small, large)


def test_earnings_that_settled_a_debt_are_owed_again_when_they_are_refunded(
    market: Market,
) -> None:
    first = a_completed_booking(market)
    provider = first.service.provider
    payout(market, provider).ok()
    arrive(market)
    refund(market, first, 100).ok()  # owes 92.00
    second = a_completed_booking(market, provider)
    payout(market, provider).ok()  # 92.00 netted, 92.00 sent
    arrive(market)
    refund(market, second).ok()
    market.control.idle()
    totals = provider_sums(market, provider)
    assert totals[debt(provider)] == 184_00
    assert owed(provider) not in totals
    third = a_completed_booking(market, provider, price=300)
    assert earnings(market, provider)["totalEarnings"] == usd("92.00")
    books_balance(market, first, second, third)


def test_a_refund_does_not_take_what_lies_there_for_another_booking(market: Market) -> None:
    provider = market.a_provider()
    paid = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    lies_there = a_completed_booking(market, provider, pm="pm_card_visa")
    waiting = payout(market, provider).ok()  # transferred, its funds pending
    refund(market, paid).ok()
    market.control.idle()
    arrive(market)
    maintenance(market)
    arrive(market)
    assert payout_now(market, waiting["payoutId"])["status"] == "PAID"
    assert provider_sums(market, provider)[debt(provider)] == 184_00
    assert connected(provider) not in provider_sums(market, provider)
    books_balance(market, paid, lies_there)


def test_a_refund_takes_its_booking_out_of_a_payout_that_waits_for_funds(market: Market) -> None:
    provider = market.a_provider()
    bookings = [a_completed_booking(market, provider, pm="pm_card_visa") for _ in range(2)]
    waiting = payout(market, provider).ok()
    assert waiting["amount"] == usd("368.00")
    refund(market, bookings[0]).ok()
    refund(market, bookings[1], 100).ok()
    market.control.idle()
    assert [transfers_of(market, one)[0].amount_reversed for one in bookings] == [184_00, 92_00]
    arrive(market)
    maintenance(market)
    arrive(market)
    sent = payout_now(market, waiting["payoutId"])
    assert (sent["status"], sent["amount"]) == ("PAID", usd("92.00"))
    assert sent["bookingIds"] == [bookings[1].id]
    totals = provider_sums(market, provider)
    assert {owed(provider), debt(provider), connected(provider)} & set(totals) == set()
    assert earnings(market, provider)["totalEarnings"] == 0
    books_balance(market, *bookings)


def test_two_refunds_at_once_take_back_no_more_than_their_sum(market: Market) -> None:
    provider = market.a_provider()
    booking = a_completed_booking(market, provider, pm="pm_card_visa")
    payout(market, provider).ok()
    answers = together(*[lambda: refund(market, booking, 50)] * 3)
    assert {answer.status for answer in answers} == {200}
    market.control.idle()
    assert transfers_of(market, booking)[0].amount_reversed == 138_00
    assert provider_sums(market, provider).get(debt(provider), 0) == 0
    books_balance(market, booking)


def test_a_refund_while_the_payout_is_under_way_is_owed(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    sent = payout(market, provider).ok()
    refund(market, booking).ok()
    market.control.idle()
    arrive(market)
    assert payout_now(market, sent["payoutId"])["status"] == "PAID"
    assert provider_sums(market, provider)[debt(provider)] == 184_00
    assert earnings(market, provider)["totalEarnings"] == 0
    books_balance(market, booking)


def test_an_operators_compensation_after_the_payout_leaves_the_provider_that_much(
    market: Market,
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    payout(market, provider).ok()
    arrive(market)
    told = refund(market, booking, 100, providerCompensation=100).ok()
    assert told["booking"]["status"] == "CANCELLED"
    market.control.idle()
    assert provider_sums(market, provider)[debt(provider)] == 84_00
    assert COMMISSION not in booking_sums(market, booking)
    books_balance(market, booking)
