"""A refund: its document, its ledger transactions by docs/ledger.md, and how answers show it."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.refunds.model import STATUSES, Refund
from common.store import collections
from common.store.store import Snapshot
from tests.unit.common.bookings.builders import NOW, a_booking

WHOM = {
    "bookingId": "booking-1",
    "customerId": "customer-1",
    "providerId": "provider-1",
    "category": "music",
    "refundId": "refund-1",
}


def a_refund(**said: Any) -> Refund:
    """50.00 back out of what is held, 4.00 of it our fee."""
    plain = Refund(
        id="refund-1",
        booking_id="booking-1",
        customer_id="customer-1",
        provider_id="provider-1",
        currency="USD",
        amount=50_00,
        fee_refunded=4_00,
        owed_delta=0,
        held=50_00,
        compensation=None,
        reason="rain",
        requested_by="operator-1",
        created_at=NOW,
    )
    return replace(plain, **said)


def test_a_refund_waits_for_stripes_word() -> None:
    fresh = a_refund()
    assert fresh.status == "PENDING"
    assert (fresh.stripe_refund_id, fresh.stripe_status, fresh.failure_reason) == (None, None, None)


def test_its_document_holds_every_field_under_its_name() -> None:
    refund = a_refund(
        held=10_00,
        owed_delta=36_80,
        compensation=7_00,
        status="FAILED",
        stripe_refund_id="re_1",
        stripe_status="failed",
        failure_reason="expired_or_canceled_card",
    )
    assert refund.to_document() == {
        "bookingId": "booking-1",
        "customerId": "customer-1",
        "providerId": "provider-1",
        "currency": "USD",
        "amount": 50_00,
        "feeRefunded": 4_00,
        "owedDelta": 36_80,
        "heldPart": 10_00,
        "providerCompensation": 7_00,
        "reason": "rain",
        "requestedBy": "operator-1",
        "createdAt": NOW,
        "status": "FAILED",
        "stripeRefundId": "re_1",
        "stripeStatus": "failed",
        "failureReason": "expired_or_canceled_card",
    }
    assert len(refund.to_document()) == len(fields(Refund)) - 1  # all but the id, which is the key
    write = refund.create()
    assert (write.key, write.data) == (collections.refund("refund-1"), refund.to_document())
    assert Refund.load(Snapshot(write.key, write.data, NOW)) == refund


def test_a_refund_of_held_money_takes_it_from_what_is_held() -> None:
    posting = a_refund().posting(a_booking(), "re_1")
    assert (posting.id, posting.source, posting.currency) == ("refund_re_1", "re_1", "USD")
    assert dict(posting.entries) == {"platform:stripe": -50_00, "bookings:held": 50_00}
    assert posting.concerns == WHOM


def test_a_refund_of_earned_money_takes_92_percent_of_the_provider_and_8_of_us() -> None:
    posting = a_refund(held=0, owed_delta=46_00).posting(a_booking(), "re_1")
    assert dict(posting.entries) == {
        "platform:stripe": -50_00,
        "provider:provider-1": 46_00,
        "platform:commission": 4_00,
    }


def test_a_refund_may_take_of_all_three() -> None:
    posting = a_refund(held=10_00, owed_delta=36_80).posting(a_booking(), "re_1")
    assert dict(posting.entries) == {
        "platform:stripe": -50_00,
        "bookings:held": 10_00,
        "provider:provider-1": 36_80,
        "platform:commission": 3_20,
    }


def test_what_comes_back_for_a_booking_that_is_over_is_held_for_its_customer() -> None:
    posting = a_refund(held=0, owed_delta=46_00).returned(a_booking(), "re_1")
    assert (posting.id, posting.source, posting.currency) == ("refund_failed_re_1", "re_1", "USD")
    assert dict(posting.entries) == {"platform:stripe": 50_00, "bookings:held": -50_00}
    assert posting.concerns == WHOM


def test_what_stripe_never_moved_is_held_again_out_of_what_was_earned() -> None:
    posting = a_refund(held=0, owed_delta=46_00).kept(a_booking(), "re_1")
    assert posting is not None
    assert (posting.id, posting.source, posting.currency) == ("refund_kept_re_1", "re_1", "USD")
    assert dict(posting.entries) == {
        "provider:provider-1": 46_00,
        "platform:commission": 4_00,
        "bookings:held": -50_00,
    }
    assert posting.concerns == WHOM


def test_only_what_was_not_held_all_the_time_is_held_again() -> None:
    posting = a_refund(held=10_00, owed_delta=36_80).kept(a_booking(), "re_1")
    assert posting is not None
    assert dict(posting.entries) == {
        "bookings:held": -40_00,
        "provider:provider-1": 36_80,
        "platform:commission": 3_20,
    }
    assert len(posting.entries) == 3
    assert a_refund().kept(a_booking(), "re_1") is None


@given(amount=st.integers(1, 10_000), held=st.integers(0, 100), owed=st.integers(0, 100))
def test_a_refund_and_its_return_come_to_what_keeping_it_does(
    amount: int, held: int, owed: int
) -> None:
    from_held = amount * held // 100
    refund = a_refund(amount=amount, held=from_held, owed_delta=(amount - from_held) * owed // 100)
    sums: dict[str, int] = {}
    booking = a_booking()
    for posting in (refund.posting(booking, "re_1"), refund.returned(booking, "re_1")):
        for account, change in posting.entries:
            sums[account] = sums.get(account, 0) + change
    kept = refund.kept(booking, "re_1")
    assert {account: change for account, change in sums.items() if change} == (
        dict(kept.entries) if kept else {}
    )


@pytest.mark.parametrize(
    ("stripes", "ours"),
    [
        ("succeeded", "SUCCEEDED"),
        ("pending", "PENDING"),
        ("requires_action", "PENDING"),
        ("failed", "FAILED"),
        ("canceled", "FAILED"),
        ("a word Stripe has yet to find", "PENDING"),
    ],
)
def test_stripes_words_are_three_of_ours(stripes: str, ours: str) -> None:
    told = a_refund().told({"id": "re_1", "status": stripes, "failure_reason": "declined"})
    assert told == a_refund(
        status=ours, stripe_refund_id="re_1", stripe_status=stripes, failure_reason="declined"
    )
    assert a_refund().told({"id": "re_1", "status": stripes}).failure_reason is None


def test_every_word_that_stripe_has_for_a_refund_is_known() -> None:
    # https://docs.stripe.com/api/refunds/object, status
    assert set(STATUSES) == {"succeeded", "pending", "requires_action", "failed", "canceled"}


def test_an_answer_shows_amounts_in_major_units() -> None:
    refund = a_refund(
        compensation=7_00,
        status="SUCCEEDED",
        stripe_refund_id="re_1",
        stripe_status="succeeded",
        failure_reason="x",
    )
    assert refund.as_json() == {
        "refundId": "refund-1",
        "bookingId": "booking-1",
        "refundAmount": Decimal("50.00"),
        "platformFeeRefunded": Decimal("4.00"),
        "providerEarningsReversed": Decimal("46.00"),
        "providerCompensation": Decimal("7.00"),
        "currency": "USD",
        "status": "SUCCEEDED",
        "stripeStatus": "succeeded",
        "stripeRefundId": "re_1",
        "failureReason": "x",
        "reason": "rain",
        "createdAt": "2026-11-01T12:00:00Z",
    }


def test_no_compensation_is_none_and_one_of_nothing_is_nothing() -> None:
    assert a_refund().as_json()["providerCompensation"] is None
    assert a_refund(compensation=0).as_json()["providerCompensation"] == 0


def test_amounts_have_the_currencys_own_decimals() -> None:
    shown = a_refund(currency="JPY").as_json()
    assert str(shown["refundAmount"]) == "5000"
    assert str(a_refund(currency="KWD").as_json()["refundAmount"]) == "5.000"
