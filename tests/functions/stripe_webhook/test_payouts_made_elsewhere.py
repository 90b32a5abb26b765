"""Payouts of connected accounts that nobody asked us for, such as from Stripe's dashboard."""

from __future__ import annotations

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_provider_at_bank,
    arrive,
    charge_of,
    earnings,
    payout,
    transfers_of,
)
from tests.functions.books import about, books_balance, debt, owed, provider_sums, reconcile
from tests.support.market import Booking, Market, Provider, usd

PAYS, FAILS = "000123456789", "000111111116"


def bank(market: Market, provider: Provider, number: str) -> None:
    assert provider.account_id is not None
    market.control.onboard(provider.account_id, bank_account_number=number)
    market.control.idle()


def in_the_balance(market: Market) -> Booking:
    """A booking whose earnings lie in the connected account, since the bank refused its payout."""
    provider = a_provider_at_bank(market, FAILS)
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    bank(market, provider, PAYS)
    return booking


def by_hand(market: Market, provider: Provider, amount: int) -> str:
    """The provider pays their balance out at Stripe; the payout's id there."""
    made = market.stripe.v1.payouts.create(
        {"amount": amount, "currency": "usd"}, {"stripe_account": str(provider.account_id)}
    )
    market.control.idle()
    return made.id


def test_a_payout_made_at_stripe_pays_the_bookings_whose_money_it_took(market: Market) -> None:
    booking = in_the_balance(market)
    provider = booking.service.provider
    by_hand(market, provider, 184_00)
    assert earnings(market, provider)["scheduledEarnings"] == usd("184.00")
    arrive(market)
    assert earnings(market, provider)["paidEarnings"] == usd("184.00")
    assert payout(market, provider).refused(400)["available"] == 0
    caller = market.api.as_user(provider.uid)
    told = caller.post("payout-manager", "GET_PAYOUT_HISTORY", providerId=provider.uid).ok()
    newest = told["payouts"][0]
    assert (newest["status"], newest["bookingIds"]) == ("PAID", [booking.id])
    assert len(transfers_of(market, booking)) == 1
    books_balance(market, booking)


def test_a_payout_made_at_stripe_that_comes_back_is_payable_again(market: Market) -> None:
    booking = in_the_balance(market)
    provider = booking.service.provider
    by_hand(market, provider, 100_00)
    assert earnings(market, provider)["totalEarnings"] == usd("84.00")
    [made, _] = market.stripe.v1.payouts.list({}, {"stripe_account": str(provider.account_id)}).data
    market.stripe.v1.payouts.cancel(made.id, {}, {"stripe_account": str(provider.account_id)})
    market.control.idle()
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_money_of_nobodys_booking_may_be_paid_out_at_stripe_too(market: Market) -> None:
    booking = in_the_balance(market)
    provider = booking.service.provider
    market.stripe.v1.transfers.create(
        {"amount": 5_00, "currency": "usd", "destination": str(provider.account_id)}
    )
    market.control.idle()
    by_hand(market, provider, 189_00)
    arrive(market)
    assert earnings(market, provider)["paidEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_what_a_dispute_held_and_was_paid_out_at_stripe_is_owed_when_it_is_lost(
    market: Market,
) -> None:
    booking = in_the_balance(market)
    provider = booking.service.provider
    market.control.dispute(charge_of(market, booking))
    market.control.idle()
    by_hand(market, provider, 184_00)
    arrive(market)
    books_balance(market, booking)
    market.control.dispute(charge_of(market, booking), outcome="lost")
    market.control.idle()
    assert provider_sums(market, provider)[debt(provider)] == 184_00
    assert owed(provider) not in provider_sums(market, provider)
    assert earnings(market, provider)["debt"] == usd("184.00")
    books_balance(market, booking)


@pytest.mark.parametrize("arrived", [False, True])
def test_reconcile_takes_one_over_that_nobody_told_us_of(market: Market, arrived: bool) -> None:
    booking = in_the_balance(market)
    provider = booking.service.provider
    market.control.webhooks("drop")
    stripe_id = by_hand(market, provider, 184_00)
    if arrived:
        arrive(market)
    market.control.webhooks("normal")
    told = reconcile(market)
    assert told["repaired"] >= 1
    assert about(told, stripe_id, str(provider.account_id), booking.id) == []
    books_balance(market, booking)
