"""Billing periods: calendar arithmetic that keeps the day of the anchor."""

from __future__ import annotations

import calendar
import datetime

DAY = 86400


def shifted(anchor: int, interval: str, count: int) -> int:
    """
    The instant ``count`` intervals after ``anchor`` (unix seconds, UTC).

    Months and years keep the anchor's day where the month has it and take its last day otherwise,
    so that a subscription of 31 January renews on 28 February and again on 31 March.
    """
    if interval == "day":
        return anchor + count * DAY
    if interval == "week":
        return anchor + 7 * count * DAY
    months = count * (12 if interval == "year" else 1)
    at = datetime.datetime.fromtimestamp(anchor, datetime.UTC)
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())


def end_of_period(anchor: int, start: int, interval: str, count: int) -> int:
    """The first instant after ``start`` that is a whole number of periods after the anchor."""
    number = 1
    while (end := shifted(anchor, interval, number * count)) <= start:
        number += 1
    return end
