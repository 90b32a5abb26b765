"""The table of a booking's transitions: its ends, and that no walk leaves it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings.status import KEEPS_PLACE, TRANSITIONS, UNPAID, Status, require_transition
from common.errors import WrongState
from tests.unit.common.bookings.builders import NOW, a_booking

#: The contract's states of a booking, and where each may go.
TABLE = """
PENDING    CONFIRMED REQUESTED CANCELLED EXPIRED
REQUESTED  CONFIRMED DECLINED CANCELLED EXPIRED
EXPIRED    CONFIRMED
CONFIRMED  COMPLETED CANCELLED REFUNDED DISPUTED
COMPLETED  CANCELLED REFUNDED DISPUTED
DISPUTED   CONFIRMED COMPLETED REFUNDED
CANCELLED
DECLINED
REFUNDED
"""


def test_a_booking_takes_exactly_the_contracts_ways() -> None:
    ways = {row.split()[0]: set(row.split()[1:]) for row in TABLE.strip().splitlines()}
    assert {str(now): {str(to) for to in then} for now, then in TRANSITIONS.items()} == ways


def test_a_refused_step_names_both_ends() -> None:
    with pytest.raises(WrongState, match="that is CANCELLED cannot become CONFIRMED"):
        require_transition(Status.CANCELLED, Status.CONFIRMED)


def test_every_status_has_a_row_and_leads_only_to_statuses() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert {to for row in TRANSITIONS.values() for to in row} <= set(Status)


@pytest.mark.parametrize("end", [Status.CANCELLED, Status.DECLINED, Status.REFUNDED])
def test_what_is_over_stays_over(end: Status) -> None:
    for to in Status:
        with pytest.raises(WrongState) as refused:
            require_transition(end, to)
        assert refused.value.details["currentStatus"] == end


def test_no_status_leads_to_itself() -> None:
    for status, row in TRANSITIONS.items():
        assert status not in row


def test_every_status_can_be_reached_from_pending() -> None:
    seen, edge = {Status.PENDING}, {Status.PENDING}
    while edge:
        edge = {to for status in edge for to in TRANSITIONS[status]} - seen
        seen |= edge
    assert seen == set(Status)


@given(steps=st.lists(st.sampled_from(list(Status)), max_size=25), back=st.integers(-5, 5))
def test_no_walk_leaves_the_table_and_its_history_runs_forward(
    steps: list[Status], back: int
) -> None:
    booking = a_booking(status=Status.PENDING, paid=False)
    for number, to in enumerate(steps):
        at = NOW + timedelta(minutes=number * back)  # clocks of instances may disagree
        allowed = to in TRANSITIONS[booking.status]
        if not allowed:
            with pytest.raises(WrongState):
                booking.moved(to, at=at, by="x", why="x")
            continue
        booking = booking.moved(to, at=at, by="x", why="x")
        assert booking.status is to
    walked = [Status(step["status"]) for step in booking.history]
    assert all(to in TRANSITIONS[was] for was, to in pairwise(walked))
    times = [step["at"] for step in booking.history]
    assert times == sorted(times)


def test_a_place_is_kept_exactly_while_the_booking_may_still_take_place() -> None:
    over = {Status.CANCELLED, Status.DECLINED, Status.EXPIRED, Status.REFUNDED}
    assert set(KEEPS_PLACE) == set(Status) - over


def test_nothing_was_paid_yet_of_what_is_pending_or_requested() -> None:
    assert set(UNPAID) == {Status.PENDING, Status.REQUESTED}
