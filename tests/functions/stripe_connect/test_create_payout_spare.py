"""CREATE_PAYOUT takes what lies idle, and nothing that another payout waits for."""

from __future__ import annotations

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    a_provider_at_bank,
    arrive,
    charge_of,
    earnings,
    maintenance,
    payout,
    payout_now,
    payouts_of,
    refund,
)
from tests.functions.books import books_balance
from tests.support.market import Booking, Market, Provider, usd

TWO_DAYS = 2 * 86_400 + 60


def test_what_a_payout_under_way_waits_for_is_not_spare(market: Market) -> None:
    booking = a_completed_booking(market, pm="pm_card_visa")
    provider = booking.service.provider
    waiting = payout(market, provider).ok()
    market.control.webhooks("drop")  # nobody hears that the funds have come
    market.control.advance(TWO_DAYS)
    market.control.webhooks("normal")
    asked = {"providerId": provider.uid, "amount": 184}
    told = market.api.as_user(provider.uid).post("stripe-connect", "CREATE_PAYOUT", **asked)
    assert (told.status, told.json["type"]) == (400, "insufficient_earnings")
    maintenance(market)
    arrive(market)
    maintenance(market)
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    assert payout_now(market, waiting["payoutId"])["status"] == "PAID"
    books_balance(market, booking)


def test_three_decimal_currencies_are_paid_out_in_steps_that_stripe_takes(market: Market) -> None:
    provider = market.a_provider()
    asked = {"providerId": provider.uid, "amount": "1.234", "currency": "KWD"}
    told = market.api.as_user(provider.uid).post("stripe-connect", "CREATE_PAYOUT", **asked)
    assert told.status == 400
    assert [one["field"] for one in told.json["fields"]] == ["amount"]


PAYS, FAILS = "000123456789", "000111111116"


def bank(market: Market, provider: Provider, number: str) -> None:
    assert provider.account_id is not None
    market.control.onboard(provider.account_id, bank_account_number=number)
    market.control.idle()


def transferred_and_back(market: Market, provider: Provider) -> Booking:
    """A booking whose earnings lie in the connected account, since the bank refused its payout."""
    bank(market, provider, FAILS)
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    bank(market, provider, PAYS)
    return booking


def test_what_a_dispute_holds_in_the_balance_is_not_spare_until_it_is_won(market: Market) -> None:
    provider = market.a_provider()
    booking = transferred_and_back(market, provider)
    market.control.dispute(charge_of(market, booking))
    market.control.idle()
    asked = {"providerId": provider.uid, "amount": 184}
    caller = market.api.as_user(provider.uid)
    refused = caller.post("stripe-connect", "CREATE_PAYOUT", **asked).refused(400)
    assert refused["available"] == 0
    books_balance(market, booking)
    market.control.dispute(charge_of(market, booking), outcome="won")
    market.control.idle()
    caller.post("stripe-connect", "CREATE_PAYOUT", **asked).ok()
    arrive(market)
    assert earnings(market, provider)["paidEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_what_a_provider_owes_is_not_spare(market: Market) -> None:
    a_paid_booking(market, price=1000)  # the platform has funds for the refund
    provider = a_provider_at_bank(market, PAYS)
    owes = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    pays = transferred_and_back(market, provider)
    refund(market, owes, 50).ok()
    caller = market.api.as_user(provider.uid)
    asked = {"providerId": provider.uid, "amount": 184}
    refused = caller.post("stripe-connect", "CREATE_PAYOUT", **asked).refused(400)
    assert refused["available"] == usd("138.00")
    caller.post("stripe-connect", "CREATE_PAYOUT", providerId=provider.uid, amount=138).ok()
    arrive(market)
    assert earnings(market, provider)["debt"] == usd("46.00")
    assert earnings(market, provider)["totalEarnings"] == 0
    assert payout(market, provider).refused(400)["available"] == 0
    books_balance(market, owes, pays)
