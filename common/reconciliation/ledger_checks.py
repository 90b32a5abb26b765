"""The ledger by itself: balanced, whole, immutable ids, accounts and objects that exist. Pure.

Source: invariants I1, I2, I3, I8, I22.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from common.currencies import UnknownCurrency, currency
from common.ledger import accounts, exchange
from common.reconciliation.evidence import Evidence, Mismatch

_PLAIN_ACCOUNTS = frozenset(
    {
        accounts.STRIPE,
        accounts.HELD,
        accounts.COMMISSION,
        accounts.STRIPE_FEES,
        accounts.BANK,
        accounts.EXCHANGE,
        accounts.ADJUSTMENTS,
        accounts.DISPUTES,
        accounts.LOSSES,
    }
)
_PROVIDER_ACCOUNT = re.compile(r"provider:[^:]+(:stripe|:debt)?\Z")


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Every ledger transaction by itself and against what it names."""
    seen: dict[tuple[str, str], str] = {}
    for id_, doc in evidence.documents("transactions"):
        yield from _entries(id_, doc)
        yield from _identity(id_, doc, seen)
        yield from _subject(id_, doc, evidence)
        yield from _exchange(id_, doc, evidence)


def _entries(id_: str, doc: Mapping[str, Any]) -> Iterator[Mismatch]:
    amounts = [entry["amount"] for entry in doc["entries"]]
    if len(amounts) < 2:
        yield Mismatch("ledger.entries_missing", "I1", "it has fewer than two entries", (id_,))
    if not all(type(amount) is int for amount in amounts):
        yield Mismatch("ledger.not_whole", "I3", f"its amounts are {amounts}", (id_,))
    elif sum(amounts):
        yield Mismatch("ledger.unbalanced", "I1", f"its entries sum to {sum(amounts)}", (id_,))
    for entry in doc["entries"]:
        name = str(entry["account"])
        if name not in _PLAIN_ACCOUNTS and not _PROVIDER_ACCOUNT.match(name):
            yield Mismatch("ledger.unknown_account", "I1", f"there is no account {name}", (id_,))


def _identity(
    id_: str, doc: Mapping[str, Any], seen: dict[tuple[str, str], str]
) -> Iterator[Mismatch]:
    what = (str(doc["kind"]), str(doc["stripeId"]))
    if id_ != f"{what[0]}_{what[1]}":
        yield Mismatch("ledger.wrong_id", "I2", f"its event is {what[0]} of {what[1]}", (id_,))
    if what in seen:
        yield Mismatch(
            "ledger.twice", "I10", f"{what[0]} of {what[1]} stands twice", (seen[what], id_)
        )
    seen.setdefault(what, id_)


def _subject(id_: str, doc: Mapping[str, Any], evidence: Evidence) -> Iterator[Mismatch]:
    code = str(doc["currency"])
    try:
        currency(code)
    except UnknownCurrency:
        yield Mismatch("ledger.unknown_currency", "I3", f"{code} is no currency", (id_,))
    booking_id = doc.get("bookingId")
    if booking_id is None:
        return
    booking = evidence.document("bookings", booking_id)
    if booking is None:
        yield Mismatch("ledger.orphan", "I8", "its booking does not exist", (id_, booking_id))
    elif code != _expected(doc, booking):
        yield Mismatch(
            "ledger.wrong_currency",
            "I3",
            f"it is in {code}, its booking in {_expected(doc, booking)}",
            (id_, booking_id),
        )


def _expected(doc: Mapping[str, Any], booking: Mapping[str, Any]) -> object:
    """The currency of a booking's transaction: its own, or the one its charge was settled in."""
    settled = (booking.get("payment") or {}).get("settlement")
    if settled and doc["kind"] in (exchange.SETTLEMENT, "stripe_fee"):
        return settled["currency"]
    return booking.get("currency")


def _exchange(id_: str, doc: Mapping[str, Any], evidence: Evidence) -> Iterator[Mismatch]:
    """An exchange has two halves, of the two currencies that it names."""
    if doc["kind"] not in (exchange.CONVERSION, exchange.SETTLEMENT):
        return
    named = doc.get("counterpart")
    other = evidence.document("transactions", named)
    if named and (other is None or other.get("counterpart") != id_):
        yield Mismatch("exchange.half", "I9", "its other half is not there", (id_, named))
    own = "exchangedFrom" if doc["kind"] == exchange.CONVERSION else "exchangedTo"
    if doc["currency"] != doc.get(own) or doc.get("exchangedFrom") == doc.get("exchangedTo"):
        yield Mismatch(
            "exchange.currency",
            "I3",
            f"it is in {doc['currency']}, exchanged from {doc.get('exchangedFrom')} to "
            f"{doc.get('exchangedTo')}",
            (id_,),
        )
