"""Both sides of the books as they were found: Firestore's documents and Stripe's objects. Pure.

Everything that is checked is checked over this value, so the same program judges production, the
local stack, and corruption planted in a test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.bookings.documents import from_document
from common.bookings.model import Booking

Documents = Mapping[str, Mapping[str, Any]]
Objects = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that must not be.

    Attributes:
        kind: What, as a stable dotted name.
        invariant: Which rule it breaks; docs/reconciliation.md lists them.
        problem: The same in words, with the figures.
        objects: Ids on either side that it concerns.
    """

    kind: str
    invariant: str
    problem: str
    objects: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The mismatch as RECONCILE shows it."""
        return {
            "kind": self.kind,
            "invariant": self.invariant,
            "problem": self.problem,
            "objects": list(self.objects),
        }


@dataclass(frozen=True, slots=True)
class Stripe:
    """Stripe's side, by id. Reversals and balances by what they belong to; minor units.

    Attributes:
        payouts: Of connected accounts, each with its ``account``.
        movements: Account id (``platform`` for ours) -> its balance transactions.
        balances: Account id (``platform`` for ours) -> currency -> pending and available together;
            accounts that have left the platform are not in it.
    """

    payment_intents: Objects = field(default_factory=dict)
    charges: Objects = field(default_factory=dict)
    refunds: Objects = field(default_factory=dict)
    transfers: Objects = field(default_factory=dict)
    payouts: Objects = field(default_factory=dict)
    disputes: Objects = field(default_factory=dict)
    accounts: Objects = field(default_factory=dict)
    subscriptions: Objects = field(default_factory=dict)
    invoices: Objects = field(default_factory=dict)
    invoice_payments: Objects = field(default_factory=dict)
    movements: Mapping[str, Objects] = field(default_factory=dict)
    balances: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The two sides, and when they were looked at.

    Attributes:
        firestore: Our name of a collection -> id -> document.
    """

    firestore: Mapping[str, Documents]
    stripe: Stripe
    now: datetime

    def documents(self, collection: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """A collection's documents in order of their ids."""
        yield from sorted(self.firestore.get(collection, {}).items())

    def document(self, collection: str, id_: str | None) -> Mapping[str, Any] | None:
        """One document; None where there is none."""
        return self.firestore.get(collection, {}).get(id_ or "")

    def bookings(self) -> Iterator[Booking]:
        """The bookings that can be read; what cannot is a mismatch of its own."""
        for id_, doc in self.documents("bookings"):
            booking = readable(id_, doc)
            if booking is not None:
                yield booking

    def balances(self) -> dict[str, dict[str, int]]:
        """The ledger summed up: currency -> account -> minor units."""
        sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for _, doc in self.documents("transactions"):
            for entry in doc["entries"]:
                if type(entry["amount"]) is int:
                    sums[doc["currency"]][entry["account"]] += entry["amount"]
        return sums

    def booking_sums(self, account: str) -> dict[str, int]:
        """What the ledger says of one account, by booking."""
        sums: dict[str, int] = defaultdict(int)
        for _, doc in self.documents("transactions"):
            for entry in doc["entries"]:
                if entry["account"] == account and type(entry["amount"]) is int:
                    sums[doc.get("bookingId", "")] += entry["amount"]
        return sums


def readable(id_: str, doc: Mapping[str, Any]) -> Booking | None:
    """A document as a booking; None where it is none."""
    try:
        return from_document(id_, doc)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def of_ours(thing: Mapping[str, Any], name: str) -> str | None:
    """An id of ours in a Stripe object's metadata."""
    value = (thing.get("metadata") or {}).get(name)
    return value if isinstance(value, str) and value else None
