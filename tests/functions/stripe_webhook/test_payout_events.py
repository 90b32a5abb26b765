"""payout.*: what Stripe says of a payout, in whatever order and however often."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_provider_at_bank,
    arrive,
    earnings,
    payout,
    payout_now,
    payouts_of,
)
from tests.functions.books import books_balance, connected, provider_sums
from tests.support.market import Market, usd


@pytest.mark.parametrize("mode", ["duplicate", "reverse"])
@pytest.mark.parametrize(("bank", "status"), [("000123456789", "PAID"), ("000111111116", "FAILED")])
def test_payout_events_twice_or_backwards_say_the_same(
    market: Market, mode: str, bank: str, status: str
) -> None:
    provider = a_provider_at_bank(market, bank)
    booking = a_completed_booking(market, provider)
    market.control.webhooks(mode)
    told = payout(market, provider).ok()
    arrive(market)
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert payout_now(market, told["payoutId"])["status"] == status
    expected = 0 if status == "PAID" else usd("184.00")
    assert earnings(market, provider)["totalEarnings"] == expected
    books_balance(market, booking)


def test_a_payout_cancelled_at_stripe_is_cancelled_here_and_may_be_made_again(
    market: Market,
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    told = payout(market, provider).ok()
    [sent] = payouts_of(market, provider)
    as_account: Any = {"stripe_account": provider.account_id}
    market.stripe.v1.payouts.cancel(sent.id, {}, as_account)
    market.control.idle()
    assert payout_now(market, told["payoutId"])["status"] == "CANCELLED"
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    assert payout(market, provider).ok()["amount"] == usd("184.00")
    arrive(market)
    assert connected(provider) not in provider_sums(market, provider)
    books_balance(market, booking)


def test_an_event_of_another_account_says_nothing_of_a_payout(market: Market) -> None:
    booking = a_completed_booking(market)
    told = payout(market, booking.service.provider).ok()
    stranger = a_completed_booking(market)
    payout(market, stranger.service.provider).ok()
    [theirs] = payouts_of(market, stranger.service.provider)
    as_stranger: Any = {"stripe_account": stranger.service.provider.account_id}
    market.stripe.v1.payouts.update(
        theirs.id, {"metadata": {"payoutId": told["payoutId"]}}, as_stranger
    )
    market.stripe.v1.payouts.cancel(theirs.id, {}, as_stranger)
    market.control.idle()
    assert payout_now(market, told["payoutId"])["status"] == "PROCESSING"
    arrive(market)
    assert payout_now(market, told["payoutId"])["status"] == "PAID"
    books_balance(market, booking)
