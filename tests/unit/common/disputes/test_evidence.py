"""The draft for a bank: what is known in whole sentences, by Stripe's names, within its limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from common.bookings.cancellation import Policy, parse_policy
from common.bookings.status import Status
from common.disputes.evidence import (
    LONGEST_FIELD,
    combined,
    draft,
    length,
    policy_in_words,
    shown,
    theirs,
)
from common.refunds.model import Refund
from tests.unit.common.bookings.builders import NOW, a_booking, earned


def a_refund(amount: int, status: str = "SUCCEEDED", by: str = "customer-1") -> Refund:
    return Refund(
        id="refund-1",
        booking_id="booking-1",
        customer_id="customer-1",
        provider_id="provider-1",
        currency="USD",
        amount=amount,
        fee_refunded=0,
        owed_delta=0,
        held=0,
        compensation=None,
        reason="the piano was out of tune",
        requested_by=by,
        created_at=NOW,
        status=status,
    )


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("FLEXIBLE", "100 % at least 24 hours before the start; 50 % before the start; nothing"),
        ("STRICT", "100 % at least 336 hours before the start; 50 % at least 168 hours"),
        ([{"hoursBefore": 48, "refundPercent": 80}], "80 % at least 48 hours before the start;"),
    ],
)
def test_a_policy_is_said_tier_by_tier(policy: object, words: str) -> None:
    assert words in policy_in_words(parse_policy(policy))


def test_the_policy_is_the_one_that_was_frozen_with_the_booking() -> None:
    old = Policy("FLEXIBLE", parse_policy("STRICT").tiers)
    said = draft(replace(a_booking(), policy=old), [], None)
    assert "336 hours" in said["cancellation_policy_disclosure"]
    assert "2026-11-01T12:00:00Z" in said["cancellation_policy_disclosure"]


def test_a_draft_has_no_empty_field_and_says_nothing_that_is_not_known() -> None:
    said = draft(a_booking(), [], None)
    assert all(said.values())
    assert "customer_name" not in said
    assert "uncategorized_text" not in said
    assert "check-in" not in said["access_activity_log"]
    assert said["customer_email_address"] == "customer@example.com"
    assert "was not cancelled" in said["cancellation_rebuttal"]
    assert said["refund_refusal_explanation"] == "Nothing of the 200.00 USD paid was given back."


def test_the_timeline_tells_of_payment_check_in_and_completion_in_their_order() -> None:
    booking = replace(
        earned(a_booking()),
        paid_at=NOW + timedelta(minutes=1),
        attendance={"checkedInAt": NOW + timedelta(hours=72)},
        completed_at=NOW + timedelta(hours=73),
    )
    lines = draft(booking, [], None)["access_activity_log"].splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == [
        "2026-11-01T12:00:00Z",
        "2026-11-01T12:01:00Z",
        "2026-11-04T12:00:00Z",
        "2026-11-04T13:00:00Z",
    ]
    assert "check-in code" in lines[2]


def test_refunds_that_stand_are_listed_and_failed_ones_are_not() -> None:
    said = draft(a_booking(), [a_refund(50_00), a_refund(20_00, "FAILED")], None)
    assert "200.00 USD paid, 50.00 USD was given back" in said["refund_refusal_explanation"]
    assert "20.00" not in said["refund_refusal_explanation"]


def test_what_the_customer_wrote_and_their_receipt_are_quoted() -> None:
    booking = replace(
        a_booking(), special_requests="Please bring Bach", payment={"receiptUrl": "https://r/1"}
    )
    said = draft(booking, [a_refund(50_00), a_refund(1_00, by="provider-1")], "Ben")
    assert said["customer_name"] == "Ben"
    assert said["uncategorized_text"].splitlines() == [
        "Receipt sent to the customer: https://r/1",
        "The customer wrote when booking: Please bring Bach",
        "The customer wrote on 2026-11-01T12:00:00Z, asking for a refund: "
        "the piano was out of tune",
    ]


def test_a_cancellation_says_when_and_by_whom() -> None:
    booking = a_booking().moved(Status.CANCELLED, at=NOW, by="customer-1", why="x")
    said = draft(booking, [], None)["cancellation_rebuttal"]
    assert said == "The booking became CANCELLED on 2026-11-01T12:00:00Z, by the customer."


def test_no_field_is_longer_than_stripe_takes() -> None:
    many = [a_refund(1_00)] * 1_000
    said = draft(a_booking(), many, None)
    assert max(len(text) for text in said.values()) == LONGEST_FIELD
    assert said["uncategorized_text"].endswith("[cut]")


def test_the_provider_overrides_the_draft_and_takes_back_what_they_said() -> None:
    drafted = {"service_date": "today", "product_description": "a lesson"}
    sent = combined(drafted, {"product_description": "Bach", "receipt": "file_1"}, [])
    assert sent == {"service_date": "today", "product_description": "Bach", "receipt": "file_1"}
    kept = theirs({"product_description": "Bach", "receipt": "file_1"}, [])
    assert kept == ["product_description", "receipt"]
    again = combined(drafted, {"receipt": None}, kept)
    assert again == {"service_date": "today", "receipt": ""}  # theirs is left alone
    assert theirs({"receipt": None}, kept) == ["product_description"]
    assert combined(drafted, {"product_description": ""}, kept)["product_description"] == "a lesson"


def test_answers_show_nothing_of_the_customers_person() -> None:
    said = draft(a_booking(), [], "Ben")
    assert shown(said).keys() == said.keys() - {"customer_name", "customer_email_address"}
    assert shown({"receipt": None, "enhanced_evidence": {}, "service_date": "x"}) == {
        "service_date": "x"
    }


def test_the_length_is_that_of_all_texts() -> None:
    assert length({"a": "12", "b": "345"}) == 5
