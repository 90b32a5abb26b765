"""Reading a document's fields one by one, keeping every problem instead of stopping at the first.

Each reader answers a value of its type even where the field is bad; whoever reads must look at
``problems`` before using any of it. A field that is absent and one that is null are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, TypeGuard, TypeVar
from zoneinfo import ZoneInfo

DAY_MINUTES: Final = 24 * 60
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOST_RANGES_A_DAY: Final = 48
_MOST_CLOSED_DATES: Final = 2_000

Hours = dict[int, tuple[tuple[int, int], ...]]
T = TypeVar("T", bound=str)


class Fields:
    """One document and what is wrong with it.

    Attributes:
        problems: (field, problem) in the order in which they were found.
    """

    def __init__(self, document: Mapping[str, object]) -> None:
        self._document = document
        self.problems: list[tuple[str, str]] = []

    def get(self, name: str) -> object:
        """The field as it stands, None where it is absent."""
        return self._document.get(name)

    def refuse(self, name: str, problem: str) -> None:
        """Note that a field is bad; ``problem`` are words that follow its name."""
        self.problems.append((name, problem))

    def text(self, name: str, default: str | None = None, longest: int = 500) -> str:
        """A string that is not blank; without a default it is required."""
        value = self.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            self.refuse(name, "must be a text" if default else "is required, as a text")
            return ""
        if len(value) > longest:
            self.refuse(name, f"is longer than {longest} characters")
        return value

    def choice(self, name: str, allowed: Sequence[T], default: T) -> T:
        """One of a few names, spelled exactly so."""
        return self.optional_choice(name, allowed) or default

    def optional_choice(self, name: str, allowed: Sequence[T]) -> T | None:
        """One of a few names, or None where the field is absent."""
        value = self.get(name)
        if value is None:
            return None
        for each in allowed:
            if isinstance(value, str) and value == each:
                return each
        self.refuse(name, f"must be one of {', '.join(allowed)}")
        return None

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number within bounds, also one written as a double; None where absent."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(name, f"must be a whole number from {least} to {most}")
            return None
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(name, "must be true or false")
            return default
        return value

    def timezone(self, name: str, default: str) -> str:
        """The IANA name of a zone that this machine knows."""
        value = self.text(name, default, longest=64)
        try:
            ZoneInfo(value)
        # ZoneInfo says KeyError for an unknown name, ValueError for one that is no name, and
        # OSError for one that happens to be a directory of its data.
        except (KeyError, ValueError, OSError):
            if value:
                self.refuse(name, "must be an IANA time zone such as Europe/Berlin")
            return default
        return value

    def dates(self, name: str) -> frozenset[date]:
        """Dates as YYYY-MM-DD."""
        value = self.get(name)
        if value is None:
            return frozenset()
        if not _is_list(value) or len(value) > _MOST_CLOSED_DATES:
            self.refuse(name, f"must be a list of at most {_MOST_CLOSED_DATES} dates")
            return frozenset()
        found = set()
        for item in value:
            day = _date(item)
            if day is None:
                self.refuse(name, f"has {_shown(item)}, which is no date as YYYY-MM-DD")
            else:
                found.add(day)
        return frozenset(found)

    def weekly_hours(self, name: str) -> Hours | None:
        """Weekday -> ranges of local minutes, joined and in order; None where absent."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.refuse(name, "must be an object of mon, tue, wed, thu, fri, sat, sun")
            return None
        hours: Hours = {}
        for key, ranges in value.items():
            if key not in _WEEKDAYS:
                self.refuse(name, f"has {_shown(key)}, which is none of {', '.join(_WEEKDAYS)}")
                continue
            hours[_WEEKDAYS.index(key)] = self._ranges(f"{name}.{key}", ranges)
        return hours

    def _ranges(self, name: str, value: object) -> tuple[tuple[int, int], ...]:
        if value is None:
            return ()
        if not _is_list(value) or len(value) > _MOST_RANGES_A_DAY:
            self.refuse(name, f"must be a list of at most {_MOST_RANGES_A_DAY} ranges")
            return ()
        found = []
        for item in value:
            if not isinstance(item, Mapping):
                self.refuse(name, "must have {start, end} in each range")
                continue
            start, end = _minutes(item.get("start")), _minutes(item.get("end"))
            if start is None or end is None:
                self.refuse(name, "must have start and end as HH:MM in each range")
            elif start >= end:
                # A night is two ranges: one that ends at 24:00, one that starts at 00:00.
                self.refuse(name, "must have each end after its start; split a night at 24:00")
            else:
                found.append((start, end))
        return _joined(found)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)


def _date(value: object) -> date | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _minutes(value: object) -> int | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    hours, minutes = value.split(":")
    return int(hours) * 60 + int(minutes)


def _joined(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ranges in order, with those that touch or overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _shown(value: object) -> str:
    return repr(value)[:40] if isinstance(value, str | int | float) else type(value).__name__
