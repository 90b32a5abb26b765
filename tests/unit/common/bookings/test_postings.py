"""What a booking's events mean in the ledger, by the figures of docs/ledger.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings import postings
from tests.unit.common.bookings.builders import a_booking, earned

WHOM = {
    "bookingId": "booking-1",
    "customerId": "customer-1",
    "providerId": "provider-1",
    "category": "music",
}


def test_a_payment_is_held_and_nobodys_income() -> None:
    posting = postings.charge(a_booking(), "ch_1")
    assert posting.id == "charge_ch_1" == postings.charge_id_of("ch_1")
    assert (posting.kind, posting.source, posting.currency) == ("charge", "ch_1", "USD")
    assert dict(posting.entries) == {"platform:stripe": 200_00, "bookings:held": -200_00}
    assert posting.concerns == WHOM


def test_a_posting_may_concern_more_than_the_booking() -> None:
    assert postings.concerns(a_booking(), refundId="re-1") == {**WHOM, "refundId": "re-1"}


def test_a_completed_booking_is_earned_184_to_16() -> None:
    posting = postings.earning(earned(a_booking()))
    assert posting is not None
    assert posting.id == "earning_booking-1"
    assert (posting.kind, posting.currency) == ("earning", "USD")
    assert dict(posting.entries) == {
        "bookings:held": 200_00,
        "provider:provider-1": -184_00,
        "platform:commission": -16_00,
    }
    assert posting.concerns == WHOM


def test_after_50_back_the_rest_is_earned_138_to_12() -> None:
    posting = postings.earning(earned(a_booking(refunded=50_00, fee_refunded=4_00)))
    assert posting is not None
    assert dict(posting.entries) == {
        "bookings:held": 150_00,
        "provider:provider-1": -138_00,
        "platform:commission": -12_00,
    }


def test_of_what_was_given_back_whole_nothing_is_earned() -> None:
    gone = a_booking(refunded=200_00, fee_refunded=16_00)
    assert postings.earning(gone) is None


def test_a_compensation_after_completion_moves_84_from_the_provider_to_us() -> None:
    before = earned(a_booking())
    posting = postings.compensation(before, before.with_money(due=100_00), "refund-1")
    assert posting is not None
    assert posting.id == "compensation_refund-1"
    assert (posting.kind, posting.currency) == ("compensation", "USD")
    assert dict(posting.entries) == {
        "provider:provider-1": 84_00,
        "platform:commission": -84_00,
    }
    assert posting.concerns == WHOM


def test_a_compensation_that_changes_nothing_is_no_posting() -> None:
    booking = earned(a_booking())
    assert postings.compensation(booking, booking, "refund-1") is None


def test_stripes_fee_is_our_cost_and_told_by_its_own_transaction() -> None:
    posting = postings.stripe_fee("txn_1", 6_10, "USD", WHOM)
    assert posting.id == "stripe_fee_txn_1"
    assert (posting.kind, posting.source, posting.currency) == ("stripe_fee", "txn_1", "USD")
    assert dict(posting.entries) == {"platform:stripe": -6_10, "platform:stripe_fees": 6_10}
    assert posting.concerns == WHOM


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_a_posting_is_in_the_bookings_currency(currency: str) -> None:
    booking = earned(a_booking(total=20_000, currency=currency))
    less = booking.with_money(due=1_000)
    made = [
        postings.charge(booking, "ch_1"),
        postings.earning(booking),
        postings.compensation(booking, less, "refund-1"),
    ]
    assert {posting.currency for posting in made if posting is not None} == {currency}


@given(total=st.integers(50, 9_999_999), share=st.integers(0, 100))
def test_what_is_earned_leaves_nothing_held(total: int, share: int) -> None:
    back = total * share // 100
    booking = earned(a_booking(total=total, refunded=back), due=(total - back) * share // 100)
    posting = postings.earning(booking)
    held = dict(posting.entries)["bookings:held"] if posting is not None else 0
    assert held == total - back
