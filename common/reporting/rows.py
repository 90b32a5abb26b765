"""Ledger transactions as lines of a file: CSV (RFC 4180) for people, JSON lines for programs.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, so texts
that do get an apostrophe before them; amounts are numbers of ours and stay as they are.
Source: https://owasp.org/www-community/attacks/CSV_Injection; contract, section 3.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from common.clock import rfc3339
from common.http.body import write as json_text
from common.ledger import accounts
from common.money import to_major
from common.store.store import Snapshot

_FACTS = (
    "transactionId", "createdAt", "kind", "currency", "bookingId", "providerId", "refundId",
    "payoutId", "stripeId", "category",
)  # fmt: skip
#: A column for each account, so that a column's sum is that account's balance.
_COLUMNS = {
    accounts.STRIPE: "platformStripe",
    accounts.HELD: "bookingsHeld",
    accounts.owed(""): "providerOwed",
    accounts.connected(""): "providerStripe",
    accounts.debt(""): "providerDebt",
    accounts.COMMISSION: "platformCommission",
    accounts.STRIPE_FEES: "platformStripeFees",
    accounts.DISPUTES: "disputesOpen",
    accounts.LOSSES: "platformLosses",
    accounts.BANK: "platformBank",
    accounts.ADJUSTMENTS: "platformAdjustments",
}
HEADER = (*_FACTS, "amount", *_COLUMNS.values())
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def csv_header() -> str:
    """The first line of a CSV file."""
    return _line(HEADER)


def csv_line(snapshot: Snapshot) -> str:
    """A transaction as one line of CSV, without a line break of its own.

    ``amount`` is what it moved, the sum of its positive entries; major units throughout.
    """
    doc = snapshot.require()
    code = str(doc["currency"])
    sums = dict.fromkeys(_COLUMNS.values(), 0)
    for entry in doc["entries"]:
        sums[_column(str(entry["account"]))] += entry["amount"]
    amounts = [_moved(doc), *sums.values()]
    facts = _facts(snapshot)
    cells = [_text(facts[name]) for name in _FACTS]
    return _line([*cells, *(_number(amount, code) for amount in amounts)])


def json_line(snapshot: Snapshot) -> str:
    """A transaction as one line of JSON, its entries with their accounts, major units."""
    doc = snapshot.require()
    code = str(doc["currency"])
    return json_text(
        {
            **_facts(snapshot),
            "amount": to_major(_moved(doc), code),
            "entries": [
                {"account": entry["account"], "amount": to_major(entry["amount"], code)}
                for entry in doc["entries"]
            ],
        }
    )


def _facts(snapshot: Snapshot) -> dict[str, Any]:
    doc = snapshot.require()
    known = {name: doc.get(name) or None for name in _FACTS}
    return {**known, "transactionId": snapshot.key.id, "createdAt": rfc3339(doc["createdAt"])}


def _moved(doc: Mapping[str, Any]) -> int:
    return sum(max(0, entry["amount"]) for entry in doc["entries"])


def _column(account: str) -> str:
    prefix, _, rest = account.partition(":")
    if prefix != "provider":
        return _COLUMNS[account]
    _, _, part = rest.partition(":")
    return _COLUMNS[f"provider::{part}" if part else "provider:"]


def _text(value: str | None) -> str:
    text = value or ""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _number(amount: int, code: str) -> str:
    major: Decimal = to_major(amount, code)
    return format(major, "f")


def _line(cells: list[str] | tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n")
