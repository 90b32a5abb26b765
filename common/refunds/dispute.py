"""A refund dispute: one side's complaint, the other's answer, an operator's decision. Pure.

Source: contract, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from common.bookings.model import Booking
from common.clock import rfc3339
from common.money import to_major
from common.store import collections
from common.store.collections import Key
from common.store.store import Document, Replace, Snapshot

#: Why a booking's money waits; in its ``holds`` with the dispute's id.
HOLD = "refund_dispute"
KIND = "REFUND"
OPEN = "OPEN"


class Decision(StrEnum):
    """What an operator decides; afterwards the dispute's status."""

    UPHELD = "UPHELD"  # what was asked for goes back
    REJECTED = "REJECTED"  # nothing does
    PARTIAL = "PARTIAL"  # the amount that the operator names does


@dataclass(frozen=True, slots=True)
class Statement:
    """What one side says; ``requested`` in minor units."""

    by: str
    reason: str
    evidence: str | None
    requested: int | None
    at: datetime

    def to_document(self) -> Document:
        """Its part of the dispute's document."""
        return {
            "by": self.by,
            "reason": self.reason,
            "evidence": self.evidence,
            "requestedAmount": self.requested,
            "at": self.at,
        }

    @classmethod
    def load(cls, doc: Mapping[str, Any]) -> Statement:
        """The statement in a dispute's document."""
        return cls(doc["by"], doc["reason"], doc["evidence"], doc["requestedAmount"], doc["at"])


@dataclass(frozen=True, slots=True)
class Decided:
    """An operator's decision; minor units.

    Attributes:
        asked: The amount that the operator named; None where they named none.
        amount: What goes back by it.
        refund_id: The refund that gives it back; None where nothing does.
    """

    decision: Decision
    asked: int | None
    amount: int
    refund_id: str | None
    note: str
    by: str
    at: datetime

    def repeats(self, decision: Decision, asked: int | None) -> bool:
        """Whether the same is decided again."""
        return decision is self.decision and asked in (self.asked, self.amount)


@dataclass(frozen=True, slots=True)
class RefundDispute:
    """One dispute over a booking's refund; at most one of a booking is open.

    Attributes:
        contested: The refund that is argued about; None where one was refused.
        refunded_before: What of the booking had gone back when it was opened, minor units.
        opening: The complaint.
        answer: What the other side says to it.
        decided: The decision; None while it is open.
        refusals: How often Stripe refused a refund that was decided; each try has an id of its own.
    """

    id: str
    booking_id: str
    customer_id: str
    provider_id: str
    currency: str
    contested: str | None
    refunded_before: int
    opening: Statement
    answer: Statement | None = None
    decided: Decided | None = None
    refusals: int = 0

    @property
    def key(self) -> Key:
        """Its document."""
        return collections.dispute(self.id)

    @property
    def status(self) -> str:
        """OPEN, or what was decided."""
        return OPEN if self.decided is None else str(self.decided.decision)

    @property
    def next_refund_id(self) -> str:
        """The id of the refund that a decision now would make."""
        return f"refund-{self.id}" + (f"-{self.refusals + 1}" if self.refusals else "")

    def answered(self, statement: Statement) -> RefundDispute:
        """The dispute with the other side's statement; only their first one counts."""
        if self.decided is not None or self.answer or statement.by == self.opening.by:
            return self
        return replace(self, answer=statement)

    def reopened(self) -> RefundDispute:
        """The dispute after Stripe refused the refund that was decided: nothing has gone back."""
        return replace(self, decided=None, refusals=self.refusals + 1)

    def to_document(self) -> Document:
        """Its document."""
        decided = self.decided
        return {
            "kind": KIND,
            "status": self.status,
            "bookingId": self.booking_id,
            "customerId": self.customer_id,
            "providerId": self.provider_id,
            "currency": self.currency,
            "refundId": self.contested,
            "refundedBefore": self.refunded_before,
            "openedBy": self.opening.by,
            "reason": self.opening.reason,
            "evidence": self.opening.evidence,
            "requestedAmount": self.opening.requested,
            "createdAt": self.opening.at,
            "answer": None if self.answer is None else self.answer.to_document(),
            "decided": None
            if decided is None
            else {
                "decision": str(decided.decision),
                "asked": decided.asked,
                "amount": decided.amount,
                "refundId": decided.refund_id,
                "note": decided.note,
                "by": decided.by,
                "at": decided.at,
            },
            "refusals": self.refusals,
        }

    @classmethod
    def load(cls, snapshot: Snapshot) -> RefundDispute:
        """The dispute in a document that exists."""
        doc = snapshot.require()
        opening = Statement(
            doc["openedBy"],
            doc["reason"],
            doc["evidence"],
            doc["requestedAmount"],
            doc["createdAt"],
        )
        known = doc["decided"]
        return cls(
            id=snapshot.key.id,
            booking_id=doc["bookingId"],
            customer_id=doc["customerId"],
            provider_id=doc["providerId"],
            currency=doc["currency"],
            contested=doc["refundId"],
            refunded_before=doc["refundedBefore"],
            opening=opening,
            answer=None if doc["answer"] is None else Statement.load(doc["answer"]),
            decided=None
            if known is None
            else Decided(
                Decision(known["decision"]),
                known["asked"],
                known["amount"],
                known["refundId"],
                known["note"],
                known["by"],
                known["at"],
            ),
            refusals=doc["refusals"],
        )

    def as_json(self) -> dict[str, Any]:
        """The whole story as both sides see it; amounts in major units."""
        decided, opening = self.decided, self.opening
        return {
            "disputeId": self.id,
            "bookingId": self.booking_id,
            "refundId": self.contested,
            "status": self.status,
            "openedBy": opening.by,
            "reason": opening.reason,
            "evidence": opening.evidence,
            "requestedAmount": self._major(opening.requested),
            "currency": self.currency,
            "createdAt": rfc3339(opening.at),
            "statements": [self._statement(one) for one in (opening, self.answer) if one],
            "decision": None if decided is None else str(decided.decision),
            "refundAmount": None if decided is None else self._major(decided.amount),
            "resolutionRefundId": None if decided is None else decided.refund_id,
            "note": None if decided is None else decided.note,
            "decidedAt": None if decided is None else rfc3339(decided.at),
        }

    def _statement(self, one: Statement) -> dict[str, Any]:
        return {
            "by": one.by,
            "reason": one.reason,
            "evidence": one.evidence,
            "requestedAmount": self._major(one.requested),
            "at": rfc3339(one.at),
        }

    def _major(self, amount: int | None) -> Decimal | None:
        return None if amount is None else to_major(amount, self.currency)


def lifted(booking: Booking, dispute_id: str | None) -> Booking:
    """The booking without the hold of this dispute: what is left of its money may be paid out."""
    return booking if dispute_id is None else booking.freed_of(dispute_id)


def open_again(was: Snapshot) -> Replace:
    """The write after Stripe's refusal: the dispute is open again, its money still held."""
    return Replace(was, RefundDispute.load(was).reopened().to_document())
