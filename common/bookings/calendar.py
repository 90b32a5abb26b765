"""Whether a service can be booked at a time, and when else it could.

Pure: the caller loads the claims on the service's time (kept in one document per service and UTC
day, see ``days_of``), removes those that have lapsed, and passes the rest.

Source: contract, sections 3 (CHECK_AVAILABILITY) and 5 (capacity, notice, durations).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from heapq import heapify, heappop, heappush
from typing import Final, Literal

from common.services.hours import Span, is_open, open_spans
from common.services.model import MOST_ADVANCE_DAYS, MOST_DURATION_MINUTES, Service

Reason = Literal[
    "closed", "full", "too_soon", "too_far", "bad_duration", "group_too_large", "inactive"
]

#: UTC days that ``alternatives`` looks at unless told otherwise.
HORIZON_DAYS: Final = 7
#: Start times that ``alternatives`` tries before it gives up.
MOST_CANDIDATES: Final = 500
#: A start time that only the clock dictates is moved up to a multiple of this.
_ROUND_START: Final = timedelta(minutes=15)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """Time of a service that a booking holds.

    Attributes:
        start: With an offset.
        end: With an offset; the service's buffer after the booking included.
        size: Seats, which is the group's size.
        hold_until: Until when an unpaid booking keeps it; None: it does not lapse.
    """

    booking_id: str
    start: datetime
    end: datetime
    size: int
    hold_until: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a place can be had.

    Attributes:
        available: True exactly if ``reason`` is None.
        reason: The first thing that stands against it.
        remaining: Seats (1 where bookings are exclusive) free during all of that time, before this
            booking; 0 where the time cannot be booked whatever is free.
        blocking: Where it is full, the claims that stand in the way.
    """

    available: bool
    reason: Reason | None
    remaining: int
    blocking: tuple[Claim, ...]


