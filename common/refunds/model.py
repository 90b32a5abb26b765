"""A refund: what it gives back, out of what, and what became of it at Stripe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from common.bookings.model import Booking
from common.bookings.postings import concerns
from common.clock import rfc3339
from common.ledger import accounts
from common.ledger.posting import Posting, entries
from common.money import to_major
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Document, Snapshot

#: Stripe's status -> ours.
STATUSES = {
    "succeeded": "SUCCEEDED",
    "pending": "PENDING",
    "requires_action": "PENDING",
    "failed": "FAILED",
    "canceled": "FAILED",
}
_PLAIN = {
    "bookingId": "booking_id",
    "customerId": "customer_id",
    "providerId": "provider_id",
    "currency": "currency",
    "amount": "amount",
    "feeRefunded": "fee_refunded",
    "owedDelta": "owed_delta",
    "heldPart": "held",
    "providerCompensation": "compensation",
    "reason": "reason",
    "requestedBy": "requested_by",
    "createdAt": "created_at",
    "status": "status",
    "stripeRefundId": "stripe_refund_id",
    "stripeStatus": "stripe_status",
    "failureReason": "failure_reason",
}


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund; amounts in minor units.

    Attributes:
        fee_refunded: The platform's part of the amount.
        held: What of the amount was still held for the booking; the rest was earned before and is
            taken back.
        owed_delta: By how much what we owe the provider shrinks; the rest of what was earned is
            our commission's.
        compensation: What an operator gave the provider of the rest; None: divided at the rate.
        status: PENDING until Stripe has a final word, then SUCCEEDED or FAILED.
    """

    id: str
    booking_id: str
    customer_id: str
    provider_id: str
    currency: str
    amount: int
    fee_refunded: int
    owed_delta: int
    held: int
    compensation: int | None
    reason: str
    requested_by: str
    created_at: datetime
    status: str = "PENDING"
    stripe_refund_id: str | None = None
    stripe_status: str | None = None
    failure_reason: str | None = None

    @property
    def key(self) -> Key:
        """Its document."""
        return collections.refund(self.id)

    def to_document(self) -> Document:
        """Its document."""
        return {name: getattr(self, attribute) for name, attribute in _PLAIN.items()}

    @classmethod
    def load(cls, snapshot: Snapshot) -> Refund:
        """The refund in a document that exists."""
        doc = snapshot.require()
        fields: dict[str, Any] = {attribute: doc[name] for name, attribute in _PLAIN.items()}
        return cls(id=snapshot.key.id, **fields)

    def create(self) -> Create:
        """The write that makes it."""
        return Create(self.key, self.to_document())

    def posting(self, booking: Booking, stripe_refund_id: str) -> Posting:
        """What it means in the ledger once Stripe has moved the money."""
        lines = entries((accounts.STRIPE, -self.amount), *self._sources())
        about = concerns(booking, refundId=self.id)
        return Posting("refund", stripe_refund_id, self.currency, lines, about)

    def _sources(self) -> tuple[tuple[str, int], ...]:
        return (
            (accounts.HELD, self.held),
            (accounts.owed(self.provider_id), self.owed_delta),
            (accounts.COMMISSION, self.amount - self.held - self.owed_delta),
        )

    def returned(self, booking: Booking, source: str) -> Posting:
        """The money is back from a refund that failed, for a booking that is over: it stays the
        customer's and is held for them."""
        lines = entries((accounts.STRIPE, self.amount), (accounts.HELD, -self.amount))
        about = concerns(booking, refundId=self.id)
        return Posting("refund_failed", source, self.currency, lines, about)

    def kept(self, booking: Booking, source: str) -> Posting | None:
        """The same where Stripe had moved nothing: what was earned is held again. None where all
        of it was held all the time."""
        if self.held == self.amount:
            return None
        lines = entries(*self._sources(), (accounts.HELD, -self.amount))
        merged: dict[str, int] = {}
        for account, amount in lines:
            merged[account] = merged.get(account, 0) + amount
        about = concerns(booking, refundId=self.id)
        return Posting("refund_kept", source, self.currency, entries(*merged.items()), about)

    def told(self, stripe: Mapping[str, Any]) -> Refund:
        """The refund with Stripe's word on it."""
        return replace(
            self,
            status=STATUSES.get(str(stripe["status"]), "PENDING"),
            stripe_refund_id=stripe["id"],
            stripe_status=stripe["status"],
            failure_reason=stripe.get("failure_reason"),
        )

    def as_json(self) -> dict[str, Any]:
        """The refund as answers show it; amounts in major units."""
        return {
            "refundId": self.id,
            "bookingId": self.booking_id,
            "refundAmount": self._major(self.amount),
            "platformFeeRefunded": self._major(self.fee_refunded),
            "providerEarningsReversed": self._major(self.amount - self.fee_refunded),
            "providerCompensation": None
            if self.compensation is None
            else self._major(self.compensation),
            "currency": self.currency,
            "status": self.status,
            "stripeStatus": self.stripe_status,
            "stripeRefundId": self.stripe_refund_id,
            "failureReason": self.failure_reason,
            "reason": self.reason,
            "createdAt": rfc3339(self.created_at),
        }

    def _major(self, amount: int) -> Decimal:
        return to_major(amount, self.currency)
