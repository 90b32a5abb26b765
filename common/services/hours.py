"""When a service is open: its weekly local hours as spans of real time.

An instant is open if its wall-clock time in the service's zone lies in one of that weekday's ranges
and its date is not a closed one. Everything the contract says of clock changes follows: a skipped
local time is no instant's wall-clock time, so a range that starts in the gap opens at the first
instant after it; an hour that comes twice is open twice; a date that a zone skips has no hours.

Source: contract, section 5 (``weeklyHours``, ``closedDates``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from common.services.fields import DAY_MINUTES
from common.services.model import Service

Span = tuple[datetime, datetime]

#: No zone has ever changed its offset and changed it back within this time.
_PROBE: Final = timedelta(hours=6)
_SECOND: Final = timedelta(seconds=1)
_ALL_DAY: Final = ((0, DAY_MINUTES),)


def open_spans(service: Service, start: datetime, end: datetime) -> list[Span]:
    """
    The open time within [start, end), as UTC spans in order that do not touch one another.

    Args:
        service: Its hours, closed dates and zone count; nothing else does.
        start: With an offset.
        end: With an offset.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if service.weekly_hours is None and not service.closed_dates:
        return [(start, end)] if start < end else []
    spans: list[Span] = []
    for since, until, offset in _steady_offsets(service.timezone, start, end):
        for opens, closes in _local_ranges(service, since + offset, until + offset):
            span = (max(opens - offset, since), min(closes - offset, until))
            if spans and spans[-1][1] == span[0]:
                spans[-1] = (spans[-1][0], span[1])
            else:
                spans.append(span)
    return spans


def is_open(service: Service, start: datetime, end: datetime) -> bool:
    """Whether the service is open at every instant of [start, end)."""
    return open_spans(service, start, end) == [(start.astimezone(UTC), end.astimezone(UTC))]


def _steady_offsets(
    zone: str, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """[start, end) cut where the zone's offset changes: since, until, offset."""
    since, offset = start, _offset(zone, start)
    probe = start
    while probe < end:
        later = min(probe + _PROBE, end)
        if _offset(zone, later) != offset:
            change = _first_instant_after(zone, probe, later, offset)
            yield since, change, offset
            since, offset = change, _offset(zone, change)
        probe = later
    if since < end:
        yield since, end, offset


def _first_instant_after(
    zone: str, before: datetime, after: datetime, offset: timedelta
) -> datetime:
    """The instant within (before, after] from which the offset is another, by bisection."""
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    # Offsets change on whole seconds; ``after`` is at most one second late.
    return after.replace(microsecond=0)


def _offset(zone: str, instant: datetime) -> timedelta:
    offset = instant.astimezone(_zone(zone)).utcoffset()
    assert offset is not None  # a ZoneInfo always has one for an instant
    return offset


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local_ranges(service: Service, since: datetime, until: datetime) -> Iterator[Span]:
    """Open ranges that meet [since, until): wall-clock times, kept in datetimes that say UTC."""
    day = since.date()
    while datetime.combine(day, time(), UTC) < until:
        midnight = datetime.combine(day, time(), UTC)
        for first, last in _ranges_of(service, day):
            opens, closes = midnight + timedelta(minutes=first), midnight + timedelta(minutes=last)
            if opens < until and closes > since:
                yield opens, closes
        day += timedelta(days=1)


def _ranges_of(service: Service, day: date) -> tuple[tuple[int, int], ...]:
    if day in service.closed_dates:
        return ()
    if service.weekly_hours is None:
        return _ALL_DAY
    return service.weekly_hours.get(day.weekday(), ())
