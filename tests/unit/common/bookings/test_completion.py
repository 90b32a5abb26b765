"""The end of a service: what the provider has earned, and from when it may be paid out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from common.bookings import documents
from common.bookings.completion import completed, hold_over, writes
from common.bookings.model import Booking
from common.bookings.status import Status
from common.errors import WrongState
from common.store import collections
from common.store.store import Add, Create, Replace, Snapshot
from tests.unit.common.bookings.builders import NOW, a_booking, earned

LATER = NOW + timedelta(hours=80)


def done(booking: Booking, hold_hours: int = 0) -> Booking:
    return completed(
        booking, hold_hours=hold_hours, now=LATER, by="provider-1", why="COMPLETE_BOOKING"
    )


def snapshot(booking: Booking) -> Snapshot:
    return Snapshot(collections.booking(booking.id), documents.to_document(booking), NOW)


def test_a_provider_has_earned_184_of_200_and_may_be_paid_at_once() -> None:
    booking = done(a_booking())
    assert booking.status is Status.COMPLETED
    assert booking.money.due == booking.available == 184_00
    assert (booking.completed_at, booking.earned_at, booking.eligible_at) == (LATER, LATER, LATER)


def test_what_was_refunded_before_is_not_earned() -> None:
    assert done(a_booking(refunded=50_00, fee_refunded=4_00)).money.due == 138_00


def test_the_completion_is_remembered_with_who_said_so() -> None:
    last = done(a_booking()).history[-1]
    assert (last["at"], last["by"], last["why"]) == (LATER, "provider-1", "COMPLETE_BOOKING")


def test_a_hold_keeps_what_was_earned_from_being_paid_out() -> None:
    booking = done(a_booking(), hold_hours=48)
    assert (booking.earned_at, booking.eligible_at) == (LATER, None)
    assert (booking.available, booking.waiting) == (0, 184_00)


@pytest.mark.parametrize("status", [Status.PENDING, Status.CANCELLED, Status.COMPLETED])
def test_only_what_is_paid_and_stands_can_be_completed(status: Status) -> None:
    with pytest.raises(WrongState):
        done(a_booking(status=status))


def test_a_booking_that_is_being_given_back_is_not_completed() -> None:
    with pytest.raises(WrongState, match=r"^All of this booking is being refunded$") as refused:
        done(a_booking(refunded=200_00, fee_refunded=16_00))
    assert refused.value.details["currentStatus"] == "CONFIRMED"


def test_the_completion_is_one_commit_of_booking_totals_and_earning() -> None:
    booking = a_booking()
    was, after = snapshot(booking), done(booking)
    changed, totals, posting, *figures = writes(was, after, LATER)
    assert isinstance(changed, Replace)
    assert (changed.was, changed.data["status"]) == (was, "COMPLETED")
    assert isinstance(totals, Add)
    assert totals.deltas == {"held": -184_00, "available": 184_00, "count": 1}
    assert isinstance(posting, Create)
    assert posting.key == collections.transaction("earning_booking-1")
    assert posting.data["createdAt"] == LATER
    assert posting.data["entries"] == [
        {"account": "bookings:held", "amount": 200_00},
        {"account": "provider:provider-1", "amount": -184_00},
        {"account": "platform:commission", "amount": -16_00},
    ]
    assert [type(one) for one in figures] == [Add, Add]  # the day's totals and the year's


def test_where_nothing_is_left_nothing_is_earned_in_the_ledger() -> None:
    free = earned(a_booking(refunded=200_00, fee_refunded=16_00))
    assert not [one for one in writes(snapshot(a_booking()), free, NOW) if isinstance(one, Create)]


def test_a_hold_is_over_exactly_at_its_last_instant() -> None:
    booking = replace(earned(a_booking()), completed_at=NOW)
    end = NOW + timedelta(hours=48)
    assert not hold_over(booking, 48, end - timedelta(microseconds=1))
    assert hold_over(booking, 48, end)
    assert hold_over(booking, 48, end + timedelta(microseconds=1))


def test_what_was_never_completed_has_no_hold_to_end() -> None:
    assert not hold_over(a_booking(), 0, LATER)
