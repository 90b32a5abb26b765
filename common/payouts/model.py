"""A payout: which bookings' earnings it carries, and how far it has come.

Earning and settlement are different facts: a transfer brings a booking's part to the provider's
connected balance, the payout takes it from there to their bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from common.clock import rfc3339
from common.money import to_major
from common.payouts.failures import failure
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Document, Snapshot


class PayoutStatus(StrEnum):
    """Where a payout stands."""

    SCHEDULED = "SCHEDULED"  # its bookings are set aside until its date
    PROCESSING = "PROCESSING"  # transfers or the payout itself are on their way
    PAID = "PAID"  # Stripe reported payout.paid
    FAILED = "FAILED"  # the bank or Stripe refused; the money may be paid out again
    CANCELLED = "CANCELLED"  # called off before it left


#: From which status a payout may go where. PAID may still bounce for some days.
TRANSITIONS: dict[PayoutStatus, frozenset[PayoutStatus]] = {
    PayoutStatus.SCHEDULED: frozenset({PayoutStatus.PROCESSING, PayoutStatus.CANCELLED}),
    PayoutStatus.PROCESSING: frozenset(
        {PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELLED}
    ),
    PayoutStatus.PAID: frozenset({PayoutStatus.FAILED}),
    PayoutStatus.FAILED: frozenset(),
    PayoutStatus.CANCELLED: frozenset(),
}
_PLAIN = {
    "providerId": "provider_id",
    "accountId": "account_id",
    "currency": "currency",
    "amount": "amount",
    "debtRecovered": "debt_recovered",
    "method": "method",
    "fee": "fee",
    "requestedBy": "requested_by",
    "runId": "run_id",
    "createdAt": "created_at",
    "scheduledDate": "scheduled_date",
    "stripePayoutId": "stripe_payout_id",
    "arrivalDate": "arrival_date",
    "failureCode": "failure_code",
    "failureMessage": "failure_message",
}
_LINE = {
    "bookingId": "booking_id",
    "amount": "amount",
    "transfer": "transfer",
    "chargeId": "charge_id",
    "title": "title",
    "paid": "paid",
    "refunded": "refunded",
    "fee": "fee",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One booking's part of a payout, minor units.

    Attributes:
        amount: What of the booking's earnings goes out.
        transfer: What of it must still be transferred to the connected account; the rest is there
            from an earlier payout that failed.
        charge_id: The charge that funds the transfer; empty: our balance does.
        title, paid, refunded, fee: What the booking was about, what its customer paid, what they
            got back and what the platform kept, when the payout was made. What it earned is
            ``paid - refunded - fee``; more than ``amount`` where it goes out in parts.
    """

    booking_id: str
    amount: int
    transfer: int
    charge_id: str
    title: str = ""
    paid: int = 0
    refunded: int = 0
    fee: int = 0

    def to_document(self) -> Document:
        """Its part of the payout's document."""
        return {name: getattr(self, attribute) for name, attribute in _LINE.items()}

    @classmethod
    def of(cls, doc: Mapping[str, Any]) -> Line:
        """The line in a payout's document."""
        return cls(**{attribute: doc[name] for name, attribute in _LINE.items()})

    def as_json(self, code: str) -> dict[str, Any]:
        """The line as answers show it; amounts in major units of the currency ``code``."""
        shown = {
            "amount": self.amount,
            "total": self.paid,
            "refunded": self.refunded,
            "platformFee": self.fee,
            "net": self.paid - self.refunded - self.fee,
        }
        amounts = {name: to_major(amount, code) for name, amount in shown.items()}
        return {"bookingId": self.booking_id, "title": self.title, **amounts}


@dataclass(frozen=True, slots=True)
class Payout:
    """One payout to one provider, minor units.

    Attributes:
        amount: What leaves the provider's earnings; the sum of the lines and of ``beyond``.
        fee: What Stripe takes of it for an instant payout; ``amount - fee`` arrives.
        debt_recovered: What was kept back for the provider's debt, not part of ``amount``.
        transfers: Stripe's transfer id -> booking id and amount.
        beyond: What of the amount lay in the connected balance and is no booking's.
        kept: What Stripe kept of a payout that came back (its instant fee), as parts of the lines:
            booking id -> minor units. It counts as paid.
    """

    id: str
    provider_id: str
    account_id: str
    currency: str
    amount: int
    lines: tuple[Line, ...]
    method: str
    requested_by: str
    created_at: datetime
    scheduled_date: datetime
    status: PayoutStatus
    fee: int = 0
    debt_recovered: int = 0
    run_id: str | None = None
    stripe_payout_id: str | None = None
    arrival_date: datetime | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    transfers: Mapping[str, Any] | None = None
    kept: Mapping[str, int] | None = None
    beyond: int = 0

    @property
    def key(self) -> Key:
        """Its document."""
        return collections.payout(self.id)

    @property
    def net(self) -> int:
        """What arrives at the bank."""
        return self.amount - self.fee

    @property
    def there(self) -> int:
        """What of the amount lies in the connected balance, while Stripe's payout is not made."""
        before = sum(line.amount - line.transfer for line in self.lines)
        sent: int = sum(made.get("amount", 0) for made in (self.transfers or {}).values())
        return min(self.amount, before + sent)

    def moved(self, to: PayoutStatus) -> Payout:
        """The payout in another status, by the table."""
        assert to in TRANSITIONS[self.status], f"a payout does not go from {self.status} to {to}"
        return replace(self, status=to)

    def to_document(self) -> Document:
        """Its document."""
        return {
            **{name: getattr(self, attribute) for name, attribute in _PLAIN.items()},
            "status": str(self.status),
            "lines": [line.to_document() for line in self.lines],
            "transfers": dict(self.transfers or {}),
            "kept": dict(self.kept or {}),
            "beyond": self.beyond,
        }

    @classmethod
    def load(cls, snapshot: Snapshot) -> Payout:
        """The payout in a document that exists."""
        doc = snapshot.require()
        plain: dict[str, Any] = {attribute: doc[name] for name, attribute in _PLAIN.items()}
        lines = tuple(Line.of(line) for line in doc["lines"])
        return cls(
            id=snapshot.key.id,
            status=PayoutStatus(doc["status"]),
            lines=lines,
            transfers=doc["transfers"],
            kept=doc.get("kept"),
            beyond=doc.get("beyond", 0),
            **plain,
        )

    def create(self) -> Create:
        """The write that makes it."""
        return Create(self.key, self.to_document())

    def as_json(self) -> dict[str, Any]:
        """The payout as answers show it; amounts in major units.

        ``arrivalDate`` is the day on which Stripe expects it at the bank, None until it has left.
        """
        told = failure(self.failure_code)
        return {
            "payoutId": self.id,
            "providerId": self.provider_id,
            "amount": to_major(self.amount, self.currency),
            "currency": self.currency,
            "status": str(self.status),
            "method": self.method,
            "fee": to_major(self.fee, self.currency),
            "netAmount": to_major(self.net, self.currency),
            "debtRecovered": to_major(self.debt_recovered, self.currency),
            "scheduledDate": rfc3339(self.scheduled_date),
            "bookingIds": [line.booking_id for line in self.lines],
            "bookings": [line.as_json(self.currency) for line in self.lines],
            "arrivalDate": None if self.arrival_date is None else rfc3339(self.arrival_date),
            "stripePayoutId": self.stripe_payout_id,
            "failureCode": self.failure_code,
            "failureMessage": self.failure_message,
            "failure": None
            if told is None
            else {"reason": told.reason, "nextStep": told.next_step},
            "createdAt": rfc3339(self.created_at),
        }
