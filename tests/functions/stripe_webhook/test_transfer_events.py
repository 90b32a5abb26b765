"""transfer.*: transfers whose answer was lost, and reversals made at Stripe itself."""

from __future__ import annotations

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_provider_at_bank,
    arrive,
    earnings,
    payout,
    transfers_of,
)
from tests.functions.books import books_balance, connected, provider_sums, rows_of
from tests.support.market import Market, usd


@pytest.mark.parametrize("mode", ["duplicate", "reverse"])
def test_transfer_events_twice_or_backwards_count_once(market: Market, mode: str) -> None:
    booking = a_completed_booking(market)
    market.control.webhooks(mode)
    payout(market, booking.service.provider).ok()
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    kinds = [row["kind"] for row in rows_of(market, "bookingId", booking.id)]
    assert kinds.count("transfer") == 1
    books_balance(market, booking)


def test_a_changed_description_moves_nothing(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    payout(market, provider).ok()
    market.control.idle()
    before = provider_sums(market, provider)
    market.stripe.v1.transfers.update(
        transfers_of(market, booking)[0].id, {"description": "October"}
    )
    market.control.idle()
    assert provider_sums(market, provider) == before
    books_balance(market, booking)


def test_a_reversal_made_at_stripe_is_in_the_books_and_is_transferred_anew(market: Market) -> None:
    provider = a_provider_at_bank(market, "000111111116")
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    transfer = transfers_of(market, booking)[0]
    market.stripe.v1.transfers.reversals.create(transfer.id, {"amount": 100_00})
    market.control.idle()
    assert provider_sums(market, provider)[connected(provider)] == 84_00
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)
    market.control.onboard(str(provider.account_id), bank_account_number="000123456789")
    market.control.idle()
    assert payout(market, provider).ok()["amount"] == usd("184.00")
    assert [one.amount for one in transfers_of(market, booking)] == [184_00, 100_00]
    arrive(market)
    assert earnings(market, provider)["paidEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_a_transfer_made_and_taken_back_at_stripe_itself_is_in_the_books(
    market: Market,
) -> None:
    provider = market.a_provider()
    booking = a_completed_booking(market, provider)
    made = market.stripe.v1.transfers.create(
        {"amount": 10_00, "currency": "usd", "destination": str(provider.account_id)}
    )
    market.stripe.v1.transfers.reversals.create(made.id, {"amount": 4_00})
    market.control.idle()
    assert provider_sums(market, provider)[connected(provider)] == 6_00
    market.stripe.v1.transfers.reversals.create(made.id)
    market.control.idle()
    assert connected(provider) not in provider_sums(market, provider)
    books_balance(market, booking)
