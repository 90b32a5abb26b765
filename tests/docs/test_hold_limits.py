"""docs/hold-limits.md says what the code does, in days."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from common.bookings import deadlines

PAGE = (Path(__file__).parents[2] / "docs" / "hold-limits.md").read_text()


def in_days(name: str) -> list[int]:
    """The figures of the margins' table in the row of a limit: warned of, acted on."""
    (row,) = re.findall(rf"^\| {name} \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    return [int(days) for days in row]


def by_the_code(limit: timedelta, act: timedelta, warn: timedelta) -> list[int]:
    acts = min(act, limit * deadlines.ACT_TENTHS // 10)
    warns = acts + min(warn, limit * deadlines.WARN_TENTHS // 10)
    return [warns.days, acts.days]


def test_the_margins_are_those_of_the_code() -> None:
    hold = (deadlines.ACT_MARGIN, deadlines.WARN_MARGIN)
    for country in ("US", "DE"):
        said = in_days("two years, 90 days")
        assert said == by_the_code(deadlines.hold_limit(country), *hold)
    assert in_days("Thailand's 10 days") == by_the_code(deadlines.hold_limit("TH"), *hold)


def test_every_limit_of_the_code_is_on_the_page() -> None:
    for limit in (*deadlines.HOLD_LIMITS.values(), deadlines.OTHER_HOLD_LIMIT):
        assert f"{limit.days} days" in PAGE
