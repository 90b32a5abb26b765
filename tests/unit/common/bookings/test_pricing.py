"""Prices, rates and splits, by the guide's figures and at the edges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings.pricing import PriceOutOfRange, Split, quote, resolve_rate_bps, split
from common.currencies import CURRENCIES
from common.money import Money
from tests.unit.common.services.builders import a_service

START = datetime(2026, 12, 1, 10, tzinfo=UTC)


def price(minor: int, code: str, unit: str, seconds: float = 7200, group: int = 1) -> int:
    service = a_service(price=Money(minor, code), price_unit=unit)
    total = quote(service, START, START + timedelta(seconds=seconds), group)
    assert total.currency == code
    return total.amount


def test_a_session_costs_its_price_however_long_and_however_many_come() -> None:
    assert price(200_00, "USD", "SESSION", seconds=1, group=9) == 200_00


def test_a_person_is_counted() -> None:
    assert price(25_50, "USD", "PERSON", group=4) == 102_00


@pytest.mark.parametrize(
    ("minor", "code", "seconds", "total"),
    [
        (100_00, "USD", 7200, 200_00),
        (100_00, "USD", 5400, 150_00),
        (100_00, "USD", 60, 1_67),
        (100_00, "USD", 90, 2_50),
        (1_00, "USD", 3618, 1_01),
        (1_00, "USD", 3617.999999, 1_00),
        (1000, "JPY", 1800, 500),
        (1000, "JPY", 1801.8, 501),
        (1230, "KWD", 1800, 620),
        (1210, "KWD", 1800, 610),
        (1230, "KWD", 1799, 610),
        (101_00, "ISK", 1800, 51_00),
    ],
)
def test_an_hours_price_counts_real_time_and_rounds_once(
    minor: int, code: str, seconds: float, total: int
) -> None:
    assert price(minor, code, "HOUR", seconds) == total


def test_an_hours_price_counts_the_hours_that_a_clock_change_adds_or_takes() -> None:
    zone = ZoneInfo("America/New_York")
    service = a_service(price=Money(100_00, "USD"), price_unit="HOUR")
    autumn = (datetime(2026, 11, 1, 0, tzinfo=zone), datetime(2026, 11, 1, 3, tzinfo=zone))
    spring = (datetime(2026, 3, 8, 0, tzinfo=zone), datetime(2026, 3, 8, 4, tzinfo=zone))
    assert quote(service, *autumn, 1).amount == 400_00
    assert quote(service, *spring, 1).amount == 300_00


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((30, "USD", "PERSON", 3600, 1), "smallest charge, 0.50 USD"),
        ((100_00, "USD", "HOUR", 17, 1), "smallest charge, 0.50 USD"),
        ((999_999_99, "USD", "PERSON", 3600, 2), "largest charge, 999999.99 USD"),
        ((99_999_999, "JPY", "HOUR", 3601, 1), "largest charge, 99999999 JPY"),
        ((29, "GBP", "SESSION", 3600, 1), "smallest charge, 0.30 GBP"),
    ],
)
def test_a_price_that_stripe_would_not_charge_is_refused(
    arguments: tuple[Any, ...], problem: str
) -> None:
    with pytest.raises(PriceOutOfRange) as refused:
        price(*arguments)
    assert problem in refused.value.problem
    assert str(refused.value) == f"the price {refused.value.problem}"


def test_the_smallest_and_the_largest_charge_are_possible() -> None:
    assert price(50, "USD", "SESSION") == 50
    assert price(25, "USD", "PERSON", group=2) == 50
    assert price(99_999_999, "USD", "SESSION") == 99_999_999


@pytest.mark.parametrize(("seconds", "group"), [(0, 1), (-1, 1), (60, 0)])
def test_a_booking_of_nothing_has_no_price(seconds: int, group: int) -> None:
    with pytest.raises(
        ValueError, match=r"^an end that is not after the start, or an empty group$"
    ):
        price(200_00, "USD", "SESSION", seconds, group)


def test_a_microsecond_is_time_enough_for_a_session() -> None:
    assert price(200_00, "USD", "SESSION", seconds=0.000_001) == 200_00


def test_the_rate_is_the_providers_else_the_categorys_else_the_platforms() -> None:
    categories = {"TOUR": 1000}
    assert resolve_rate_bps(800, categories, None, "SERVICE") == 800
    assert resolve_rate_bps(800, categories, None, "TOUR") == 1000
    assert resolve_rate_bps(800, categories, 500, "TOUR") == 500
    assert resolve_rate_bps(800, categories, 0, "TOUR") == 0
    assert resolve_rate_bps(800, categories, 10_000, "TOUR") == 10_000


@pytest.mark.parametrize("rate", [-1, 10_001])
def test_a_rate_out_of_range_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="basis points"):
        resolve_rate_bps(800, {}, rate, "SERVICE")


def test_200_splits_into_16_and_184() -> None:
    assert split(Money(200_00, "USD"), 800) == Split(200_00, 16_00, 184_00, "USD", 800)


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(0, 999_999), st.integers(0, 10_000))
def test_fee_and_providers_part_are_the_total_in_amounts_stripe_takes(
    code: str, count: int, rate: int
) -> None:
    multiple = CURRENCIES[code].charge_multiple
    parts = split(Money(count * multiple, code), rate)
    assert parts.fee + parts.provider == parts.total == count * multiple
    assert min(parts.fee, parts.provider) >= 0
    assert parts.fee % multiple == parts.provider % multiple == 0
    # Within half a minor unit of the exact fee, or less by up to a multiple.
    exact_10000ths = parts.total * rate
    assert parts.fee * 10_000 <= exact_10000ths + 5_000
    assert parts.fee * 10_000 > exact_10000ths - (5_001 if multiple == 1 else multiple * 10_000)
