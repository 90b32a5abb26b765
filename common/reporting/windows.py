"""A report's time, cut into whole UTC days, whose totals are kept, and partial ones. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from common.errors import InvalidFields

#: The longest time of one report: ten years.
MOST_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class Window:
    """From an instant on, up to but without another, UTC."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start: datetime, end: datetime) -> Window:
        """A request's ``from`` and ``to``.

        Raises:
            InvalidFields: the wrong way round, or too long.
        """
        if not start < end:
            raise InvalidFields([("to", "must be after from")])
        if end - start > timedelta(days=MOST_DAYS):
            raise InvalidFields([("to", f"must be at most {MOST_DAYS} days after from")])
        return cls(start, end)

    @property
    def first_day(self) -> str:
        """The first UTC day that it touches."""
        return self.start.date().isoformat()

    @property
    def last_day(self) -> str:
        """The last UTC day that it touches."""
        return (self.end - timedelta(microseconds=1)).date().isoformat()

    def holds_whole(self, day: str) -> bool:
        """Whether all of a day that it touches is in it."""
        begins = _midnight(date.fromisoformat(day))
        return self.start <= begins and begins + timedelta(days=1) <= self.end

    def partial(self) -> Iterator[tuple[str, Window]]:
        """Its parts of days that are not in it as a whole, two at most: the day, and the part."""
        for day in sorted({self.first_day, self.last_day}):
            if not self.holds_whole(day):
                begins = _midnight(date.fromisoformat(day))
                ends = begins + timedelta(days=1)
                yield day, Window(max(self.start, begins), min(self.end, ends))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def group_of(day: str, by: str) -> str:
    """The group of a UTC day: itself, its ISO week (``2026-W48``, from Monday on) or its month."""
    if by == "day":
        return day
    if by == "month":
        return day[:7]
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02}"
