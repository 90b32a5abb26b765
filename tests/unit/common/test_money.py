"""Money: exact in, exact out, rounded half up in between and nowhere else."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.currencies import CURRENCIES, UnknownCurrency
from common.money import (
    BadAmount,
    Money,
    down_to_multiple,
    fee_returned,
    half_up,
    parse_major,
    platform_fee,
    to_major,
    up_to_multiple,
)

codes = st.sampled_from(sorted(CURRENCIES))
amounts = st.integers(0, 99_999_999)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(5, 2, 3), (-5, 2, -2), (1, 2, 1), (-1, 2, 0), (49, 100, 0), (50, 100, 1), (7, 7, 1)],
)
def test_a_half_goes_up(numerator: int, denominator: int, rounded: int) -> None:
    assert half_up(numerator, denominator) == rounded


@given(st.integers(), st.integers(1, 10**12))
def test_rounding_is_the_floor_of_the_value_and_a_half(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator) + Fraction(1, 2)
    assert half_up(numerator, denominator) == exact.numerator // exact.denominator


def test_rounding_needs_a_denominator_above_0() -> None:
    for denominator in (0, -1):
        with pytest.raises(ValueError, match=r"^denominator must be above 0$"):
            half_up(1, denominator)


@given(st.integers(), st.sampled_from([1, 10, 100]))
def test_multiples_are_the_nearest_on_their_side(amount: int, multiple: int) -> None:
    down, up = down_to_multiple(amount, multiple), up_to_multiple(amount, multiple)
    assert down % multiple == up % multiple == 0
    assert amount - multiple < down <= amount <= up < amount + multiple


def test_money_of_one_currency_adds_and_subtracts() -> None:
    assert Money(200_00, "USD") - Money(16_00, "USD") == Money(184_00, "USD")
    assert Money(1, "USD") + -Money(1, "USD") == Money(0, "USD")
    assert Money(0, "USD").is_zero
    assert not Money(-1, "USD").is_zero
    assert Money(184_00, "USD") != Money(184_00, "EUR")


def test_money_of_two_currencies_does_not_mix() -> None:
    with pytest.raises(ValueError, match="USD with EUR"):
        Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(ValueError, match="USD with EUR"):
        Money(1, "USD") - Money(1, "EUR")
    with pytest.raises(TypeError):
        _ = Money(1, "USD") < Money(2, "USD")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("amount", "kind"),
    [(1.0, "float"), (True, "bool"), ("1", "str"), (None, "NoneType"), (Decimal(1), "Decimal")],
)
def test_money_takes_nothing_but_integers(amount: object, kind: str) -> None:
    with pytest.raises(ValueError, match=f"^minor units must be an int, not {kind}$"):
        Money(amount, "USD")  # type: ignore[arg-type]


def test_money_of_an_unknown_currency_cannot_be_made() -> None:
    with pytest.raises(UnknownCurrency):
        Money(1, "usd")


@pytest.mark.parametrize(
    ("value", "code", "minor"),
    [
        (200, "USD", 200_00),
        ("184.00", "USD", 184_00),
        (Decimal("0.01"), "USD", 1),
        (Decimal("1E+2"), "USD", 100_00),
        (Decimal("-0.00"), "USD", 0),
        ("0", "KWD", 0),
        ("007.5", "USD", 7_50),
        (1500, "JPY", 1500),
        (Decimal("1500.0"), "JPY", 1500),
        ("1.250", "KWD", 1250),
        (5, "ISK", 500),
        (5, "UGX", 500),
        ("12.34", "HUF", 1234),
        ("999999.99", "USD", 99_999_999),
        (Decimal("0E+1000000"), "USD", 0),
        pytest.param("0" * 36 + "1.50", "USD", 1_50, id="as long as a text may be"),
        ("+1.5", "USD", 1_50),
    ],
)
def test_amounts_are_read_exactly(value: Decimal | int | str, code: str, minor: int) -> None:
    assert parse_major(value, code) == Money(minor, code)


@pytest.mark.parametrize(
    ("value", "code", "problem"),
    [
        ("10.005", "USD", "more decimals"),
        (Decimal("1500.5"), "JPY", "more decimals"),
        ("1.2501", "KWD", "more decimals"),
        ("5.5", "ISK", "more decimals"),
        (Decimal("1E-1000000"), "USD", "more decimals"),
        pytest.param(Decimal("0." + "1" * 10_000), "USD", "more decimals", id="long"),
        (Decimal("NaN"), "USD", "finite"),
        (Decimal("sNaN"), "USD", "finite"),
        (Decimal("Infinity"), "USD", "finite"),
        ("NaN", "USD", "plain decimal"),
        ("Infinity", "USD", "plain decimal"),
        ("1_000", "USD", "plain decimal"),
        (" 1", "USD", "plain decimal"),
        ("1\n", "USD", "plain decimal"),
        ("", "USD", "plain decimal"),
        ("1e2", "USD", "plain decimal"),
        (".5", "USD", "plain decimal"),
        ("1,50", "USD", "plain decimal"),
        ("\u0661", "USD", "plain decimal"),
        pytest.param("1" * 5000, "USD", "plain decimal", id="a long text"),
        pytest.param("0" * 37 + "1.50", "USD", "plain decimal", id="a text one too long"),
        (-1, "USD", "negative"),
        ("-0.01", "USD", "negative"),
        (Decimal("-1E+1000000"), "USD", "negative"),
        (True, "USD", "must be a number"),
        (None, "USD", "must be a number"),
        (1.5, "USD", "must be a number"),
        ([1], "USD", "must be a number"),
        ("1000000.00", "USD", "largest amount, 999999.99 USD"),
        pytest.param(10**5000, "USD", "largest amount", id="a googol and more"),
        (Decimal("1E+1000000"), "USD", "largest amount"),
        # refused by its length: written out it would take minutes
        (Decimal("1E+200000000"), "USD", "largest amount"),
        ("100000000", "JPY", "largest amount, 99999999 JPY"),
        (1, "XXX", "unknown currency"),
        (1, "usd", "unknown currency"),
    ],
)
def test_amounts_that_are_not_this_currencys_money_are_refused(
    value: object, code: str, problem: str
) -> None:
    with pytest.raises(BadAmount) as refused:
        parse_major(value, code)  # type: ignore[arg-type]
    assert problem in refused.value.problem


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (1, "XXX", "is in an unknown currency: 'XXX'"),
        (1, "USD" * 7, "is in an unknown currency: 'USDUSDUSDUSDUSDUSDUS'"),
        (-1, "USD", "must not be negative"),
        ("0.001", "USD", "has more decimals than USD has (2)"),
        (None, "USD", "must be a number or a decimal string"),
        ("1e2", "USD", "must be a plain decimal number, such as 184.00"),
        (Decimal("NaN"), "USD", "must be a finite number"),
        (10**9, "KWD", "is over the largest amount, 99999.999 KWD"),
    ],
)
def test_a_bad_amount_is_told_in_words_that_follow_a_fields_name(
    value: object, code: str, words: str
) -> None:
    with pytest.raises(BadAmount) as refused:
        parse_major(value, code)  # type: ignore[arg-type]
    assert refused.value.problem == str(refused.value) == words


@given(st.one_of(st.text(), st.integers(), st.decimals(), st.booleans(), st.none()), codes)
def test_whatever_is_read_is_money_in_range_or_a_bad_amount(value: object, code: str) -> None:
    try:
        money = parse_major(value, code)  # type: ignore[arg-type]
    except BadAmount:
        return
    assert 0 <= money.amount <= 99_999_999
    assert money.major == Decimal(str(value))


@given(amounts, codes)
def test_an_amount_shown_and_read_again_is_the_same(amount: int, code: str) -> None:
    unit = CURRENCIES[code]
    amount -= amount % 10 ** (unit.minor_digits - unit.decimals)
    shown = to_major(amount, code)
    assert -int(shown.as_tuple().exponent) == unit.decimals
    assert parse_major(shown, code) == Money(amount, code)
    assert parse_major(str(shown), code) == Money(amount, code)
    # As a double, which is how most clients carry a JSON number.
    through_json = json.loads(json.dumps(float(shown)), parse_float=Decimal)
    assert parse_major(through_json, code) == Money(amount, code)


@pytest.mark.parametrize(
    ("amount", "code", "shown"),
    [
        (184_00, "USD", "184.00"),
        (-5, "USD", "-0.05"),
        (0, "USD", "0.00"),
        (10_000_00, "USD", "10000.00"),
        (1500, "JPY", "1500"),
        (1250, "KWD", "1.250"),
        (500, "ISK", "5"),
        (550, "ISK", "5.50"),
        (-500, "UGX", "-5"),
    ],
)
def test_amounts_are_shown_with_the_currencys_own_decimals(
    amount: int, code: str, shown: str
) -> None:
    assert str(to_major(amount, code)) == shown


@pytest.mark.parametrize(
    ("total", "bps", "code", "fee"),
    [
        (200_00, 800, "USD", 16_00),
        (1_06, 800, "USD", 8),
        (1_07, 800, "USD", 9),
        (6_25, 1000, "USD", 63),
        (1500, 800, "JPY", 120),
        (1250, 800, "KWD", 100),
        (1260, 800, "KWD", 100),
        (1370, 800, "KWD", 110),
        (1369_00, 800, "ISK", 109_00),
        (1369_00, 800, "USD", 109_52),
        (1_00, 0, "USD", 0),
        (1_00, 10_000, "USD", 1_00),
        (0, 800, "USD", 0),
    ],
)
def test_the_fee_is_rounded_half_up_and_down_to_a_multiple(
    total: int, bps: int, code: str, fee: int
) -> None:
    assert platform_fee(total, bps, code) == fee


@pytest.mark.parametrize(("total", "bps"), [(-1, 800), (1, -1), (1, 10_001)])
def test_a_fee_of_nonsense_is_refused(total: int, bps: int) -> None:
    with pytest.raises(ValueError, match=r"^a total below 0, or a rate outside 0\.\.10000$"):
        platform_fee(total, bps, "USD")


def back(fee: int, charged: int, before: int, refund: int, code: str = "USD") -> int:
    return fee_returned(
        fee=fee, charged=charged, refunded_before=before, refund=refund, currency=code
    )


def test_150_of_200_gives_12_of_the_fee_back() -> None:
    assert back(16_00, 200_00, 0, 150_00) == 12_00
    assert back(16_00, 200_00, 150_00, 50_00) == 4_00


def test_the_fee_goes_back_in_multiples_rounded_up_and_never_beyond_itself() -> None:
    assert back(100, 1250, 0, 10, "KWD") == 10
    assert back(100, 1250, 10, 10, "KWD") == 0
    assert back(100, 1250, 0, 1240, "KWD") == 100
    assert back(100, 1250, 1240, 10, "KWD") == 0
    assert back(109_00, 1369_00, 0, 700_00, "ISK") == 56_00


def test_a_fee_may_be_all_of_the_charge_and_goes_back_with_it() -> None:
    assert back(10, 10, 0, 5) == 5
    assert back(10, 10, 5, 5) == 5


@pytest.mark.parametrize(
    ("fee", "charged", "before", "refund", "words"),
    [
        (0, 0, 0, 0, "a charge that is not above 0, or a fee outside 0..charged"),
        (1, 0, 0, 0, "a charge that is not above 0, or a fee outside 0..charged"),
        (-1, 10, 0, 1, "a charge that is not above 0, or a fee outside 0..charged"),
        (11, 10, 0, 1, "a charge that is not above 0, or a fee outside 0..charged"),
        (1, 10, -1, 1, "refunds below 0, or beyond the charge"),
        (1, 10, 0, -1, "refunds below 0, or beyond the charge"),
        (1, 10, 5, 6, "refunds below 0, or beyond the charge"),
    ],
)
def test_a_fee_given_back_out_of_nonsense_is_refused(
    fee: int, charged: int, before: int, refund: int, words: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        back(fee, charged, before, refund)


@st.composite
def charges(draw: st.DrawFn) -> tuple[str, int, int, list[int]]:
    """A currency, a charge, its fee, and the running totals of its refunds up to all of it."""
    code = draw(codes)
    multiple = CURRENCIES[code].charge_multiple
    charged = draw(st.integers(1, 99_999_999 // multiple)) * multiple
    fee = platform_fee(charged, draw(st.integers(0, 10_000)), code)
    cuts = draw(st.lists(st.integers(0, charged // multiple), max_size=12))
    return code, charged, fee, [*sorted(cut * multiple for cut in cuts), charged]


@given(charges())
def test_any_chain_of_refunds_gives_back_exactly_the_fee(
    charge: tuple[str, int, int, list[int]],
) -> None:
    code, charged, fee, totals = charge
    before, given_back = 0, 0
    for total in totals:
        part = back(fee, charged, before, total - before, code)
        assert 0 <= part <= total - before
        assert part % CURRENCIES[code].charge_multiple == 0
        before, given_back = total, given_back + part
        assert given_back == back(fee, charged, 0, total, code)
        if CURRENCIES[code].charge_multiple == 1:
            assert given_back == half_up(fee * total, charged)
        else:
            assert given_back * charged >= min(fee * total, fee * charged) - charged // 2
    assert given_back == fee
