"""Whether a time can be had: each reason by itself, and all of it against a model by the minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.bookings.calendar import Claim, Verdict, check, days_of
from common.services.model import Service
from tests.unit.common.services.builders import a_service

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = datetime(2026, 12, 1, tzinfo=UTC)  # a Tuesday
MINUTE = timedelta(minutes=1)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def a_claim(start: float, end: float, size: int = 1, name: str = "b") -> Claim:
    return Claim(name, at(start), at(end), size, None)


def asked(
    service: Service, start: float, end: float, *claims: Claim, group: int = 1, now: datetime = NOW
) -> Verdict:
    return check(service, at(start), at(end), group, now, claims)


def refused(service: Service, start: float, end: float, **more: Any) -> str | None:
    verdict = asked(service, start, end, **more)
    assert verdict.available is (verdict.reason is None)
    return verdict.reason


def test_the_days_of_a_time_are_those_of_utc_without_its_end() -> None:
    assert days_of(at(10), at(12)) == ["2026-12-01"]
    assert days_of(at(10), at(24)) == ["2026-12-01"]
    assert days_of(at(10), at(24) + timedelta(microseconds=1)) == ["2026-12-01", "2026-12-02"]
    assert days_of(at(23), at(24 * 31 + 1)) == [f"2026-12-{n:02d}" for n in range(1, 32)] + [
        "2027-01-01"
    ]
    assert days_of(at(10), at(10)) == days_of(at(11), at(10)) == []
    auckland = timezone(timedelta(hours=13))
    assert days_of(
        datetime(2026, 12, 1, 9, tzinfo=auckland), datetime(2026, 12, 1, 11, tzinfo=auckland)
    ) == ["2026-11-30"]


def test_a_free_exclusive_service_can_be_booked_by_a_group_of_any_size() -> None:
    assert asked(a_service(), 10, 12, group=50) == Verdict(True, None, 1, ())


def test_an_exclusive_service_has_one_booking_at_a_time() -> None:
    held = a_claim(11, 13)
    assert asked(a_service(capacity=9), 10, 12, held) == Verdict(False, "full", 0, (held,))
    assert asked(a_service(), 9, 11, held).available
    assert asked(a_service(), 13, 15, held).available
    assert asked(a_service(), 11.5, 12, held).reason == "full"
    assert asked(a_service(), 10, 15, held).reason == "full"


def test_the_buffer_after_a_booking_must_be_free_too() -> None:
    service = a_service(buffer_minutes=30)
    held = a_claim(11, 13.5)
    assert refused(service, 9, 10.5) is None
    assert asked(service, 9, 10.5, held).available
    assert asked(service, 9, 10.75, held).reason == "full"
    assert asked(service, 13.25, 14, held).reason == "full"
    assert asked(service, 13.5, 14, held).available


def test_seats_are_shared_by_overlapping_bookings() -> None:
    service = a_service(capacity_mode="SEATS", capacity=7)
    morning, noon = a_claim(9, 12, 4, "morning"), a_claim(12, 14, 5, "noon")
    assert asked(service, 10, 13, morning, noon, group=2) == Verdict(True, None, 2, ())
    full = asked(service, 10, 13, morning, noon, group=3)
    assert full == Verdict(False, "full", 2, (noon,))
    assert asked(service, 10, 12, morning, noon, group=3).remaining == 3
    assert asked(service, 14, 15, morning, noon, group=7) == Verdict(True, None, 7, ())


def test_every_claim_that_stands_in_the_way_is_named_and_no_other() -> None:
    service = a_service(capacity_mode="SEATS", capacity=4)
    early, middle, late = a_claim(9, 11, 1), a_claim(10, 12, 2), a_claim(11, 13, 2)
    full = asked(service, 9, 13, early, middle, late, group=2)
    assert full == Verdict(False, "full", 0, (early, middle, late))
    assert asked(service, 9, 10.5, early, middle, late, group=2).blocking == (early, middle)
    assert asked(service, 9, 10, early, middle, late, group=3).available
    neighbours = (a_claim(10, 11), a_claim(11, 13), a_claim(13, 14), a_claim(12.5, 12.5))
    assert asked(a_service(), 11, 13, *neighbours).blocking == (neighbours[1],)


def test_claims_beyond_what_there_is_leave_nothing_rather_than_less() -> None:
    service = a_service(capacity_mode="SEATS", capacity=2)
    assert asked(service, 10, 11, a_claim(10, 11, 5)).remaining == 0


def test_a_claim_of_no_time_stands_in_nobodys_way() -> None:
    assert asked(a_service(), 10, 12, a_claim(11, 11)).available


def test_an_inactive_service_cannot_be_booked() -> None:
    assert asked(a_service(active=False), 10, 12) == Verdict(False, "inactive", 0, ())


def test_durations_outside_the_services_are_bad() -> None:
    service = a_service(min_duration_minutes=60, max_duration_minutes=120)
    assert [refused(service, 10, end) for end in (10.99, 11, 12, 12.01)] == [
        "bad_duration",
        None,
        None,
        "bad_duration",
    ]
    assert refused(a_service(), 10, 10) == refused(a_service(), 10, 9) == "bad_duration"
    assert refused(a_service(), 10, 10 + 24 * 366) is None
    assert refused(a_service(), 10, 10 + 24 * 366 + 0.1) == "bad_duration"


def test_durations_count_real_time_across_a_clock_change() -> None:
    zone = ZoneInfo("America/New_York")
    service = a_service(min_duration_minutes=120)
    spring = [datetime(2027, 3, 14, hour, tzinfo=zone) for hour in (1, 3)]
    autumn = [datetime(2027, 11, 7, hour, tzinfo=zone) for hour in (1, 2)]
    assert check(service, spring[0], spring[1], 1, NOW, []).reason == "bad_duration"
    assert check(service, autumn[0], autumn[1], 1, NOW, []).available


def test_a_start_within_the_notice_is_too_soon() -> None:
    service = a_service(min_notice_minutes=90)
    now = at(8.5)
    assert refused(service, 10, 12, now=now) is None
    assert refused(service, 10, 12, now=now + timedelta(microseconds=1)) == "too_soon"
    assert refused(a_service(), 10, 12, now=at(10)) is None
    assert refused(a_service(), 10, 12, now=at(10) + timedelta(microseconds=1)) == "too_soon"


def test_a_start_beyond_the_advance_is_too_far() -> None:
    service = a_service(max_advance_days=1)
    assert refused(service, 10, 12, now=at(10 - 24)) is None
    assert refused(service, 10, 12, now=at(10 - 24) - timedelta(microseconds=1)) == "too_far"
    assert refused(a_service(), 10 + 24 * 3653, 12 + 24 * 3653, now=at(9)) == "too_far"


def test_a_group_beyond_the_limit_is_too_large() -> None:
    limited = a_service(max_group_size=4)
    seats = a_service(capacity_mode="SEATS", capacity=7)
    both = a_service(capacity_mode="SEATS", capacity=7, max_group_size=4)
    assert [refused(limited, 10, 12, group=group) for group in (4, 5)] == [None, "group_too_large"]
    assert [refused(seats, 10, 12, group=group) for group in (7, 8)] == [None, "group_too_large"]
    assert refused(both, 10, 12, group=5) == "group_too_large"
    # The caller learns how many seats there are, and may come with fewer.
    assert asked(seats, 10, 12, a_claim(9, 11, 2), group=8).remaining == 5


def test_a_booking_lies_within_opening_hours() -> None:
    service = a_service(weekly_hours={1: ((540, 1020),)}, buffer_minutes=60)
    assert refused(service, 9, 17) is None
    assert refused(service, 8.99, 10) == "closed"
    assert refused(service, 16, 17.01) == "closed"
    assert refused(service, 9 + 24, 10 + 24) == "closed"
    assert asked(service, 8, 10).remaining == 0


@pytest.mark.parametrize("year", [1, 1969, 9999])
@pytest.mark.parametrize("hours", [-14, 14])
def test_times_at_the_ends_of_the_calendar_are_refused_like_others(year: int, hours: int) -> None:
    service = a_service(weekly_hours={1: ((540, 1020),)}, buffer_minutes=60, max_group_size=1)
    zone = timezone(timedelta(hours=hours))
    start, end = datetime(year, 1, 1, tzinfo=zone), datetime(year, 1, 1, 1, tzinfo=zone)
    late, later = datetime(year, 12, 31, 22, tzinfo=zone), datetime(year, 12, 31, 23, tzinfo=zone)
    expected = "too_far" if year == 9999 else "too_soon"
    assert check(service, start, end, 5, NOW, []).reason == expected
    assert check(service, late, later, 5, NOW, []).reason == expected


def test_times_without_an_offset_are_an_error_of_the_caller() -> None:
    naive = datetime(2026, 12, 1, 10)
    with pytest.raises(ValueError, match="offset"):
        check(a_service(), naive, naive + MINUTE, 1, NOW, [])


def test_reasons_come_in_their_order() -> None:
    hours = {1: ((540, 1020),)}
    said: dict[str, Any] = {
        "active": False,
        "max_duration_minutes": 30,
        "min_notice_minutes": 100_000,
        "max_group_size": 1,
        "weekly_hours": hours,
    }
    order = []
    while True:
        verdict = check(a_service(**said), at(3), at(4), 2, NOW, [a_claim(3, 4), a_claim(9, 10)])
        order.append(verdict.reason)
        if not said:
            break
        said.pop(next(iter(said)))
    assert order == ["inactive", "bad_duration", "too_soon", "group_too_large", "closed", "full"]


# The model: a window of twelve hours about a clock change, asked minute by minute.

WINDOW = datetime(2026, 11, 1, 0, tzinfo=UTC)  # 01:00 comes twice in New York at 05:00 and 06:00
ZONE = "America/New_York"


def free_by_the_minute(
    service: Service, first: int, last: int, group: int, claims: list[tuple[int, int, int]]
) -> tuple[str | None, int]:
    """Reason and remaining, from the definitions and nothing else; times in minutes of WINDOW."""
    zone = ZoneInfo(service.timezone)
    hours = service.weekly_hours or {}
    for minute in range(first, last):
        local = (WINDOW + minute * MINUTE).astimezone(zone)
        clock = local.hour * 60 + local.minute
        if not any(a <= clock < b for a, b in hours.get(local.weekday(), ())):
            return "closed", 0
    seats = service.capacity_mode == "SEATS"
    capacity = service.capacity if seats else 1
    most = 0
    for minute in range(first, last + service.buffer_minutes):
        taken = sum((size if seats else 1) for a, b, size in claims if a <= minute < b)
        most = max(most, taken)
    remaining = max(0, capacity - most)
    if group > (capacity if seats else group):
        return "group_too_large", remaining
    return ("full" if most + (group if seats else 1) > capacity else None), remaining


services = st.builds(
    lambda mode, capacity, buffer, ranges: a_service(
        timezone=ZONE,
        capacity_mode=mode,
        capacity=capacity,
        buffer_minutes=buffer,
        weekly_hours={5: ((0, 1440),), 6: tuple(ranges)},
    ),
    st.sampled_from(["EXCLUSIVE", "SEATS"]),
    st.integers(1, 6),
    st.integers(0, 45),
    st.sampled_from([[(0, 1440)], [(0, 90)], [(60, 120)], [(0, 100), (110, 400)], []]),
)
minutes = st.integers(0, 720)
claimed = st.lists(st.tuples(minutes, st.integers(1, 180), st.integers(1, 4)), max_size=8)


@settings(max_examples=400, deadline=None)
@given(services, minutes, st.integers(1, 180), st.integers(1, 7), claimed)
@example(a_service(timezone=ZONE, weekly_hours={5: ((0, 1440),), 6: ((0, 90),)}), 250, 80, 1, [])
def test_the_verdict_is_what_asking_every_minute_finds(
    service: Service, first: int, length: int, group: int, lengths: list[tuple[int, int, int]]
) -> None:
    claims = [(start, start + lasts, size) for start, lasts, size in lengths]
    verdict = check(
        service,
        WINDOW + first * MINUTE,
        WINDOW + (first + length) * MINUTE,
        group,
        WINDOW,
        [Claim("b", WINDOW + a * MINUTE, WINDOW + b * MINUTE, size, None) for a, b, size in claims],
    )
    reason, remaining = free_by_the_minute(service, first, first + length, group, claims)
    # A group that no day could seat is refused for that, whether or not the doors are open.
    if service.capacity_mode == "SEATS" and group > service.capacity:
        reason = "group_too_large"
    assert (verdict.reason, verdict.remaining) == (reason, remaining)
    assert verdict.available is (reason is None)
    assert bool(verdict.blocking) is (reason == "full")


@settings(max_examples=200, deadline=None)
@given(services, minutes, st.integers(1, 180), st.integers(1, 6), claimed)
def test_without_the_claims_that_block_it_a_full_time_can_be_had(
    service: Service, first: int, length: int, group: int, lengths: list[tuple[int, int, int]]
) -> None:
    start, end = WINDOW + first * MINUTE, WINDOW + (first + length) * MINUTE
    claims = [
        Claim(str(n), WINDOW + at * MINUTE, WINDOW + (at + lasts) * MINUTE, size, None)
        for n, (at, lasts, size) in enumerate(lengths)
    ]
    verdict = check(service, start, end, group, WINDOW, claims)
    if verdict.reason == "full":
        others = [claim for claim in claims if claim not in verdict.blocking]
        assert check(service, start, end, group, WINDOW, others).available


def test_an_end_after_the_money_may_be_held_is_too_far() -> None:
    verdicts = [
        check(a_service(), at(10), at(12), 1, at(9), [], at(12) - step)
        for step in (timedelta(0), timedelta(microseconds=1))
    ]
    assert [one.reason for one in verdicts] == [None, "too_far"]
