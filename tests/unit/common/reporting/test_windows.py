"""A report's time: whole UTC days and the parts at its ends, never more and never less."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidFields
from common.reporting.windows import MOST_DAYS, Window, group_of

INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
DAY = timedelta(days=1)


@given(one=INSTANTS, other=INSTANTS)
def test_whole_days_and_parts_cover_exactly_the_window(one: datetime, other: datetime) -> None:
    if one == other:
        return
    window = Window.of(*sorted((one, other)))
    first, last = date.fromisoformat(window.first_day), date.fromisoformat(window.last_day)
    days = [(first + n * DAY).isoformat() for n in range((last - first).days + 1)]
    whole = [day for day in days if window.holds_whole(day)]
    parts = list(window.partial())
    assert sorted([*whole, *(day for day, _ in parts)]) == days
    assert all(window.start <= part.start < part.end <= window.end for _, part in parts)
    covered = len(whole) * DAY + sum((part.end - part.start for _, part in parts), timedelta())
    assert covered == window.end - window.start


def test_midnights_leave_no_part() -> None:
    window = Window.of(datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
    assert list(window.partial()) == []
    assert (window.first_day, window.last_day) == ("2026-02-28", "2026-03-01")


def test_a_part_of_one_day_is_one_part() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    window = Window.of(noon, noon + timedelta(hours=1))
    assert list(window.partial()) == [("2026-03-01", window)]


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-1)])
def test_a_window_has_a_length(length: timedelta) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with pytest.raises(InvalidFields):
        Window.of(noon, noon + length)


def test_a_window_has_a_longest_length() -> None:
    start = datetime(2016, 3, 1, tzinfo=UTC)
    Window.of(start, start + MOST_DAYS * DAY)
    with pytest.raises(InvalidFields):
        Window.of(start, start + MOST_DAYS * DAY + timedelta(microseconds=1))


def test_weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday() -> None:
    assert group_of("2026-11-29", "week") == "2026-W48"
    assert group_of("2026-11-30", "week") == "2026-W49"
    assert group_of("2027-01-01", "week") == "2026-W53"
    assert group_of("2027-01-01", "month") == "2027-01"
    assert group_of("2027-01-01", "day") == "2027-01-01"
