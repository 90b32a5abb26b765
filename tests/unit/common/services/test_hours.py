"""Opening hours in real time, through every kind of clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.services.hours import Span, is_open, open_spans
from common.services.model import Service
from tests.unit.common.services.builders import a_service

MINUTE = timedelta(minutes=1)
DAILY = range(7)


def daily(zone: str, *ranges: tuple[int, int], closed: tuple[date, ...] = ()) -> Service:
    """A service with the same hours every day; ranges in whole local hours."""
    minutes = tuple((first * 60, last * 60) for first, last in ranges)
    return a_service(
        timezone=zone,
        weekly_hours=dict.fromkeys(DAILY, minutes),
        closed_dates=frozenset(closed),
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spans(service: Service, start: str, end: str) -> list[str]:
    found = open_spans(service, utc(start), utc(end))
    return [f"{since:%d %H:%M}-{until:%d %H:%M}" for since, until in found]


def test_a_service_without_hours_is_always_open() -> None:
    service = a_service(timezone="America/New_York")
    assert spans(service, "2026-03-08", "2026-03-10") == ["08 00:00-10 00:00"]
    assert open_spans(service, utc("2026-03-08"), utc("2026-03-08")) == []


def test_a_service_without_hours_is_closed_on_its_closed_dates() -> None:
    service = a_service(timezone="Europe/Berlin", closed_dates=frozenset({date(2026, 12, 25)}))
    assert spans(service, "2026-12-24", "2026-12-27") == ["24 00:00-24 23:00", "25 23:00-27 00:00"]


def test_a_weekday_that_is_not_named_is_closed() -> None:
    service = a_service(weekly_hours={0: ((540, 1020),)})
    assert spans(service, "2026-12-07", "2026-12-15") == ["07 09:00-07 17:00", "14 09:00-14 17:00"]


def test_a_night_is_open_across_midnight_where_its_ranges_touch() -> None:
    night = daily("Europe/Berlin", (0, 2), (20, 24))
    assert spans(night, "2026-12-01", "2026-12-02T12:00") == [
        "01 00:00-01 01:00",
        "01 19:00-02 01:00",
    ]
    assert is_open(night, utc("2026-12-01T22:00"), utc("2026-12-02T01:00"))
    assert not is_open(night, utc("2026-12-01T22:00"), utc("2026-12-02T01:01"))
    assert not is_open(night, utc("2026-12-01T18:59"), utc("2026-12-01T20:00"))


def test_a_time_that_starts_when_the_service_closes_has_no_open_span_before_it() -> None:
    service = daily("UTC", (9, 12), (13, 17))
    assert spans(service, "2026-12-01T12:00", "2026-12-01T13:00") == []
    assert spans(service, "2026-12-01T12:00:30", "2026-12-01T14:00") == ["01 13:00-01 14:00"]


def test_a_year_has_both_of_its_clock_changes() -> None:
    year = open_spans(daily("Europe/Berlin", (1, 5)), utc("2026-01-01"), utc("2027-01-01"))
    lengths = {f"{until:%m-%d}": until - since for since, until in year}
    assert len(lengths) == 365
    odd = {day: length for day, length in lengths.items() if length != timedelta(hours=4)}
    assert odd == {"03-29": timedelta(hours=3), "10-25": timedelta(hours=5)}


def test_what_a_skipped_hour_opens_starts_after_the_gap_in_new_york() -> None:
    # 8 March 2026: 02:00 EST is followed by 03:00 EDT, at 07:00 UTC.
    half_past_two = a_service(
        timezone="America/New_York", weekly_hours=dict.fromkeys(DAILY, ((150, 300),))
    )
    assert spans(half_past_two, "2026-03-07", "2026-03-10") == [
        "07 07:30-07 10:00",
        "08 07:00-08 09:00",
        "09 06:30-09 09:00",
    ]
    within_the_gap = a_service(
        timezone="America/New_York", weekly_hours=dict.fromkeys(DAILY, ((130, 170),))
    )
    assert spans(within_the_gap, "2026-03-08", "2026-03-09") == []
    across = daily("America/New_York", (1, 4))
    assert spans(across, "2026-03-08", "2026-03-09") == ["08 06:00-08 08:00"]


def test_an_hour_that_comes_twice_is_two_hours_in_new_york() -> None:
    # 1 November 2026: 02:00 EDT is followed by 01:00 EST, at 06:00 UTC.
    assert spans(daily("America/New_York", (1, 2)), "2026-11-01", "2026-11-02") == [
        "01 05:00-01 07:00"
    ]
    assert spans(daily("America/New_York", (0, 24)), "2026-11-01", "2026-11-03") == [
        "01 00:00-03 00:00"
    ]
    half = a_service(timezone="America/New_York", weekly_hours=dict.fromkeys(DAILY, ((30, 90),)))
    # Both half hours from 01:00 to 01:30, and closed between them, when it is 01:30 to 02:00.
    assert spans(half, "2026-11-01", "2026-11-02") == ["01 04:30-01 05:30", "01 06:00-01 06:30"]


def test_both_clock_changes_of_berlin() -> None:
    service = daily("Europe/Berlin", (1, 5))
    assert spans(service, "2026-03-29", "2026-03-29T12:00") == ["29 00:00-29 03:00"]
    assert spans(service, "2026-10-24T12:00", "2026-10-25T12:00") == ["24 23:00-25 04:00"]


def test_lord_howe_changes_by_half_an_hour() -> None:
    service = daily("Australia/Lord_Howe", (1, 4))
    # 5 April 2026: 02:00 (+11) is followed by 01:30 (+10:30), at 15:00 UTC of the 4th.
    assert spans(service, "2026-04-04T12:00", "2026-04-05T12:00") == ["04 14:00-04 17:30"]
    # 4 October 2026: 02:00 (+10:30) is followed by 02:30 (+11), at 15:30 UTC of the 3rd.
    assert spans(service, "2026-10-03T12:00", "2026-10-04T12:00") == ["03 14:30-03 17:00"]


def test_a_date_that_apia_skipped_has_no_hours() -> None:
    # After 29 December 2011, 23:59 (-10) came 31 December, 00:00 (+14), at 10:00 UTC of the 30th.
    service = daily("Pacific/Apia", (9, 17))
    assert spans(service, "2011-12-29T10:00", "2011-12-31T10:00") == [
        "29 19:00-30 03:00",
        "30 19:00-31 03:00",
    ]
    skipped = daily("Pacific/Apia", (0, 24), closed=(date(2011, 12, 30),))
    assert spans(skipped, "2011-12-29T10:00", "2011-12-31T10:00") == ["29 10:00-31 10:00"]


def by_the_minute(service: Service, start: datetime, minutes: int) -> list[Span]:
    """The definition itself: every minute asked for its wall-clock time."""
    zone = ZoneInfo(service.timezone)
    found: list[Span] = []
    for instant in (start + n * MINUTE for n in range(minutes)):
        local = instant.astimezone(zone)
        minute = local.hour * 60 + local.minute
        hours = (
            ((0, 1440),)
            if service.weekly_hours is None
            else service.weekly_hours.get(local.weekday(), ())
        )
        if local.date() in service.closed_dates or not any(a <= minute < b for a, b in hours):
            continue
        if found and found[-1][1] == instant:
            found[-1] = (found[-1][0], instant + MINUTE)
        else:
            found.append((instant, instant + MINUTE))
    return found


#: A zone and an instant about which something happens to its clocks; UTC.
CHANGES = [
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("America/Santiago", "2026-09-06T04:00"),
    ("Asia/Kathmandu", "2026-06-01T00:00"),
]

ranges = st.lists(
    st.tuples(st.integers(0, 95), st.integers(1, 96)).filter(lambda pair: pair[0] < pair[1]),
    max_size=3,
).map(lambda found: tuple((first * 15, last * 15) for first, last in found))


def disjoint(found: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    kept: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if not kept or first > kept[-1][1]:
            kept.append((first, last))
    return tuple(kept)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.none() | st.dictionaries(st.integers(0, 6), ranges.map(disjoint)),
    st.sets(st.integers(-2, 2), max_size=2),
    st.integers(-2000, 2000),
    st.integers(0, 3000),
)
def test_hours_are_what_asking_every_minute_finds(
    change: tuple[str, str],
    hours: dict[int, tuple[tuple[int, int], ...]] | None,
    closed: set[int],
    shift: int,
    minutes: int,
) -> None:
    zone, instant = change
    about = utc(instant)
    service = a_service(
        timezone=zone,
        weekly_hours=hours,
        closed_dates=frozenset(about.date() + timedelta(days=n) for n in closed),
    )
    start = about + shift * MINUTE
    found = open_spans(service, start, start + minutes * MINUTE)
    assert found == by_the_minute(service, start, minutes)


@pytest.mark.parametrize(("zone", "instant"), CHANGES)
def test_spans_that_start_between_seconds_find_the_same_clock_change(
    zone: str, instant: str
) -> None:
    service = daily(zone, (0, 3), (9, 17))
    start = utc(instant) - timedelta(hours=30)
    whole = open_spans(service, start, start + timedelta(days=3))
    for odd in (timedelta(microseconds=1), timedelta(seconds=7, microseconds=123_457)):
        later = open_spans(service, start + odd, start + timedelta(days=3))
        assert later[1:] == whole[1:]
