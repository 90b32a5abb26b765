"""When payouts are due, on real calendars."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.payouts.schedule import Schedule, parse


def days(schedule: Schedule, first: date, count: int) -> list[date]:
    every = [first + timedelta(days=number) for number in range(count)]
    return [day for day in every if schedule.due(day)]


def test_daily_is_every_day_and_manual_never() -> None:
    assert len(days(parse({"interval": "DAILY"}), date(2026, 1, 1), 365)) == 365
    assert days(parse({"interval": "MANUAL"}), date(2026, 1, 1), 365) == []


def test_weekly_is_the_anchors_weekday() -> None:
    due = days(parse({"interval": "WEEKLY", "anchor": "FRIDAY"}), date(2026, 1, 1), 28)
    assert due == [date(2026, 1, day) for day in (2, 9, 16, 23)]


def test_a_month_without_the_day_pays_on_its_last() -> None:
    due = days(parse({"interval": "MONTHLY", "anchor": 31}), date(2028, 1, 1), 121)
    assert due == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30)]


@given(anchor=st.integers(1, 31), year=st.integers(2000, 2200))
def test_every_month_has_exactly_one_day(anchor: int, year: int) -> None:
    schedule = parse({"interval": "MONTHLY", "anchor": anchor})
    due = days(schedule, date(year, 1, 1), (date(year + 1, 1, 1) - date(year, 1, 1)).days)
    assert [day.month for day in due] == list(range(1, 13))


@pytest.mark.parametrize("nonsense", [None, "x", {"interval": "HOURLY"}, []])
def test_what_makes_no_sense_pays_daily(nonsense: object) -> None:
    assert parse(nonsense) == Schedule()


@pytest.mark.parametrize(
    ("minimum", "currency", "least"),
    [
        (50, "USD", 50_00),
        ("50.25", "USD", 50_25),
        (500, "JPY", 500),
        (None, "USD", 1),
        (0, "USD", 1),
    ],
)
def test_the_minimum_is_in_the_currencys_minor_units(
    minimum: Any, currency: str, least: int
) -> None:
    assert parse({"interval": "DAILY", "minimumAmount": minimum}).least(currency) == least
