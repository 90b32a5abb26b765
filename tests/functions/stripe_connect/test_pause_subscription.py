"""PAUSE_SUBSCRIPTION and RESUME_SUBSCRIPTION."""

from __future__ import annotations

from tests.support.api import Answer
from tests.support.market import Market
from tests.support.subscriptions import (
    Subscription,
    a_subscription,
    cancel,
    periods_of,
    record_of,
    renew,
)


def by_provider(market: Market, subscription: Subscription, action: str) -> Answer:
    caller = market.api.as_user(subscription.service.provider.uid)
    return caller.post("stripe-connect", action, subscriptionId=subscription.id)


def test_while_it_is_paused_no_period_is_paid_and_after_it_they_are_again(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    assert by_provider(market, sub, "PAUSE_SUBSCRIPTION").ok()["status"] == "PAUSED"
    assert by_provider(market, sub, "PAUSE_SUBSCRIPTION").ok()["status"] == "PAUSED"
    renew(market, sub)
    assert len(periods_of(market, sub)) == 1
    assert by_provider(market, sub, "RESUME_SUBSCRIPTION").ok()["status"] == "ACTIVE"
    assert by_provider(market, sub, "RESUME_SUBSCRIPTION").ok()["status"] == "ACTIVE"
    renew(market, sub)
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert len(periods_of(market, sub)) == 2


def test_its_customer_may_not_pause_it_and_what_does_not_run_cannot_be(market: Market) -> None:
    sub = a_subscription(market)
    mine = market.api.as_user(sub.customer).post(
        "stripe-connect", "PAUSE_SUBSCRIPTION", subscriptionId=sub.id
    )
    mine.refused(403, "forbidden")
    by_provider(market, sub, "PAUSE_SUBSCRIPTION").refused(409, "wrong_state")
    cancel(market, sub).ok()
    by_provider(market, sub, "RESUME_SUBSCRIPTION").refused(409, "wrong_state")


def test_a_lost_answer_is_seen_to_have_happened(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    path = f"/v1/subscriptions/{sub.id}"
    for action, status in (("PAUSE_SUBSCRIPTION", "PAUSED"), ("RESUME_SUBSCRIPTION", "ACTIVE")):
        market.control.fault("POST", path, "error_after", times=3)
        assert by_provider(market, sub, action).ok()["status"] == status
        market.control.clear_faults()
