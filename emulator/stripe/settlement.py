"""
Settlement: the currency in which a charge reaches the platform's balance.

Off by default: every charge settles in its own currency. With settlement currencies given (the
first is the default), a charge in any other currency is converted to the default one, at rates that
are fixed. Connected accounts hold every currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.stripe.errors import StripeError, not_imitated
from emulator.stripe.money import CURRENCIES, decimals, half_up, minimum, shown

if TYPE_CHECKING:
    from emulator.stripe.world import World

MILLION = 1_000_000
RATES = {
    "usd": 1_000_000, "eur": 1_080_000, "gbp": 1_270_000, "chf": 1_130_000, "cad": 730_000,
    "aud": 660_000, "nzd": 610_000, "sgd": 740_000, "hkd": 128_000, "jpy": 6_700, "krw": 740,
    "sek": 95_000, "nok": 94_000, "dkk": 145_000, "pln": 250_000, "czk": 43_000, "huf": 2_750,
    "ron": 217_000, "mxn": 55_000, "brl": 190_000, "inr": 11_900, "thb": 28_000, "myr": 220_000,
    "aed": 272_000,
}  # fmt: skip
"""Millionths of a dollar that one unit (not minor unit) of a currency is worth, always."""


@dataclass(frozen=True)
class Settled:
    """An amount in the currency it settles in; ``rate`` in millionths, None where it is its own."""

    amount: int
    currency: str
    rate: int | None

    @property
    def shown_rate(self) -> float | None:
        """``exchange_rate`` as balance transactions show it: units per unit, six decimals."""
        return None if self.rate is None else self.rate / MILLION


def parse(text: str) -> tuple[str, ...]:
    """``usd,eur`` -> ``("usd", "eur")``; raises a ValueError for what cannot be settled in."""
    found = tuple(code.strip().lower() for code in text.split(",") if code.strip())
    for code in found:
        if code not in RATES or code not in CURRENCIES:
            raise ValueError(f"{code} is not one of {', '.join(sorted(RATES))}")
    return found


def settle(world: World, account: str, amount: int, currency: str) -> Settled:
    """What ``amount`` is once it reaches an account's balance; rounded half up."""
    chosen = world.settlement
    if not chosen or account != world.platform or currency in chosen:
        return Settled(amount, currency, None)
    if currency not in RATES:
        raise not_imitated(f"the conversion of {currency} to {chosen[0]}")
    rate = half_up(RATES[currency] * MILLION, RATES[chosen[0]])
    scaled = amount * rate * 10 ** decimals(chosen[0])
    return Settled(half_up(scaled, MILLION * 10 ** decimals(currency)), chosen[0], rate)


def check_minimum(world: World, account: str, amount: int, currency: str) -> None:
    """Raises the 400 of an amount that comes to less than can be charged once it is converted."""
    settled = settle(world, account, amount, currency)
    least = minimum(settled.currency)
    if settled.rate is not None and settled.amount < least:
        raise StripeError(
            400,
            f"Amount must convert to at least {shown(least, settled.currency)}. "
            f"{shown(amount, currency)} converts to approximately "
            f"{shown(settled.amount, settled.currency)}.",
            code="amount_too_small",
            param="amount",
        )
