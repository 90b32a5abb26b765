"""Transferred money that came back from the bank: the connected account's country decides."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions import acts, books
from tests.limits.conftest import Platform, PlatformIn
from tests.support.market import Booking, Provider

CLOSED, WORKS = "000111111116", "000123456789"
#: Account's country -> days from the transfer to the act, and to the end.
LIMITS = {"US": (723, 730), "TH": (7, 10), "DE": (83, 90)}


def bounced(platform: Platform, country: str) -> Booking:
    """Earnings that a failed payout has left in the connected balance."""
    market = platform.market
    provider = market.a_provider(
        ready=False, country=country, payoutSchedule={"interval": "MANUAL"}
    )
    told = market.api.as_user(provider.uid).post(
        "stripe-connect", "CREATE_ACCOUNT", providerId=provider.uid, country=country
    )
    account = str(told.ok()["accountId"])
    market.control.onboard(account)
    provider = Provider(provider.uid, account)
    a_bank(platform, provider, CLOSED)
    booking = acts.a_completed_booking(market, provider)
    acts.payout(market, booking.service.provider).ok()
    acts.arrive(market)
    assert acts.payout_statuses(market, booking.service.provider) == ["FAILED"]
    return booking


def a_bank(platform: Platform, provider: Provider, number: str) -> None:
    """A bank account for dollars, wherever the provider is."""
    bank: Any = {
        "external_account": {
            "object": "bank_account",
            "country": "US",
            "currency": "usd",
            "routing_number": "110000000",
            "account_number": number,
        },
        "default_for_currency": True,
    }
    platform.market.stripe.v1.accounts.external_accounts.create(str(provider.account_id), bank)
    platform.market.control.idle()


@pytest.mark.parametrize("country", LIMITS)
def test_what_lies_in_a_connected_balance_is_paid_out_in_its_countrys_time(
    platform_in: PlatformIn, country: str
) -> None:
    platform = platform_in("US")
    booking = bounced(platform, country)
    provider = booking.service.provider
    a_bank(platform, provider, WORKS)
    shown = platform.market.booking(booking.id)["payoutDeadline"]
    assert shown["kind"] == "connected_hold"
    act, _ = LIMITS[country]
    platform.run(act - 2.5)  # it lies there since the transfer, two days before the bank's no
    assert acts.payout_statuses(platform.market, provider) == ["FAILED"]
    platform.run(0.6)
    assert len(acts.payouts_of(platform.market, provider)) == 2
    acts.arrive(platform.market)
    assert acts.payout_statuses(platform.market, provider) == ["PAID", "FAILED"]
    assert platform.market.booking(booking.id)["payoutDeadline"] is None
    books.books_balance(platform.market, booking)


def test_a_bank_that_says_no_again_is_reported_until_the_limit_and_after_it(
    platform_in: PlatformIn,
) -> None:
    platform = platform_in("US")
    booking = bounced(platform, "TH")
    platform.run(5.2)
    (blocked,) = platform.logged("booking.deadline_blocked", booking.id)
    assert blocked["kind"] == "connected_hold"
    platform.run(3)
    assert len(platform.logged("booking.deadline_blocked", booking.id)) == 2
    (overdue,) = books.about(books.reconcile(platform.market), booking.id)
    assert overdue["kind"] == "booking.hold_overdue"
