"""A posting: one event's entries, summing to zero, written once under an id that it determines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.ledger import figures
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Snapshot, Write

Entries = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Posting:
    """One immutable ledger transaction.

    Attributes:
        kind: What happened, such as ``charge`` or ``refund``.
        source: The Stripe object's id, or our operation's where Stripe has none; with ``kind`` it
            gives the document's id, so that writing it twice is impossible.
        entries: (account, signed minor units), zero in sum, no zero among them.
        concerns: bookingId, providerId, customerId, refundId, payoutId as they apply, and the
            booking's category.

    Source: contract, section 4 (``transactions`` documents); invariants I1 and I2.
    """

    kind: str
    source: str
    currency: str
    entries: Entries
    concerns: Mapping[str, str]

    def __post_init__(self) -> None:
        assert sum(amount for _, amount in self.entries) == 0, f"{self.kind} does not balance"
        assert len(self.entries) >= 2, f"{self.kind} needs two entries"

    @property
    def id(self) -> str:
        """The transaction's id: a function of kind and source."""
        return f"{self.kind}_{self.source}"

    def writes(self, now: datetime) -> list[Write]:
        """The document, to be created with the commit that records the event, and its figures,
        added to the totals in the same."""
        adds = figures.of(self.kind, self.entries)
        data: dict[str, Any] = {
            "kind": self.kind,
            "currency": self.currency,
            "entries": [{"account": account, "amount": amount} for account, amount in self.entries],
            "stripeId": self.source,
            "createdAt": now,
            "category": "",
            **self.concerns,
            **({"figures": adds} if adds else {}),
        }
        return [
            Create(collections.transaction(self.id), data),
            *figures.on_day(self.id, self.currency, data["category"], adds, now),
            *figures.on_year(data.get("providerId"), self.currency, adds, now),
        ]

    def reversed(self, kind: str, source: str) -> Posting:
        """The same event taken back."""
        entries = tuple((account, -amount) for account, amount in self.entries)
        return Posting(kind, source, self.currency, entries, self.concerns)


def entries(*lines: tuple[str, int]) -> Entries:
    """Entries without those of zero."""
    return tuple((account, amount) for account, amount in lines if amount)


def post(known: Mapping[Key, Snapshot], posting: Posting, now: datetime) -> list[Write]:
    """The writes of a posting, or none where it is known to stand already.

    A posting that nobody looked for is created; should it stand after all, the commit fails and
    the next try looks.
    """
    seen = known.get(collections.transaction(posting.id))
    return [] if seen is not None and seen.data is not None else posting.writes(now)
