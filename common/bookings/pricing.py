"""What a booking costs, and how its price divides.

Source: contract, sections 4 (fees, minimum and maximum) and 5 (price units, real elapsed time).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from common.currencies import currency
from common.money import WHOLE_BPS, Money, half_up, platform_fee, to_major
from common.services.model import Service

_MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1) // _MICROSECOND


class PriceOutOfRange(ValueError):
    """The price is below the currency's smallest charge or above its largest.

    Attributes:
        problem: What is wrong, as words that follow "the price".
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"the price {problem}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Split:
    """A price divided by the commission's rate, minor units; ``total = fee + provider``."""

    total: int
    fee: int
    provider: int
    currency: str
    rate_bps: int


def quote(service: Service, start: datetime, end: datetime, group_size: int) -> Money:
    """
    The price of one booking.

    Args:
        service: SESSION costs its price however long and however many come; HOUR its price for each
            hour of real elapsed time, to the microsecond, clock changes included; PERSON its price
            for each of the group.
        start: With an offset.
        end: With an offset, after ``start``.
        group_size: At least 1.

    Returns:
        Money, rounded once: half up to the multiple that Stripe takes.

    Raises:
        PriceOutOfRange: Below the currency's smallest charge or above its largest.
        ValueError: The end is not after the start, or the group is empty.
    """
    # In UTC, since Python subtracts two times of one zone by their wall clocks.
    elapsed = (end.astimezone(UTC) - start.astimezone(UTC)) // _MICROSECOND
    if elapsed <= 0 or group_size < 1:
        raise ValueError("an end that is not after the start, or an empty group")
    price, unit = service.price.amount, currency(service.price.currency)
    numerator, denominator = price, 1
    if service.price_unit == "HOUR":
        numerator, denominator = price * elapsed, _HOUR
    elif service.price_unit == "PERSON":
        numerator = price * group_size
    multiple = unit.charge_multiple
    total = half_up(numerator, denominator * multiple) * multiple
    if total < unit.minimum:
        raise PriceOutOfRange(f"is below the smallest charge, {_shown(unit.minimum, unit.code)}")
    if total > unit.maximum:
        raise PriceOutOfRange(f"is above the largest charge, {_shown(unit.maximum, unit.code)}")
    return Money(total, unit.code)


def _shown(amount: int, code: str) -> str:
    return f"{to_major(amount, code)} {code}"


def resolve_rate_bps(
    platform: int, categories: Mapping[str, int], provider: int | None, category: str
) -> int:
    """
    The commission's rate for a new booking: the provider's own, else the category's, else the
    platform's.

    Args:
        platform: Basis points, 0 to 10000.
        categories: Category -> basis points.
        provider: The rate agreed with this provider; None: none. 0 is a rate.
        category: The service's category.

    Raises:
        ValueError: The rate found is not within 0 to 10000.
    """
    rate = categories.get(category, platform) if provider is None else provider
    if not 0 <= rate <= WHOLE_BPS:
        raise ValueError(f"a rate outside 0..{WHOLE_BPS} basis points: {rate}")
    return rate


def split(total: Money, rate_bps: int) -> Split:
    """
    Divide a price between platform and provider, who gets what the fee leaves.

    Raises:
        ValueError: A negative total, or a rate not within 0 to 10000.
    """
    fee = platform_fee(total.amount, rate_bps, total.currency)
    return Split(total.amount, fee, total.amount - fee, total.currency, rate_bps)
