"""The record of a card dispute beside Stripe's own: what was sent, until when, what was warned of.

Pure. What Stripe says is in the record's plain fields; ``evidence`` is ours: which operation sends,
when something was staged or submitted, which fields are the provider's. No evidence is kept in it,
since the customer may read the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from common.clock import rfc3339
from common.money import to_major

#: How long before the deadline it is called close, and urgent.
CLOSE, URGENT = timedelta(days=3), timedelta(days=1)
#: In their order: what is warned of, and how long before the deadline.
LEVELS = (("close", CLOSE), ("urgent", URGENT), ("overdue", timedelta(0)))
NOTHING_SENT: Mapping[str, Any] = {
    "operationId": None,
    "stagedAt": None,
    "submittedAt": None,
    "submitted": None,
    "fields": [],
    "warned": None,
}


def awaits(status: str) -> bool:
    """Whether the bank waits for an answer: a chargeback, an inquiry or an appeal."""
    return status.endswith("needs_response")


def is_appeal(status: str) -> bool:
    """Whether a decision is being appealed, for which Stripe takes other evidence."""
    return status.startswith("appeal")


def evidence_of(doc: Mapping[str, Any]) -> dict[str, Any]:
    """What the record knows of the evidence."""
    return {**NOTHING_SENT, **(doc.get("evidence") or {})}


def watched(doc: Mapping[str, Any]) -> datetime | None:
    """When somebody must be warned next that nothing was submitted; None: never."""
    due: datetime | None = doc["evidenceDueBy"]
    evidence = evidence_of(doc)
    if due is None or evidence["submittedAt"] is not None or not awaits(doc["status"]):
        return None
    warned = evidence["warned"]
    names = [name for name, _ in LEVELS]
    left = LEVELS if warned is None else LEVELS[names.index(warned) + 1 :]
    return due - left[0][1] if left else None


def level_at(due: datetime, now: datetime) -> str | None:
    """What the time left is called; None while there is plenty."""
    reached = [name for name, before in LEVELS if now >= due - before]
    return reached[-1] if reached else None


def warned_of(doc: Mapping[str, Any], level: str) -> dict[str, Any]:
    """The record once somebody was warned."""
    after = {**doc, "evidence": {**evidence_of(doc), "warned": level}}
    return {**after, "warnAt": watched(after)}


def closed(doc: Mapping[str, Any]) -> bool:
    """Whether the bank has decided, and nobody appeals."""
    return doc.get("closedAt") is not None


def as_json(dispute_id: str, doc: Mapping[str, Any]) -> dict[str, Any]:
    """A card dispute as answers show it; the amount in major units."""
    evidence = evidence_of(doc)
    return {
        "disputeId": dispute_id,
        "kind": doc["kind"],
        "bookingId": doc["bookingId"],
        "status": doc["status"],
        "reason": doc["reason"],
        "amount": to_major(doc["amount"], doc["currency"]),
        "currency": doc["currency"],
        "evidenceDueBy": _when(doc["evidenceDueBy"]),
        "awaitsEvidence": awaits(doc["status"]),
        "refundable": doc.get("refundable"),
        "stagedAt": _when(evidence["stagedAt"]),
        "submittedAt": _when(evidence["submittedAt"]),
        "createdAt": _when(doc.get("createdAt")),
        "closedAt": _when(doc.get("closedAt")),
    }


def _when(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)
