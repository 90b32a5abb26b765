"""What a decision gives back, and out of whose part."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings.model import Booking
from common.bookings.status import Status
from common.errors import NotRefundable, RefusedAmount
from common.refunds.dispute import HOLD, Decided, Decision, RefundDispute, Statement, lifted
from common.refunds.resolution import resolve, set_aside
from common.store.store import Snapshot
from tests.unit.common.bookings.builders import NOW, a_booking, earned


def a_dispute(requested: int | None = None, *, refunded_before: int = 0) -> RefundDispute:
    return RefundDispute(
        id="dispute-1",
        booking_id="booking-1",
        customer_id="customer-1",
        provider_id="provider-1",
        currency="USD",
        contested=None,
        refunded_before=refunded_before,
        opening=Statement("customer", "too short", None, requested, NOW),
    )


def given_back(
    booking: Booking, dispute: RefundDispute, decision: Decision, asked: int | None = None
) -> int:
    part = resolve(booking, dispute, decision, asked)
    return part.refund if part else 0


@pytest.mark.parametrize(
    ("requested", "before", "refunded", "back"),
    [
        (80_00, 0, 0, 80_00),
        (None, 0, 0, 200_00),
        (None, 0, 50_00, 150_00),
        (80_00, 50_00, 50_00, 80_00),  # what had gone back before counts not
        (80_00, 0, 50_00, 30_00),  # what has gone back since does
        (80_00, 0, 90_00, 0),
        (180_00, 50_00, 50_00, 150_00),  # no more than is left
        (80_00, 0, 200_00, 0),
    ],
)
def test_upheld_gives_what_was_requested_and_did_not_go_back_since(
    requested: int | None, before: int, refunded: int, back: int
) -> None:
    booking = a_booking(refunded=refunded, fee_refunded=refunded * 8 // 100)
    dispute = a_dispute(requested, refunded_before=before)
    assert given_back(booking, dispute, Decision.UPHELD) == back


@pytest.mark.parametrize("status", list(Status))
def test_nothing_goes_back_by_a_rejection_whatever_the_booking_is(status: Status) -> None:
    assert resolve(a_booking(status=status), a_dispute(), Decision.REJECTED, None) is None


@pytest.mark.parametrize("status", list(Status))
def test_money_goes_back_where_it_is_ours_to_give(status: Status) -> None:
    booking = a_booking(status=status)
    ours = (Status.CONFIRMED, Status.COMPLETED, Status.CANCELLED, Status.REFUNDED)
    if status in ours:
        assert given_back(booking, a_dispute(), Decision.PARTIAL, 10_00) == 10_00
    else:
        with pytest.raises(NotRefundable):
            resolve(booking, a_dispute(), Decision.PARTIAL, 10_00)


def test_an_operator_cannot_give_more_than_is_left() -> None:
    booking = a_booking(refunded=150_00, fee_refunded=12_00)
    with pytest.raises(RefusedAmount) as refused:
        resolve(booking, a_dispute(), Decision.UPHELD, 50_01)
    assert (refused.value.type, refused.value.details["allowed"]) == ("exceeds_remaining", 50)
    assert given_back(booking, a_dispute(), Decision.UPHELD, 50_00) == 50_00


@given(
    refunded=st.integers(0, 199_00),
    compensation=st.integers(0, 200_00),
    back=st.integers(1, 200_00),
)
def test_nobody_earns_by_a_decision(refunded: int, compensation: int, back: int) -> None:
    left = 200_00 - refunded
    fee = (2 * 16_00 * refunded + 200_00) // (2 * 200_00)
    before = earned(
        a_booking(refunded=refunded, fee_refunded=fee, booking_id="b"), due=min(compensation, left)
    )
    part = resolve(before, a_dispute(), Decision.PARTIAL, min(back, left))
    assert part is not None
    after = set_aside(before, part)
    ours = [booking.money.remaining - booking.money.due for booking in (before, after)]
    assert 0 <= ours[1] <= ours[0]
    assert 0 <= after.money.due <= before.money.due


def test_only_the_disputes_own_hold_is_lifted() -> None:
    booking = replace(a_booking(), holds={HOLD: "dispute-1", "review": "prv_1"})
    assert lifted(booking, "dispute-1").holds == {"review": "prv_1"}
    for other in ("dispute-2", None):
        assert lifted(booking, other) == booking


def test_a_dispute_is_the_same_after_a_round_trip_through_its_document() -> None:
    answered = a_dispute(80_00).answered(Statement("provider", "no", "a log", 20_00, NOW))
    decided = Decided(Decision.PARTIAL, 30_00, 30_00, "refund-1", "half", "operator", NOW)
    for dispute in (a_dispute(), answered, replace(answered, decided=decided, refusals=2)):
        snapshot = Snapshot(dispute.key, dispute.to_document(), NOW)
        assert RefundDispute.load(snapshot) == dispute


def test_each_side_says_one_thing_and_only_while_it_is_open() -> None:
    dispute = a_dispute()
    own = Statement("customer", "again", None, None, NOW)
    other = Statement("provider", "no", None, None, NOW)
    assert dispute.answered(own) == dispute
    heard = dispute.answered(other)
    assert heard.answer == other
    assert heard.answered(Statement("provider", "still no", None, None, NOW)) == heard
    over = replace(dispute, decided=Decided(Decision.REJECTED, None, 0, None, "no", "o", NOW))
    assert over.answered(other) == over


def test_each_try_after_a_refusal_is_a_refund_of_its_own() -> None:
    dispute = a_dispute()
    ids = [dispute.next_refund_id]
    for _ in range(2):
        dispute = dispute.reopened()
        ids.append(dispute.next_refund_id)
    assert ids == ["refund-dispute-1", "refund-dispute-1-2", "refund-dispute-1-3"]


@pytest.mark.parametrize(
    ("decision", "asked", "same"),
    [
        (Decision.UPHELD, None, True),
        (Decision.UPHELD, 80_00, True),
        (Decision.UPHELD, 10_00, False),
        (Decision.PARTIAL, 80_00, False),
        (Decision.REJECTED, None, False),
    ],
)
def test_a_decision_is_repeated_by_the_same_words_or_the_same_amount(
    decision: Decision, asked: int | None, same: bool
) -> None:
    known = Decided(Decision.UPHELD, None, 80_00, "refund-1", "yes", "operator", NOW)
    assert known.repeats(decision, asked) is same
