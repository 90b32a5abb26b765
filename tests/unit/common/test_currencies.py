"""The table of currencies: three ways of counting that must not be taken for one another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common.currencies import CURRENCIES, MAXIMUM, UnknownCurrency, currency
from common.money import Money, fee_returned, parse_major, platform_fee, to_major

PAGE = Path(__file__).parents[3] / "docs" / "currencies.md"


@pytest.mark.parametrize(
    ("code", "decimals", "minor_digits", "multiple"),
    [
        ("USD", 2, 2, 1),
        ("HUF", 2, 2, 1),
        ("TWD", 2, 2, 1),
        ("JPY", 0, 0, 1),
        ("ISK", 0, 2, 100),
        ("UGX", 0, 2, 100),
        ("KWD", 3, 3, 10),
        ("TND", 3, 3, 10),
    ],
)
def test_each_kind_of_currency_counts_as_stripe_says(
    code: str, decimals: int, minor_digits: int, multiple: int
) -> None:
    found = currency(code)
    assert (found.decimals, found.minor_digits, found.charge_multiple) == (
        decimals,
        minor_digits,
        multiple,
    )


@pytest.mark.parametrize(
    ("code", "minimum"),
    [
        ("USD", 50),
        ("GBP", 30),
        ("CZK", 1500),
        ("HUF", 17500),
        ("JPY", 50),
        ("MXN", 1000),
        ("KWD", 50),
        ("ISK", 100),
    ],
)
def test_minimums_are_those_stripe_lists_or_the_floor(code: str, minimum: int) -> None:
    assert currency(code).minimum == minimum


def test_every_minimum_can_itself_be_charged() -> None:
    for each in CURRENCIES.values():
        assert 0 < each.minimum <= each.maximum == MAXIMUM
        assert each.minimum % each.charge_multiple == 0


def test_there_are_the_more_than_135_currencies_stripe_speaks_of() -> None:
    assert len(CURRENCIES) >= 135
    assert all(code == each.code and len(code) == 3 for code, each in CURRENCIES.items())


@pytest.mark.parametrize("code", ["usd", "Usd", "XXX", "", "USDT", "BGN", "ANG"])
def test_a_code_that_is_not_an_upper_case_one_of_the_table_is_unknown(code: str) -> None:
    with pytest.raises(UnknownCurrency) as refused:
        currency(code)
    assert refused.value.code == code


def rows(first_column: str) -> list[list[str]]:
    """The cells of the page's table whose head starts with this column."""
    found: list[list[str]] = []
    inside = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        inside = line.startswith("|") and (inside or cells[0] == first_column)
        if inside and not re.fullmatch(r"[-:]+", cells[0]) and cells[0] != first_column:
            found.append(cells)
    assert found, f"no table {first_column!r}"
    return found


@pytest.mark.parametrize("row", rows("amount"), ids=" ".join)
def test_the_pages_amounts_are_what_the_code_makes_of_them(row: list[str]) -> None:
    shown, code, minor = row
    assert parse_major(shown, code) == Money(int(minor), code)
    assert str(to_major(int(minor), code)) == shown


@pytest.mark.parametrize("row", rows("total"), ids=" ".join)
def test_the_pages_fees_are_what_the_code_makes_of_them(row: list[str]) -> None:
    total, code, rate, fee, refund, back = row
    amounts = [parse_major(text, code).amount for text in (total, fee, refund, back)]
    charged, kept, refunded, returned = amounts
    assert platform_fee(charged, int(rate), code) == kept
    assert returned == fee_returned(
        fee=kept, charged=charged, refunded_before=0, refund=refunded, currency=code
    )
