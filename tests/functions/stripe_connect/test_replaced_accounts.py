"""Accounts that leave, are rejected or deleted while money is in flight, and what follows them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

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
from tests.functions.books import (
    _provider_balances,
    about,
    balances,
    connected,
    debt,
    owed,
    provider_sums,
    reconcile,
)
from tests.support.api import Answer
from tests.support.market import Booking, Market, Provider, usd

PAYS, FAILS = "000123456789", "000111111116"
PENDING_FUNDS = "pm_card_visa"


@pytest.fixture(autouse=True)
def _platform_has_funds(market: Market) -> None:
    """A booking that nobody refunds, so that refunds of money paid out are not short of it."""
    a_paid_booking(market, price=1000)


def deauthorize(market: Market, provider: Provider) -> None:
    market.control.call("POST", f"accounts/{provider.account_id}/deauthorize")
    market.control.idle()


def reject(market: Market, provider: Provider) -> None:
    market.stripe.v1.accounts.reject(str(provider.account_id), {"reason": "terms_of_service"})
    market.control.idle()


def asked_for_account(market: Market, provider: Provider, *, operator: bool = False) -> Answer:
    caller = market.api.as_operator() if operator else market.api.as_user(provider.uid)
    return caller.post("stripe-connect", "CREATE_ACCOUNT", providerId=provider.uid)


def another(market: Market, provider: Provider, *, operator: bool = False) -> Provider:
    """The provider with a new account, onboarded."""
    account_id = str(asked_for_account(market, provider, operator=operator).ok()["accountId"])
    assert account_id != provider.account_id
    market.control.onboard(account_id)
    market.control.idle()
    return Provider(provider.uid, account_id)


def right(market: Market, provider: Provider, *bookings: Booking) -> None:
    """The bookings, the provider as they now are, and RECONCILE."""
    for booking in bookings:
        balances(market, booking)
    _provider_balances(market, provider)
    told = reconcile(market)
    ids = [booking.id for booking in bookings]
    assert about(told, provider.uid, str(provider.account_id), *ids) == []


def even(market: Market, provider: Provider, *bookings: Booking) -> None:
    """Nobody has, owes or waits for anything any more."""
    right(market, provider, *bookings)
    totals = provider_sums(market, provider)
    assert {owed(provider), debt(provider), connected(provider)} & set(totals) == set()
    assert earnings(market, provider)["totalEarnings"] == 0


@pytest.mark.parametrize("heard", [True, False])
def test_what_a_payout_left_in_an_account_that_has_gone_is_paid_into_the_new_one(
    market: Market, heard: bool
) -> None:
    booking = a_completed_booking(market, pm=PENDING_FUNDS)
    old = booking.service.provider
    waiting = payout(market, old).ok()
    market.control.webhooks("normal" if heard else "drop")
    deauthorize(market, old)
    market.control.webhooks("normal")
    arrive(market)
    maintenance(market)
    assert payout_now(market, waiting["payoutId"])["status"] == "FAILED"
    new = another(market, old)
    assert [one.amount_reversed for one in transfers_of(market, booking)] == [184_00]
    right(market, new, booking)
    assert payout(market, new).ok()["amount"] == usd("184.00")
    arrive(market)
    assert [one.amount for one in payouts_of(market, new)] == [184_00]
    even(market, new, booking)


def test_what_cannot_be_brought_back_went_to_the_provider_and_is_not_paid_again(
    market: Market,
) -> None:
    provider = a_provider_at_bank(market, FAILS)
    stays = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    deauthorize(market, provider)
    refused: dict[str, Any] = {"status": 403, "code": "account_invalid"}
    market.control.fault("POST", "/v1/transfers/.*/reversals", "error_before", times=6, **refused)
    new = another(market, provider)
    market.control.clear_faults()
    assert earnings(market, new)["totalEarnings"] == 0
    assert earnings(market, new)["paidEarnings"] == usd("184.00")
    assert payout(market, new).refused(400)["available"] == 0
    even(market, new, stays)
    refund(market, stays, 50).ok()
    assert earnings(market, new)["debt"] == usd("46.00")
    right(market, new, stays)


def test_a_rejected_provider_gets_another_account_by_an_operator_only(market: Market) -> None:
    booking = a_completed_booking(market)
    old = booking.service.provider
    day = (market.control.now() + timedelta(days=3)).isoformat()
    scheduled = payout(market, old, scheduledDate=day).ok()
    reject(market, old)
    assert asked_for_account(market, old).status == 409
    new = another(market, old, operator=True)
    assert asked_for_account(market, new).ok()["accountId"] == new.account_id
    market.control.advance(4 * 86_400)
    maintenance(market)
    assert [one.destination for one in transfers_of(market, booking)] == [new.account_id]
    arrive(market)
    assert payout_now(market, scheduled["payoutId"])["status"] == "PAID"
    even(market, new, booking)


def test_a_payout_of_a_replaced_account_that_comes_back_is_brought_home_by_maintenance(
    market: Market,
) -> None:
    old = a_provider_at_bank(market, FAILS)
    booking = a_completed_booking(market, old)
    first = payout(market, old).ok()
    reject(market, old)
    new = another(market, old, operator=True)
    right(market, new, booking)
    arrive(market)  # and back
    assert payout_now(market, first["payoutId"])["status"] == "FAILED"
    maintenance(market)
    assert [one.amount_reversed for one in transfers_of(market, booking)] == [184_00]
    assert payout(market, new).ok()["amount"] == usd("184.00")
    arrive(market)
    even(market, new, booking)


def test_a_refund_of_what_the_old_account_was_paid_is_netted_from_the_new_ones_payouts(
    market: Market,
) -> None:
    paid = a_completed_booking(market)
    old = paid.service.provider
    payout(market, old).ok()
    arrive(market)
    deauthorize(market, old)
    new = another(market, old)
    refund(market, paid, 50).ok()
    assert earnings(market, new)["debt"] == usd("46.00")
    later = a_completed_booking(market, new)
    assert payout(market, new).ok()["amount"] == usd("138.00")
    arrive(market)
    even(market, new, paid, later)


def test_an_account_that_was_deleted_is_noticed_when_it_is_asked_for(market: Market) -> None:
    old = market.a_provider()
    booking = a_completed_booking(market, old)
    market.stripe.v1.accounts.delete(str(old.account_id))
    caller = market.api.as_user(old.uid)
    told = caller.post("stripe-connect", "CHECK_ACCOUNT_STATUS", providerId=old.uid).ok()
    assert (told["status"], told["payoutsEnabled"]) == ("RESTRICTED", False)
    assert payout(market, old).refused(400)["type"] == "provider_not_set_up"
    linked = caller.post("stripe-connect", "CREATE_ACCOUNT_LINK", providerId=old.uid)
    assert linked.refused(400)["type"] == "provider_not_set_up"
    new = another(market, old)
    assert payout(market, new).ok()["amount"] == usd("184.00")
    arrive(market)
    even(market, new, booking)


def test_a_payout_that_stripe_refuses_for_want_of_the_account_makes_us_ask(market: Market) -> None:
    booking = a_completed_booking(market)
    old = booking.service.provider
    market.control.webhooks("drop")
    deauthorize(market, old)
    market.control.webhooks("normal")
    assert payout(market, old).ok()["status"] == "FAILED"
    assert payout(market, old).refused(400)["type"] == "provider_not_set_up"
    new = another(market, old)
    assert payout(market, new).ok()["status"] == "PROCESSING"
    arrive(market)
    even(market, new, booking)


def test_a_payout_on_its_way_from_an_account_that_left_holds_nothing_up(market: Market) -> None:
    on_its_way = a_completed_booking(market)
    old = on_its_way.service.provider
    payout(market, old).ok()
    deauthorize(market, old)
    new = another(market, old)
    later = a_completed_booking(market, new)
    assert payout(market, new).ok()["amount"] == usd("184.00")
    arrive(market)
    maintenance(market)
    left = market.db.collection("accounts").document(str(old.account_id)).get().to_dict() or {}
    assert left["recall"] == "DONE"
    even(market, new, on_its_way, later)
