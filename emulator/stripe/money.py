"""Currencies, minimum charges and Stripe's fee. All amounts are integers in minor units."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.stripe.errors import StripeError

_ZERO_DECIMAL_CODES = """
bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf
"""
ZERO_DECIMAL = frozenset(_ZERO_DECIMAL_CODES.split())
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
# Two decimals on the wire, but the last two digits must be zero (charges for ISK and UGX,
# payouts for HUF and TWD as well).
WHOLE_CHARGES = frozenset({"isk", "ugx"})
WHOLE_PAYOUTS = frozenset({"isk", "ugx", "huf", "twd"})
_TWO_DECIMAL_CODES = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bmd bnd bob brl bsd bwp byn bzd cad cdf chf
cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr
ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn
myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp
sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd uyu uzs wst xcd xcg yer
zar zmw
"""
CURRENCIES = frozenset(_TWO_DECIMAL_CODES.split()) | ZERO_DECIMAL | THREE_DECIMAL
MAXIMUM = 99_999_999
_MINIMUMS = {
    "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "krw": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "C$", "aud": "A$", "inr": "₹"}


@dataclass(frozen=True)
class FeeSchedule:
    """Stripe's price for a card charge: basis points of the amount plus a fixed part."""

    bps: int = 290
    fixed: int = 30

    def fee(self, amount: int) -> int:
        """Minor units, rounded half up, never more than the amount."""
        return min(amount, half_up(amount * self.bps, 10_000) + self.fixed)


def half_up(numerator: int, denominator: int) -> int:
    """The quotient of two non-negative integers, halves rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)


def decimals(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def minimum(currency: str) -> int:
    """The least amount that can be charged; Stripe lists none for currencies it converts."""
    return _MINIMUMS.get(currency, {0: 50, 2: 50, 3: 500}[decimals(currency)])


def shown(amount: int, currency: str) -> str:
    """An amount as Stripe's messages write it: ``$1,234.50``."""
    places = decimals(currency)
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 10**places)
    digits = f"{whole:,}" + (f".{part:0{places}d}" if places else "")
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency.upper()}"


def check_charge_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Raises the 400 that Stripe gives for an amount that cannot be charged."""
    if amount < minimum(currency):
        raise StripeError(
            400,
            f"Amount must be at least {shown(minimum(currency), currency)} {currency}",
            code="amount_too_small",
            param=param,
        )
    if amount > MAXIMUM:
        raise StripeError(
            400,
            f"Amount must be no more than {shown(MAXIMUM, currency)} {currency}",
            code="amount_too_large",
            param=param,
        )
    check_granularity(amount, currency, param)


def check_granularity(amount: int, currency: str, param: str = "amount") -> None:
    """Three-decimal amounts end in 0; ISK and UGX amounts in 00."""
    step = 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_CHARGES else 1
    if amount % step:
        raise StripeError(
            400,
            f"Invalid amount: amounts in {currency} must be divisible by {step}.",
            code="parameter_invalid_integer",
            param=param,
        )