def days_of(start: datetime, end: datetime) -> list[str]:
    """
    The UTC days that [start, end) touches, as YYYY-MM-DD in order; none where it is empty.

    For the documents that a booking claims, ``end`` includes the service's buffer.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start >= end:
        return []
    count = (end - timedelta(microseconds=1)).date() - start.date()
    return [(start.date() + timedelta(days=n)).isoformat() for n in range(count.days + 1)]


def check(
    service: Service,
    start: datetime,
    end: datetime,
    group_size: int,
    now: datetime,
    claims: Iterable[Claim],
    ends_by: datetime | None = None,
) -> Verdict:
    """
    Whether [start, end) can be booked now for a group.

    The booking itself must lie in open time; its buffer only has to be free of other claims.

    Args:
        service: What is booked.
        start: With an offset.
        end: With an offset.
        group_size: At least 1.
        now: With an offset.
        claims: Those of the days that [start, end + buffer) touches, at least. All count as held.
        ends_by: The last instant at which it may end; None: none. Later is too_far.

    Returns:
        The verdict. Reasons are looked at in this order: inactive, bad_duration, too_soon, too_far,
        group_too_large, closed, full.
    """
    refusal = _refusal(service, start, end, group_size, now, ends_by)
    if refusal and refusal != "group_too_large":
        # Seats at such a time say nothing, and it may be too far off to reckon with.
        return Verdict(False, refusal, 0, ())
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if not is_open(service, start, end):
        return Verdict(False, refusal or "closed", 0, ())
    occupied_until = end + timedelta(minutes=service.buffer_minutes)
    near = [claim for claim in claims if _meets(claim, start, occupied_until)]
    load = _Load(service, near)
    remaining = max(0, load.capacity - load.peak(start, occupied_until))
    if refusal:
        return Verdict(False, refusal, remaining, ())
    crowded = load.above(load.capacity - load.needed(group_size), start, occupied_until)
    if crowded:
        blocking = tuple(c for c in near if any(_meets(c, *span) for span in crowded))
        return Verdict(False, "full", remaining, blocking)
    return Verdict(True, None, remaining, ())


def alternative_days(
    service: Service, start: datetime, now: datetime, horizon_days: int = HORIZON_DAYS
) -> list[str]:
    """The UTC days whose claims ``alternatives`` needs for the same arguments."""
    if _too_far(service, start, now):
        return []
    first = _earliest(service, start, now)
    return days_of(first, _horizon(first, horizon_days))


def alternatives(
    service: Service,
    start: datetime,
    end: datetime,
    group_size: int,
    now: datetime,
    claims: Iterable[Claim],
    limit: int = 3,
    horizon_days: int = HORIZON_DAYS,
    ends_by: datetime | None = None,
) -> list[Span]:
    """
    The next times of the same real duration that can be booked, at or after ``start``.

    A time that can be booked can be moved earlier until it meets the earliest possible start, the
    start of open time, or the end of a claim. So only those are tried (and the end of the
    alternative before), and the first answer is the earliest there is.

    Args:
        service, start, end, group_size, now, ends_by: As for ``check``.
        claims: Those of the days that ``alternative_days`` names, at least. Held, all of them.
        limit: Most answers.
        horizon_days: UTC days to look at. No answer reaches beyond them, since claims there are
            not known.

    Returns:
        UTC spans in order that do not overlap one another, each available by ``check``. None
        where another time would not help (inactive, bad_duration, group_too_large, too_far).
    """
    refusal = _refusal(service, start, end, group_size, now, ends_by)
    hopeless = refusal not in (None, "too_soon") or group_size > _largest_group(service)
    if hopeless or _too_far(service, start, now):
        return []
    length = _real_time(start, end)
    buffer = timedelta(minutes=service.buffer_minutes)
    first = _earliest(service, start, now)
    horizon = _horizon(first, horizon_days)
    near = [claim for claim in claims if _meets(claim, first, horizon)]
    load = _Load(service, near)
    most = load.capacity - load.needed(group_size)
    spans = open_spans(service, first, horizon)
    starts = [first, *(opens for opens, _ in spans), *(c.end.astimezone(UTC) for c in near)]
    found: list[Span] = []
    for candidate in _ascending(starts, found):
        until = candidate + length
        if len(found) == limit or until + buffer > horizon:
            break
        if (
            _within(spans, candidate, until)
            and not _too_far(service, candidate, now)
            and not _past(until, ends_by)
            and load.peak(candidate, until + buffer) <= most
        ):
            found.append((candidate, until))
    return found


def _ascending(starts: Iterable[datetime], found: Sequence[Span]) -> Iterator[datetime]:
    """Start times in order, each once, from the end of what has been found meanwhile."""
    queue = list(set(starts))
    heapify(queue)
    last: datetime | None = None
    for _ in range(MOST_CANDIDATES):
        while queue and (queue[0] == last or (found and queue[0] < found[-1][1])):
            heappop(queue)
        if not queue:
            return
        last = heappop(queue)
        before = len(found)
        yield last
        if len(found) > before:
            heappush(queue, found[-1][1])


def _refusal(
    service: Service,
    start: datetime,
    end: datetime,
    group_size: int,
    now: datetime,
    ends_by: datetime | None,
) -> Reason | None:
    """What stands against a booking before hours and claims are looked at."""
    if not service.active:
        return "inactive"
    # Differences, not sums: they stay in range for every pair of times.
    length = _real_time(start, end)
    shortest = timedelta(minutes=service.min_duration_minutes or 0)
    longest = timedelta(minutes=service.max_duration_minutes or MOST_DURATION_MINUTES)
    if not timedelta(0) < length or not shortest <= length <= longest:
        return "bad_duration"
    if _real_time(now, start) < timedelta(minutes=service.min_notice_minutes):
        return "too_soon"
    if _too_far(service, start, now) or _past(end, ends_by):
        return "too_far"
    return "group_too_large" if group_size > _largest_group(service) else None


def _too_far(service: Service, start: datetime, now: datetime) -> bool:
    days = MOST_ADVANCE_DAYS if service.max_advance_days is None else service.max_advance_days
    return _real_time(now, start) > timedelta(days=days)


def _past(end: datetime, ends_by: datetime | None) -> bool:
    return ends_by is not None and _real_time(ends_by, end) > timedelta(0)


def _largest_group(service: Service) -> int:
    limits = [
        service.max_group_size,
        service.capacity if service.capacity_mode == "SEATS" else None,
    ]
    return min((limit for limit in limits if limit is not None), default=2**31)


def _real_time(start: datetime, end: datetime) -> timedelta:
    """From one time to the other. Python subtracts times of one zone by their wall clocks."""
    return end.replace(tzinfo=None) - start.replace(tzinfo=None) - (_offset(end) - _offset(start))


def _offset(instant: datetime) -> timedelta:
    offset = instant.utcoffset()
    if offset is None:
        raise ValueError("a time without an offset")
    return offset


def _earliest(service: Service, start: datetime, now: datetime) -> datetime:
    """The first start time that notice allows, at or after the one asked for; UTC."""
    notice = timedelta(minutes=service.min_notice_minutes)
    if _real_time(now, start) >= notice:
        return start.astimezone(UTC)
    soonest = now.astimezone(UTC) + notice
    return soonest + (_EPOCH - soonest) % _ROUND_START


def _horizon(first: datetime, horizon_days: int) -> datetime:
    """The end of the last UTC day that is looked at."""
    return datetime.combine(first.date(), time(), UTC) + horizon_days * _DAY


def _meets(claim: Claim, start: datetime, end: datetime) -> bool:
    """Whether a claim and [start, end) share an instant; an empty claim shares none."""
    lasts = _real_time(claim.start, claim.end) > timedelta(0)
    return lasts and claim.start < end and start < claim.end


def _within(spans: Sequence[Span], start: datetime, end: datetime) -> bool:
    """Whether one of the spans, which are in order, holds all of [start, end)."""
    at = bisect_right(spans, start, key=lambda span: span[0]) - 1
    return at >= 0 and end <= spans[at][1]


class _Load:
    """How many seats are taken at each instant, as steps in time."""

    def __init__(self, service: Service, claims: Iterable[Claim]) -> None:
        self._seats = service.capacity_mode == "SEATS"
        self.capacity = service.capacity if self._seats else 1
        changes: dict[datetime, int] = {}
        for claim in claims:
            size = self.needed(claim.size)
            start, end = claim.start.astimezone(UTC), claim.end.astimezone(UTC)
            changes[start] = changes.get(start, 0) + size
            changes[end] = changes.get(end, 0) - size
        self._instants = sorted(changes)
        self._taken: list[int] = []
        taken = 0
        for instant in self._instants:
            taken += changes[instant]
            self._taken.append(taken)

    def needed(self, group_size: int) -> int:
        """The seats a group takes; a group has all of an exclusive service, which is one."""
        return group_size if self._seats else 1

    def peak(self, start: datetime, end: datetime) -> int:
        """The most that is taken at any instant of [start, end)."""
        return max((taken for _, _, taken in self._steps(start, end)), default=0)

    def above(self, most: int, start: datetime, end: datetime) -> list[Span]:
        """The parts of [start, end) in which more than ``most`` is taken."""
        return [(since, until) for since, until, taken in self._steps(start, end) if taken > most]

    def _steps(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, int]]:
        at = max(0, bisect_right(self._instants, start) - 1)
        for index in range(at, len(self._instants)):
            since = self._instants[index]
            if since >= end:
                return
            last = index + 1 == len(self._instants)
            until = end if last else min(end, self._instants[index + 1])
            if max(since, start) < until:
                yield max(since, start), until, self._taken[index]
