"""Money as integer minor units, and the only places where it is rounded.

Decimals exist at the two edges (``parse_major`` on the way in, ``to_major`` on the way out);
between them every amount is an ``int`` in Stripe's unit for the currency. Nothing is ever a float.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from common.currencies import UnknownCurrency
from common.currencies import currency as unit_of

#: Basis points in a whole: a rate of 0.08 is 800.
WHOLE_BPS: Final = 10_000

#: ASCII digits with an optional sign and fraction. ``Decimal`` itself would also take "1_000",
#: digits of other scripts, blanks around the number and "Infinity".
_DECIMAL_STRING: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)

#: Characters; far more than any amount needs, far less than would take time to read.
_LONGEST_STRING: Final = 40

#: A value of more integer digits than this is over every currency's maximum.
_MOST_INTEGER_DIGITS: Final = 12


class BadAmount(ValueError):
    """An amount from outside that cannot be this currency's money.

    Attributes:
        problem: What is wrong, as words that follow a field's name.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def half_up(numerator: int, denominator: int) -> int:
    """
    The quotient rounded to the nearest integer; a half goes up, towards positive infinity.

    Args:
        numerator: Any integer.
        denominator: Above 0.

    Raises:
        ValueError: The denominator is not above 0.

    Source: contract, section 4 (all divisions round half up).
    """
    if denominator <= 0:
        raise ValueError("denominator must be above 0")
    return (2 * numerator + denominator) // (2 * denominator)


def down_to_multiple(amount: int, multiple: int) -> int:
    """The largest multiple that is not above the amount. Minor units."""
    return amount // multiple * multiple


