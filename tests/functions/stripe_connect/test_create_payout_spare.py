"""CREATE_PAYOUT takes what lies idle, and nothing that another payout waits for."""

from __future__ import annotations

from tests.functions.acts import (
    a_completed_booking,
    arrive,
    maintenance,
    payout,
    payout_now,
    payouts_of,
)
from tests.functions.books import books_balance
from tests.support.market import Market

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
