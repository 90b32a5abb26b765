"""Refunds while a payout is between the connected balance and the bank, and after it came back."""

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
    transfers_of,
)
from tests.functions.books import books_balance, connected, debt, owed, provider_sums
from tests.support.market import Booking, Market, Provider, usd

PAYS, FAILS = "000123456789", "000111111116"
PENDING_FUNDS = "pm_card_visa"


@pytest.fixture(autouse=True)
def _platform_has_funds(market: Market) -> None:
    """A booking that nobody refunds, so that refunds of money paid out are not short of it."""
    a_paid_booking(market, price=1000)


def bank(market: Market, provider: Provider, number: str) -> None:
    """The provider enters another bank account."""
    assert provider.account_id is not None
    market.control.onboard(provider.account_id, bank_account_number=number)
    market.control.idle()


def all_even(market: Market, *bookings: Booking) -> None:
    """Nobody has, owes or waits for anything any more."""
    [provider] = {booking.service.provider for booking in bookings}
    totals = provider_sums(market, provider)
    assert {owed(provider), debt(provider), connected(provider)} & set(totals) == set()
    assert earnings(market, provider)["totalEarnings"] == 0
    books_balance(market, *bookings)


def test_a_refund_of_what_is_on_its_way_to_the_bank_takes_nothing_of_other_bookings(
    market: Market,
) -> None:
    left = a_completed_booking(market)
    provider = left.service.provider
    waits = a_completed_booking(market, provider, pm=PENDING_FUNDS)
    first = payout(market, provider, amount=184).ok()
    second = payout(market, provider).ok()
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    refund(market, left, 50).ok()
    market.control.idle()
    assert [one.amount_reversed for one in transfers_of(market, left)] == [0]
    assert earnings(market, provider)["debt"] == usd("46.00")
    books_balance(market, left, waits)
    arrive(market)
    arrive(market)
    maintenance(market)
    for told in (first, second):
        assert payout_now(market, told["payoutId"])["status"] == "PAID"
    assert [one.amount for one in payouts_of(market, provider)] == [184_00, 184_00]
    assert provider_sums(market, provider)[debt(provider)] == 46_00
    books_balance(market, left, waits)


def test_a_debt_ends_when_the_payout_it_came_of_is_back(market: Market) -> None:
    provider = a_provider_at_bank(market, FAILS)
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    refund(market, booking, 50).ok()
    assert earnings(market, provider)["debt"] == usd("46.00")
    arrive(market)
    assert earnings(market, provider)["debt"] == 0
    assert earnings(market, provider)["totalEarnings"] == usd("138.00")
    assert [one.amount_reversed for one in transfers_of(market, booking)] == [46_00]
    assert provider_sums(market, provider)[connected(provider)] == 138_00
    books_balance(market, booking)
    bank(market, provider, PAYS)
    assert payout(market, provider).ok()["amount"] == usd("138.00")
    arrive(market)
    all_even(market, booking)


def test_earnings_that_paid_such_a_debt_are_payable_again_when_the_payout_is_back(
    market: Market,
) -> None:
    provider = a_provider_at_bank(market, FAILS)
    back = a_completed_booking(market, provider)
    payout(market, provider).ok()
    refund(market, back, 50).ok()
    pays = a_completed_booking(market, provider)

    waiting = payout(market, provider, scheduledDate="2190-01-01")
    assert waiting.ok()["debtRecovered"] == usd("46.00")
    arrive(market)  # and back
    assert earnings(market, provider)["debt"] == 0
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")  # 138 and the 46
    assert [one.amount_reversed for one in transfers_of(market, back)] == [46_00]
    books_balance(market, back, pays)
    bank(market, provider, PAYS)
    caller = market.api.as_user(provider.uid)
    payout_id = waiting.ok()["payoutId"]
    caller.post("payout-manager", "CANCEL_PAYOUT", payoutId=payout_id).ok()
    assert payout(market, provider).ok()["amount"] == usd("322.00")
    arrive(market)
    all_even(market, back, pays)


def test_a_debt_netted_from_earnings_that_were_transferred_comes_back_to_the_platform(
    market: Market,
) -> None:
    provider = a_provider_at_bank(market, PAYS)
    owes = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    bank(market, provider, FAILS)
    pays = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)  # and back: transferred, and not paid out
    refund(market, owes, 50).ok()
    bank(market, provider, PAYS)
    told = payout(market, provider).ok()
    assert (told["amount"], told["debtRecovered"]) == (usd("138.00"), usd("46.00"))
    assert [one.amount_reversed for one in transfers_of(market, pays)] == [46_00]
    arrive(market)
    assert earnings(market, provider)["debt"] == 0
    all_even(market, owes, pays)