def up_to_multiple(amount: int, multiple: int) -> int:
    """The smallest multiple that is not below the amount. Minor units."""
    return -(-amount // multiple) * multiple


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency. Not ordered: amounts of two currencies cannot be compared.

    Attributes:
        amount: Integer minor units, in Stripe's unit for the currency; may be negative.
        currency: Upper-case ISO 4217 code.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise ValueError(f"minor units must be an int, not {type(self.amount).__name__}")
        unit_of(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    @property
    def is_zero(self) -> bool:
        """Whether there is nothing."""
        return self.amount == 0

    @property
    def major(self) -> Decimal:
        """The amount in major units with the currency's own number of decimals."""
        return to_major(self.amount, self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")
        return other.amount


def parse_major(value: Decimal | int | str, currency: str) -> Money:
    """
    Read an amount in major units, as requests and documents carry it.

    Zeros that end a fraction say nothing and are accepted beyond the currency's decimals: clients
    whose numbers are floats write 1500 JPY as ``1500.0``.

    Args:
        value: A JSON number (int, or Decimal where it has a fraction or an exponent) or a plain
            decimal string.
        currency: Upper-case ISO 4217 code.

    Returns:
        Money from 0 to the currency's maximum.

    Raises:
        BadAmount: More decimals than the currency has, not a number, infinite, negative, boolean,
            over the maximum, or an unknown currency.

    Source: contract, section 1 (money in JSON).
    """
    try:
        unit = unit_of(currency)
    except UnknownCurrency as exc:
        raise BadAmount(f"is in an unknown currency: {str(currency)[:20]!r}") from exc
    sign, digits, exponent = _plain_number(value).as_tuple()
    assert isinstance(exponent, int)  # finite, as _plain_number has made sure
    text = "".join(map(str, digits)).lstrip("0")
    shortened = text.rstrip("0")
    exponent += len(text) - len(shortened)
    if not shortened:
        return Money(0, currency)
    if sign:
        raise BadAmount("must not be negative")
    if -exponent > unit.decimals:
        raise BadAmount(f"has more decimals than {currency} has ({unit.decimals})")
    if len(shortened) + exponent > _MOST_INTEGER_DIGITS:
        raise BadAmount(_over(unit.maximum, currency))
    amount = int(shortened) * int(10 ** (exponent + unit.minor_digits))
    if amount > unit.maximum:
        raise BadAmount(_over(unit.maximum, currency))
    return Money(amount, currency)


def _plain_number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise BadAmount("must be a number or a decimal string")
    if isinstance(value, str):
        if len(value) > _LONGEST_STRING or not _DECIMAL_STRING.fullmatch(value):
            raise BadAmount("must be a plain decimal number, such as 184.00")
        return Decimal(value)
    number = Decimal(value)
    if not number.is_finite():
        raise BadAmount("must be a finite number")
    return number


def _over(maximum: int, currency: str) -> str:
    return f"is over the largest amount, {to_major(maximum, currency)} {currency}"


def to_major(amount: int, currency: str) -> Decimal:
    """
    Minor units as major units, exactly.

    Args:
        amount: Minor units of any size and sign. Where the currency's minor unit is finer than its
            decimals (ISK, UGX), an amount that needs the finer digits keeps them.
        currency: Upper-case ISO 4217 code.

    Returns:
        A Decimal with the currency's own number of decimals: 184.00 USD, 1500 JPY, 1.250 KWD.

    Raises:
        UnknownCurrency: No such currency.
    """
    unit = unit_of(currency)
    decimals = unit.decimals
    surplus = unit.minor_digits - decimals
    if surplus and amount % 10**surplus == 0:
        amount //= 10**surplus
    else:
        decimals = unit.minor_digits
    digits = tuple(int(digit) for digit in str(abs(amount)))
    return Decimal((int(amount < 0), digits, -decimals))


def platform_fee(total: int, rate_bps: int, currency: str) -> int:
    """
    What the platform keeps of a charge.

    Where Stripe takes only multiples (three-decimal currencies, ISK, UGX), the rounded fee goes
    down to a multiple, so that the provider's part is one as well and never the smaller for it.

    Args:
        total: What the customer pays, minor units, not negative.
        rate_bps: Basis points of the total, 0 to 10000; 0.08 is 800.
        currency: Upper-case ISO 4217 code.

    Returns:
        Minor units, between 0 and ``total``.

    Raises:
        ValueError: An argument is out of its range.

    Source: contract, section 4 (``round_half_up(total × rate)``; three-decimal currencies).
    """
    if total < 0 or not 0 <= rate_bps <= WHOLE_BPS:
        raise ValueError("a total below 0, or a rate outside 0..10000")
    multiple = unit_of(currency).charge_multiple
    return down_to_multiple(half_up(total * rate_bps, WHOLE_BPS), multiple)


def fee_returned(
    *, fee: int, charged: int, refunded_before: int, refund: int, currency: str
) -> int:
    """
    The part of the platform fee that this refund gives back.

    The difference of two running totals, so that the refunds of one charge, however cut, return
    exactly ``fee``.

    Args:
        fee: Platform fee kept on the charge, minor units, at most ``charged``.
        charged: What the customer paid, minor units, above 0.
        refunded_before: Sum of earlier refunds, minor units.
        refund: This refund, minor units, at most ``charged - refunded_before``.
        currency: Upper-case ISO 4217 code.

    Returns:
        Minor units, between 0 and ``refund`` for refunds that are multiples of what Stripe takes.
        Each running total rounds half up, then up to that multiple, never beyond ``fee``.

    Raises:
        ValueError: An argument is out of its range.

    Source: contract, section 4 (fee refunded in proportion, cumulatively).
    """
    if charged <= 0 or not 0 <= fee <= charged:
        raise ValueError("a charge that is not above 0, or a fee outside 0..charged")
    if refunded_before < 0 or refund < 0 or refunded_before + refund > charged:
        raise ValueError("refunds below 0, or beyond the charge")
    multiple = unit_of(currency).charge_multiple

    def given_back(refunded: int) -> int:
        return min(fee, up_to_multiple(half_up(fee * refunded, charged), multiple))

    return given_back(refunded_before + refund) - given_back(refunded_before)
