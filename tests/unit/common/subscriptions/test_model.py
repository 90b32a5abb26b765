"""What Stripe says of a subscription, in our words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from common.bookings.cancellation import POLICIES
from common.bookings.pricing import split
from common.money import Money
from common.subscriptions import model
from common.subscriptions.model import Status, Terms

NOW = datetime(2026, 12, 1, tzinfo=UTC)
TERMS = Terms(
    customer_id="ben",
    customer_email="ben@example.com",
    provider_id="ada",
    service_id="choir",
    title="Choir",
    category="music",
    interval="MONTH",
    trial_days=0,
    price=split(Money(40_00, "USD"), 800),
    policy=POLICIES["STRICT"],
)


def stripes(**said: Any) -> dict[str, Any]:
    """Stripe's subscription, active, in its first December."""
    return {
        "id": "sub_1",
        "status": "active",
        "customer": "cus_1",
        "items": {
            "data": [{"current_period_start": 1_764_547_200, "current_period_end": 1_767_225_600}]
        },
        "cancel_at_period_end": False,
        "latest_invoice": "in_1",
        **said,
    }


def record(**said: Any) -> dict[str, Any]:
    return model.begun(TERMS.as_document(), "subscribe-1", stripes(**said), NOW)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"status": "incomplete"}, Status.INCOMPLETE),
        ({"status": "incomplete_expired"}, Status.EXPIRED),
        ({"status": "trialing"}, Status.TRIALING),
        ({"status": "past_due"}, Status.PAST_DUE),
        ({"status": "unpaid"}, Status.UNPAID),
        ({"status": "paused"}, Status.PAUSED),
        ({"status": "canceled"}, Status.CANCELLED),
        ({"pause_collection": {"behavior": "void"}}, Status.PAUSED),
        ({"status": "canceled", "pause_collection": {"behavior": "void"}}, Status.CANCELLED),
    ],
)
def test_every_status_of_stripes_has_its_word(said: dict[str, Any], status: Status) -> None:
    assert record(**said)["status"] == status
    assert model.is_over(record(**said)) is (status in (Status.EXPIRED, Status.CANCELLED))


def test_terms_come_out_of_their_document_as_they_went_in() -> None:
    assert Terms.of(record()) == TERMS


def test_it_ends_when_it_is_to_end_and_when_it_has_ended() -> None:
    assert record()["endsAt"] is None
    planned = record(cancel_at=1_767_225_600, cancel_at_period_end=True)
    assert planned["endsAt"] == planned["currentPeriodEnd"]
    over = record(status="canceled", cancel_at=1_767_225_600, ended_at=1_764_633_600)
    assert over["endsAt"] == datetime(2025, 12, 2, tzinfo=UTC)


def test_an_invoice_that_is_only_named_leaves_what_is_known_of_it() -> None:
    invoice = {
        "id": "in_1",
        "status": "open",
        "amount_due": 40_00,
        "amount_paid": 0,
        "currency": "usd",
        "attempt_count": 1,
    }
    known = model.following(record(), stripes(latest_invoice=invoice))
    assert known["lastInvoice"]["amountDue"] == 40_00
    assert model.following(known, stripes())["lastInvoice"] == known["lastInvoice"]


@pytest.mark.parametrize(
    ("intent", "code"),
    [
        ({"status": "succeeded"}, None),
        ({"status": "succeeded", "last_payment_error": {"code": "card_declined"}}, None),
        ({"status": "requires_payment_method"}, None),
        ({"status": "processing"}, None),
        (
            {"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}},
            "card_declined",
        ),
        ({"status": "requires_action"}, "requires_action"),
    ],
)
def test_why_a_payment_has_not_come_through(intent: dict[str, Any], code: str | None) -> None:
    failure = model.failure_of(intent)
    assert (None if failure is None else failure["code"]) == code


def test_a_secret_is_the_invoices_or_a_trials_or_none() -> None:
    assert model.client_secret(stripes()) is None
    assert model.client_secret(stripes(latest_invoice={"confirmation_secret": None})) is None
    paying = {"confirmation_secret": {"client_secret": "of the invoice"}}
    assert model.client_secret(stripes(latest_invoice=paying)) == "of the invoice"
    trial = stripes(pending_setup_intent={"client_secret": "of the card"})
    assert model.client_secret(trial) == "of the card"


def test_an_invoice_of_no_subscription_leads_to_none() -> None:
    assert model.subscription_of({"parent": None}) is None
    assert model.subscription_of({}) is None
    details = {"subscription_details": {"subscription": "sub_1"}}
    assert model.subscription_of({"parent": details}) == "sub_1"
    assert model.subscription_of({"parent": {"subscription_details": None}}) is None


def test_payments_that_are_no_intents_are_left_out() -> None:
    payments = [{"payment": {"payment_intent": "pi_1"}}, {"payment": {"type": "charge"}}]
    assert model.intents_of({"payments": {"data": payments}}) == ["pi_1"]
    assert model.intents_of({}) == []


def test_answers_show_no_more_than_they_should() -> None:
    shown = model.as_json("sub_1", record())
    assert shown["id"] == "sub_1"
    assert "ben@example.com" not in str(shown)
    assert shown["currentPeriod"] == {
        "start": "2025-12-01T00:00:00Z",
        "end": "2026-01-01T00:00:00Z",
    }
