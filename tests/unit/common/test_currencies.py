"""The table of currencies: three ways of counting that must not be taken for one another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common import currencies
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


#: Minor units. https://docs.stripe.com/currencies, minimum and maximum charge amounts.
STRIPES_MINIMUMS = """
AED 200   ARS 50    AUD 50    BRL 50   CAD 50   CHF 50   COP 50    CZK 1500  DKK 250  EUR 50
GBP 30    HKD 400   HUF 17500 IDR 50   ILS 50   INR 50   JPY 50    KRW 50    MXN 1000 MYR 200
NOK 300   NZD 50    PHP 50    PLN 200  RON 200  RUB 50   SEK 300   SGD 50    THB 1000 USD 50
ZAR 50
"""


def test_minimums_are_those_that_stripe_lists() -> None:
    words = STRIPES_MINIMUMS.split()
    listed = {code: int(least) for code, least in zip(words[::2], words[1::2], strict=True)}
    # the list itself as well: a listed 50 is a fact of its own, not the floor by chance
    assert listed == currencies._LISTED_MINIMUMS
    assert {code: currency(code).minimum for code in listed} == listed


@pytest.mark.parametrize(("code", "minimum"), [("TRY", 50), ("KWD", 50), ("ISK", 100)])
def test_a_minimum_that_stripe_does_not_list_is_the_floor_up_to_a_multiple(
    code: str, minimum: int
) -> None:
    assert currency(code).minimum == minimum


def test_the_largest_charge_has_eight_digits() -> None:
    assert MAXIMUM == 99_999_999


def test_banks_take_whole_forints_and_taiwan_dollars_and_else_what_a_charge_does() -> None:
    whole = {"HUF": 100, "TWD": 100}
    for code, each in CURRENCIES.items():
        assert each.payout_multiple == whole.get(code, each.charge_multiple)


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
    assert str(refused.value) == f"Unknown currency {code!r}"


def test_of_a_long_text_that_is_no_code_only_its_beginning_is_said_again() -> None:
    assert str(UnknownCurrency("x" * 999)) == f"Unknown currency {'x' * 20!r}"


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
