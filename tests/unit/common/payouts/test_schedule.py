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


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({}, Schedule("DAILY", 0, None)),
        ({"minimumAmount": 50}, Schedule("DAILY", 0, "50")),
        ({"interval": "daily"}, Schedule("DAILY", 0, None)),
        ({"interval": "manual", "anchor": 9}, Schedule("MANUAL", 0, None)),
        ({"interval": "weekly"}, Schedule("WEEKLY", 0, None)),
        ({"interval": "Weekly", "anchor": "tuesday"}, Schedule("WEEKLY", 1, None)),
        ({"interval": "WEEKLY", "anchor": "XYZ"}, Schedule("WEEKLY", 0, None)),
        ({"interval": "monthly"}, Schedule("MONTHLY", 1, None)),
        ({"interval": "MONTHLY", "anchor": 15}, Schedule("MONTHLY", 15, None)),
        ({"interval": "MONTHLY", "anchor": 1}, Schedule("MONTHLY", 1, None)),
        ({"interval": "MONTHLY", "anchor": 31}, Schedule("MONTHLY", 31, None)),
        ({"interval": "MONTHLY", "anchor": 0}, Schedule("MONTHLY", 1, None)),
        ({"interval": "MONTHLY", "anchor": 32}, Schedule("MONTHLY", 1, None)),
        ({"interval": "MONTHLY", "anchor": "15"}, Schedule("MONTHLY", 1, None)),
        ({"interval": "MONTHLY", "anchor": True}, Schedule("MONTHLY", 1, None)),
        ({"interval": "DAILY", "minimumAmount": 50}, Schedule("DAILY", 0, "50")),
        ({"interval": "DAILY", "minimumAmount": True}, Schedule("DAILY", 0, None)),
        ({"interval": "hourly", "minimumAmount": 50}, Schedule("DAILY", 0, None)),
    ],
)
def test_a_profiles_schedule_is_read_in_any_case_and_what_is_missing_has_a_default(
    said: dict[str, Any], read: Schedule
) -> None:
    assert parse(said) == read


@pytest.mark.parametrize(
    ("name", "number"),
    [("MON", 0), ("TUE", 1), ("WED", 2), ("THU", 3), ("FRI", 4), ("SAT", 5), ("SUN", 6)],
)
def test_a_week_begins_on_monday(name: str, number: int) -> None:
    schedule = parse({"interval": "WEEKLY", "anchor": name})
    assert schedule.anchor == number
    # 2026-11-02 is a Monday
    assert days(schedule, date(2026, 11, 2), 7) == [date(2026, 11, 2 + number)]


def test_without_a_word_payouts_are_daily_and_have_no_minimum() -> None:
    assert Schedule() == Schedule("DAILY", 0, None)
    assert Schedule().due(date(2026, 11, 1))


def test_an_unknown_interval_is_never_due() -> None:
    assert not Schedule("HOURLY").due(date(2026, 11, 1))


@pytest.mark.parametrize("minimum", ["-1", "much", "0.001"])
def test_a_minimum_that_is_no_amount_is_the_smallest_there_is(minimum: str) -> None:
    assert Schedule("DAILY", 0, minimum).least("USD") == 1
