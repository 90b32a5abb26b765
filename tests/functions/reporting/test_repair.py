"""RECONCILE takes over Stripe's word on payouts of which nothing was heard."""

from __future__ import annotations

from tests.functions.acts import DAY, an_unheard_payout, payout_statuses
from tests.functions.books import books_balance
from tests.support.market import Market
from tests.support.subscriptions import a_subscription, period_of, periods_of, record_of


def test_a_payout_whose_end_was_never_heard_of_is_brought_up_to_date(market: Market) -> None:
    provider, payout_id = an_unheard_payout(market)
    assert payout_statuses(market, provider) == ["PROCESSING"]
    told = market.api.as_operator().post("reporting", "RECONCILE").ok()
    assert told["repaired"] >= 1
    assert not [one for one in told["mismatches"] if payout_id in one["objects"]]
    assert payout_statuses(market, provider) == ["PAID"]


def test_only_providers_have_earnings(market: Market) -> None:
    caller = market.api.as_user("customer-without-earnings")
    for action in ("CALCULATE_EARNINGS", "GET_PAYOUT_HISTORY"):
        answer = caller.post("payout-manager", action, providerId="customer-without-earnings")
        answer.refused(403, "forbidden")
        unknown = market.api.as_operator().post("payout-manager", action, providerId="nobody-here")
        unknown.refused(404, "not_found")


def test_a_period_that_was_paid_unheard_for_longer_than_stripe_keeps_events_is_earned(
    market: Market,
) -> None:
    sub = a_subscription(market)
    market.control.webhooks("drop")
    market.pay(str(sub.client_secret))
    market.control.advance(40 * DAY)
    market.control.webhooks("normal")
    told = market.api.as_operator().post("reporting", "RECONCILE").ok()
    assert told["repaired"] >= 2
    assert not [one for one in told["mismatches"] if sub.id in one["objects"]]
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert len(periods_of(market, sub)) == 2
    books_balance(market, period_of(market, sub, 0), period_of(market, sub, 1))
