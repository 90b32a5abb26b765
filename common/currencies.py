"""The currencies Stripe can charge, and how each counts its money.

Four numbers of a currency are easily confused:

* ``decimals``: how many decimals the API shows and takes (USD 2, JPY 0, KWD 3, ISK 0).
* ``minor_digits``: the exponent of the integer Stripe counts in. It equals ``decimals`` except for
  ISK and UGX, which have no decimals any more but are still sent multiplied by 100.
* ``charge_multiple``: what an amount sent to Stripe must be divisible by (ISK and UGX 100, the
  three-decimal currencies 10, all others 1).
* ``payout_multiple``: the same for a payout to a bank; HUF and TWD, charged with two decimals, go
  out in whole units only.

Sources: https://docs.stripe.com/currencies (presentment currencies, special cases, minimum and
maximum charge amounts). The rule for three-decimal currencies stood on older editions of that page
(2022, 2023) and is the contract's (section 4). BGN and ANG are left out: both have been replaced
(EUR, XCG).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Eight digits: Stripe's general limit, which holds for every payment method.
MAXIMUM: Final = 99_999_999

#: Minor units. Stripe lists no minimum below 30 and hardly one below 50 minor units. A currency it
#: does not list has no minimum of its own: the one of the settlement currency applies after
#: conversion, which only Stripe can compute (it answers ``amount_too_small``). So this is a floor
#: for what is surely too small, not a translation of 0.50 USD.
UNLISTED_MINIMUM: Final = 50

#: Minor units, as Stripe lists them; JPY and KRW have no decimals.
_LISTED_MINIMUMS: Final = {
    "AED": 2_00,
    "ARS": 50,
    "AUD": 50,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "COP": 50,
    "CZK": 15_00,
    "DKK": 2_50,
    "EUR": 50,
    "GBP": 30,
    "HKD": 4_00,
    "HUF": 175_00,
    "IDR": 50,
    "ILS": 50,
    "INR": 50,
    "JPY": 50,
    "KRW": 50,
    "MXN": 10_00,
    "MYR": 2_00,
    "NOK": 3_00,
    "NZD": 50,
    "PHP": 50,
    "PLN": 2_00,
    "RON": 2_00,
    "RUB": 50,
    "SEK": 3_00,
    "SGD": 50,
    "THB": 10_00,
    "USD": 50,
    "ZAR": 50,
}

_TWO_DECIMALS: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY
    COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
    INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN
    NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS
    SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD XCG YER ZAR ZMW
"""
_NO_DECIMALS: Final = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_NO_DECIMALS_SENT_IN_HUNDREDTHS: Final = "ISK UGX"
_THREE_DECIMALS: Final = "BHD JOD KWD OMR TND"
_WHOLE_UNITS_TO_BANKS: Final = {"HUF": 100, "TWD": 100}


class UnknownCurrency(ValueError):
    """The code is not an upper-case ISO 4217 code of a currency that Stripe charges."""

    def __init__(self, code: object) -> None:
        super().__init__(f"Unknown currency {str(code)[:20]!r}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Currency:
    """How one currency counts.

    Attributes:
        code: Upper-case ISO 4217 code.
        decimals: Decimals of an amount in the API.
        minor_digits: Exponent of the integer minor unit, which is Stripe's unit.
        charge_multiple: Minor units; every amount sent to Stripe is divisible by it.
        payout_multiple: Minor units; every payout to a bank is divisible by it.
        minimum: Smallest charge, minor units, a multiple of ``charge_multiple``.
        maximum: Largest charge, minor units.
    """

    code: str
    decimals: int
    minor_digits: int
    charge_multiple: int
    payout_multiple: int
    minimum: int
    maximum: int = MAXIMUM


def _table() -> Iterator[Currency]:
    groups = (
        (_TWO_DECIMALS, 2, 2, 1),
        (_NO_DECIMALS, 0, 0, 1),
        (_NO_DECIMALS_SENT_IN_HUNDREDTHS, 0, 2, 100),
        (_THREE_DECIMALS, 3, 3, 10),
    )
    for codes, decimals, minor_digits, multiple in groups:
        for code in codes.split():
            least = _LISTED_MINIMUMS.get(code, UNLISTED_MINIMUM)
            minimum = -(-least // multiple) * multiple
            payout = _WHOLE_UNITS_TO_BANKS.get(code, multiple)
            yield Currency(code, decimals, minor_digits, multiple, payout, minimum)


CURRENCIES: Final = {each.code: each for each in _table()}


def currency(code: str) -> Currency:
    """
    The currency with this upper-case ISO 4217 code.

    Raises:
        UnknownCurrency: No such currency, or not spelled in upper case.
    """
    found = CURRENCIES.get(code)
    if found is None:
        raise UnknownCurrency(code)
    return found
