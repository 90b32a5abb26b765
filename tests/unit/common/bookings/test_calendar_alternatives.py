"""Other times for a booking that could not have its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.bookings.calendar import Claim, alternative_days, alternatives, check
from common.services.model import Service
from tests.unit.common.services.builders import a_service

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = datetime(2026, 12, 1, tzinfo=UTC)  # a Tuesday
MINUTE = timedelta(minutes=1)
OFFICE = dict.fromkeys(range(5), ((540, 1020),))


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def a_claim(start: float, end: float, size: int = 1) -> Claim:
    return Claim("b", at(start), at(end), size, None)


def offered(
    service: Service, start: float, end: float, *claims: Claim, group: int = 1, **more: Any
) -> list[str]:
    found = alternatives(service, at(start), at(end), group, more.pop("now", NOW), claims, **more)
    return [f"{since:%d %H:%M}-{until:%d %H:%M}" for since, until in found]


def test_the_next_free_times_of_the_same_length_are_offered() -> None:
    service = a_service(weekly_hours=OFFICE)
    assert offered(service, 10, 12, a_claim(9, 11), a_claim(13.25, 14)) == [
        "01 11:00-01 13:00",
        "01 14:00-01 16:00",
        "02 09:00-02 11:00",
    ]


def test_a_buffer_is_kept_before_the_next_claim() -> None:
    service = a_service(weekly_hours=OFFICE, buffer_minutes=30)
    assert offered(service, 10, 12, a_claim(9, 11), a_claim(13.25, 14), limit=1) == [
        "01 14:00-01 16:00"
    ]


def test_seats_that_suffice_for_the_group_are_offered() -> None:
    service = a_service(capacity_mode="SEATS", capacity=5)
    claims = (a_claim(10, 12, 4), a_claim(12, 13, 2))
    assert offered(service, 10, 11, *claims, group=1, limit=1) == ["01 10:00-01 11:00"]
    assert offered(service, 10, 11, *claims, group=3, limit=1) == ["01 12:00-01 13:00"]
    assert offered(service, 10, 11, *claims, group=4, limit=1) == ["01 13:00-01 14:00"]


def test_a_start_that_was_too_soon_is_answered_from_the_next_quarter_of_an_hour() -> None:
    service = a_service(min_notice_minutes=60)
    assert offered(service, 9, 10, now=at(8) + 7 * MINUTE, limit=2) == [
        "01 09:15-01 10:15",
        "01 10:15-01 11:15",
    ]
    assert offered(service, 9, 10, now=at(8.25), limit=1) == ["01 09:15-01 10:15"]
    assert offered(service, -5000, -4999, now=at(8), limit=1) == ["01 09:00-01 10:00"]


@pytest.mark.parametrize(
    ("said", "group"),
    [
        ({"active": False}, 1),
        ({"max_duration_minutes": 30}, 1),
        ({"max_group_size": 2}, 3),
        ({"capacity_mode": "SEATS", "capacity": 2}, 3),
        ({"max_advance_days": 0}, 1),
        ({"min_notice_minutes": 3 * 1440, "max_advance_days": 2}, 1),
        ({"weekly_hours": {}}, 1),
    ],
)
def test_nothing_is_offered_where_another_time_would_not_help(
    said: dict[str, Any], group: int
) -> None:
    assert offered(a_service(**said), 10, 12, group=group) == []


def test_nothing_is_offered_beyond_the_days_that_are_known() -> None:
    service = a_service(weekly_hours={2: ((540, 660),)}, buffer_minutes=13 * 60 + 1)
    assert offered(service, 10, 12, horizon_days=1) == []
    assert offered(service, 10, 12, horizon_days=2) == []
    assert offered(service, 10, 12, horizon_days=3) == ["02 09:00-02 11:00"]


@pytest.mark.parametrize("year", [1, 9999])
def test_times_at_the_ends_of_the_calendar_are_no_error(year: int) -> None:
    zone = timezone(timedelta(hours=-14 if year > 1 else 14))
    start = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 20, tzinfo=zone)
    found = alternatives(a_service(), start, start + timedelta(hours=1), 1, NOW, [], limit=1)
    assert found == ([] if year > 1 else [(NOW, NOW + timedelta(hours=1))])
    assert bool(alternative_days(a_service(), start, NOW)) is (year == 1)


def test_the_days_to_load_are_named() -> None:
    assert alternative_days(a_service(), at(23), NOW, 2) == ["2026-12-01", "2026-12-02"]
    assert alternative_days(a_service(), at(-500), NOW, 1) == ["2026-11-30"]
    noted = a_service(min_notice_minutes=13 * 60)
    assert alternative_days(noted, at(-5), NOW, 1) == ["2026-12-01"]


def test_a_crowded_week_is_searched_in_good_time() -> None:
    """Candidates are bounded, so a calendar full of claims cannot hold a request up."""
    service = a_service(capacity_mode="SEATS", capacity=3)
    claims = [a_claim(n / 20, n / 20 + 2, 1) for n in range(3000)]
    assert offered(service, 0, 2, *claims, now=DAY) == []


services = st.builds(
    lambda mode, capacity, buffer, hours: a_service(
        timezone="Europe/Berlin",
        capacity_mode=mode,
        capacity=capacity,
        buffer_minutes=buffer,
        weekly_hours=hours,
        max_advance_days=2,
    ),
    st.sampled_from(["EXCLUSIVE", "SEATS"]),
    st.integers(2, 4),
    st.sampled_from([0, 20]),
    st.sampled_from([None, {1: ((540, 720), (780, 1440)), 2: ((0, 120), (600, 900))}, OFFICE]),
)
claimed = st.lists(
    st.tuples(st.integers(0, 140), st.integers(1, 30), st.integers(1, 2)), max_size=8
)


@settings(max_examples=150, deadline=None)
@given(services, st.integers(0, 100), st.integers(1, 20), claimed)
def test_each_can_be_had_none_overlap_and_no_earlier_one_was_missed(
    service: Service, first: int, length: int, lengths: list[tuple[int, int, int]]
) -> None:
    """Everything here is a multiple of 20 minutes, so trying those misses nothing."""
    step = 20 * MINUTE
    claims = [Claim("b", DAY + a * step, DAY + (a + n) * step, s, None) for a, n, s in lengths]
    start, end = DAY + first * step, DAY + (first + length) * step
    found = alternatives(service, start, end, 2, DAY, claims, limit=3, horizon_days=3)
    days = alternative_days(service, start, DAY, 3)
    assert found == alternatives(service, start, end, 2, DAY, claims[::-1], 3, 3)

    horizon = datetime.fromisoformat(days[-1]).replace(tzinfo=UTC) + timedelta(days=1)
    expected: list[tuple[datetime, datetime]] = []
    candidate = start
    while len(expected) < 3:
        until = candidate + (end - start)
        if until + service.buffer_minutes * MINUTE > horizon:
            break
        if check(service, candidate, until, 2, DAY, claims).available:
            expected.append((candidate, until))
            candidate = until
        else:
            candidate += step
    assert found == expected


def test_no_alternative_ends_after_the_money_may_be_held() -> None:
    asked = (a_service(), at(10), at(12), 1, at(9), [])
    assert alternatives(*asked, ends_by=at(15)) == [(at(10), at(12)), (at(12), at(14))]
    assert alternatives(*asked, ends_by=at(11)) == []
