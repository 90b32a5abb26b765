"""The events that are subscribed to, those that are handled and those that were promised."""

from __future__ import annotations

import pytest

from common.webhooks.dispatch import CONNECT, PLATFORM
from common.webhooks.events import CONNECT_EVENTS, PLATFORM_EVENTS

#: Guide, section 3, and contract, section 3.
PROMISED = (
    "account.updated",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "charge.succeeded",
    "transfer.created",
    "transfer.updated",
    "payout.created",
    "payout.updated",
    "payout.paid",
    "payout.failed",
    "invoice.payment_succeeded",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "charge.dispute.created",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.updated",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "transfer.reversed",
    "payout.canceled",
    "account.application.deauthorized",
    "capability.updated",
    "payment_intent.canceled",
    "payment_intent.processing",
    "payment_intent.amount_capturable_updated",
    "invoice.payment_failed",
    "invoice.paid",
    "radar.early_fraud_warning.created",
    "review.opened",
    "review.closed",
)


@pytest.mark.parametrize("type", PROMISED)
def test_every_promised_event_is_subscribed_to_and_handled(type: str) -> None:
    assert type in PLATFORM_EVENTS + CONNECT_EVENTS
    assert type in PLATFORM or type in CONNECT


def test_what_is_subscribed_to_is_what_is_handled_endpoint_by_endpoint() -> None:
    assert set(PLATFORM_EVENTS) == set(PLATFORM)
    assert set(CONNECT_EVENTS) == set(CONNECT)


def test_nothing_is_subscribed_to_twice() -> None:
    assert len(set(PLATFORM_EVENTS)) == len(PLATFORM_EVENTS)
    assert len(set(CONNECT_EVENTS)) == len(CONNECT_EVENTS)


def test_money_of_the_platform_is_never_believed_from_a_connected_account() -> None:
    families = {type.partition(".")[0] for type in CONNECT}
    assert not families & {"payment_intent", "charge", "refund", "transfer", "invoice", "review"}
