"""Check-in codes by their keys, and what a no-show gives back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings import attendance
from common.bookings.model import Booking
from common.bookings.status import Status
from common.errors import BadRequest, Conflict, WrongState
from tests.unit.common.bookings.builders import NOW, a_booking

LATER = NOW + attendance.GRACE


def started(percent: int = 0, **more: int) -> Booking:
    booking = a_booking(starts_in=timedelta(0), **more)
    return replace(booking, attendance={"required": True, "noShowRefundPercent": percent})


def test_a_code_holds_under_the_newest_key_and_the_one_before_it() -> None:
    token = attendance.token_of("booking-1", ["old"])
    assert token is not None
    attendance.require_token("booking-1", token, ["new", "old"])
    with pytest.raises(BadRequest):
        attendance.require_token("booking-1", token, ["new"])
    with pytest.raises(BadRequest):
        attendance.require_token("booking-2", token, ["old"])


def test_without_a_key_there_is_no_code_and_none_is_taken() -> None:
    assert attendance.token_of("booking-1", []) is None
    with pytest.raises(BadRequest):
        attendance.require_token("booking-1", "booking-1.", [])


@given(st.text(max_size=80))
def test_no_other_text_is_a_code(text: str) -> None:
    if text != attendance.token_of("booking-1", ["key"]):
        with pytest.raises(BadRequest):
            attendance.require_token("booking-1", text, ["key"])


def test_check_in_opens_a_day_before_the_start() -> None:
    booking = a_booking(starts_in=timedelta(hours=24))
    assert attendance.checked_in(booking, NOW).attendance["checkedInAt"] == NOW
    with pytest.raises(Conflict):
        attendance.checked_in(booking, NOW - timedelta(microseconds=1))


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.CONFIRMED])
def test_only_a_confirmed_booking_has_an_arrival_or_a_no_show(status: Status) -> None:
    booking = replace(started(), status=status)
    with pytest.raises(WrongState):
        attendance.checked_in(booking, NOW)
    with pytest.raises(WrongState):
        attendance.no_show(booking, now=LATER, by="p", why="x")


def test_the_grace_ends_a_quarter_of_an_hour_after_the_start() -> None:
    attendance.no_show(started(), now=LATER, by="p", why="x")
    with pytest.raises(Conflict):
        attendance.no_show(started(), now=LATER - timedelta(microseconds=1), by="p", why="x")


@given(percent=st.integers(0, 100), before=st.integers(0, 200_00))
def test_a_no_show_divides_everything_between_the_two(percent: int, before: int) -> None:
    fee_before = (16_00 * before + 100_00) // 200_00
    booking = started(percent, refunded=before, fee_refunded=fee_before)
    if booking.giving_back:
        with pytest.raises(WrongState):
            attendance.no_show(booking, now=LATER, by="p", why="x")
        return
    done = attendance.no_show(booking, now=LATER, by="p", why="x")
    money = done.booking.money
    assert done.booking.status is Status.CANCELLED
    assert money.refunded == max(before, 200_00 * percent // 100)
    assert money.due == money.provider_share
    assert done.booking.eligible_at == LATER
