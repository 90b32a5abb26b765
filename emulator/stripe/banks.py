"""Stripe's test bank accounts and what happens to payouts sent to them."""

from __future__ import annotations

FAILURES: dict[str, tuple[str, str]] = {
    "000111111116": ("no_account", "The bank account could not be located."),
    "000111111113": ("account_closed", "The bank account has been closed."),
    "000222222227": (
        "insufficient_funds",
        "The Stripe account has insufficient funds to cover the payout.",
    ),
    "000333333335": (
        "debit_not_authorized",
        "Debit transactions are not approved on the bank account.",
    ),
    "000444444440": (
        "invalid_currency",
        "The bank was unable to process this payout because of its currency.",
    ),
}  # fmt: skip
"""Account number -> (``failure_code``, ``failure_message``)."""

PAYS = "000123456789"
ROUTING = "110000000"
_EURO_COUNTRIES = """
AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK
"""
COUNTRY_CURRENCY = {
    "US": "usd", "GB": "gbp", "CA": "cad", "AU": "aud", "NZ": "nzd", "JP": "jpy", "CH": "chf",
    "DK": "dkk", "NO": "nok", "SE": "sek", "PL": "pln", "CZ": "czk", "HU": "huf", "RO": "ron",
    "SG": "sgd", "HK": "hkd", "MX": "mxn", "BR": "brl", "TH": "thb", "MY": "myr", "AE": "aed",
    "IN": "inr", "KW": "kwd", "BH": "bhd", "JO": "jod", "KR": "krw",
    **dict.fromkeys(
        _EURO_COUNTRIES.split(), "eur"
    ),
}  # fmt: skip
"""Countries in which accounts can be opened and their currency."""
