"""What Stripe exchanged: an amount that reached or left our balance in another currency. Pure.

A balance transaction may be in another currency than its charge, refund or dispute. The amount then
leaves ``platform:stripe`` in the one currency and comes to it in the other, by way of
``platform:exchange``: two transactions, since each is of one currency, that name each other. What
is left on ``platform:exchange`` over time is what the rates have gained or lost us.

Source: contract, section 4 (an exchange rate is a transaction of its own);
https://docs.stripe.com/api/balance_transactions/object#balance_transaction_object-exchange_rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from common.ledger import accounts
from common.ledger.posting import Posting, entries
from common.store import collections
from common.store.collections import Key

CONVERSION = "conversion"
SETTLEMENT = "settlement"


def is_exchanged(transaction: Mapping[str, Any], code: str) -> bool:
    """Whether a balance transaction is in another currency than ``code``."""
    return str(transaction["currency"]).upper() != code


def rate_text(transaction: Mapping[str, Any]) -> str:
    """The rate as Stripe reports it, units for a unit, as plain decimal digits; empty: none told.

    It is only shown, never reckoned with: the amounts are Stripe's own.
    """
    rate = transaction.get("exchange_rate")
    return "" if rate is None else f"{Decimal(str(rate)):f}"


def postings(
    transaction_id: str,
    *,
    amount: int,
    code: str,
    settled: int,
    into: str,
    rate: str,
    about: Mapping[str, str],
    fee: int = 0,
) -> tuple[Posting, ...]:
    """The exchange of what a balance transaction moved.

    Args:
        amount: What the ledger has moved on our Stripe balance, signed minor units of ``code``.
        settled: What Stripe has moved instead, before fees, signed minor units of ``into``.
        fee: Stripe's fee in the same transaction, minor units of ``into``, where no transaction of
            its own has it.

    Returns:
        ``conversion`` and ``settlement``; only the first where an amount came to nothing.
    """
    left, came = f"{CONVERSION}_{transaction_id}", f"{SETTLEMENT}_{transaction_id}"
    out = (accounts.STRIPE, -amount), (accounts.EXCHANGE, amount)
    back = entries(
        (accounts.STRIPE, settled - fee), (accounts.EXCHANGE, -settled), (accounts.STRIPE_FEES, fee)
    )
    facts = {**about, "exchangeRate": rate, "exchangedFrom": code, "exchangedTo": into}
    if not back:
        return (Posting("conversion", transaction_id, code, out, facts),)
    return (
        Posting("conversion", transaction_id, code, out, {**facts, "counterpart": came}),
        Posting("settlement", transaction_id, into, back, {**facts, "counterpart": left}),
    )


def of(
    transaction: Mapping[str, Any],
    amount: int,
    code: str,
    about: Mapping[str, str],
    *,
    fee: int = 0,
) -> tuple[Posting, ...]:
    """The same from Stripe's balance transaction; nothing where it is in ``code`` itself."""
    if not is_exchanged(transaction, code):
        return ()
    return postings(
        transaction["id"],
        amount=amount,
        code=code,
        settled=int(transaction["amount"]),
        into=str(transaction["currency"]).upper(),
        rate=rate_text(transaction),
        about=about,
        fee=fee,
    )


def keys(transaction_id: str) -> tuple[Key, ...]:
    """The ledger transactions that an exchange may have."""
    return tuple(
        collections.transaction(f"{kind}_{transaction_id}") for kind in (CONVERSION, SETTLEMENT)
    )
