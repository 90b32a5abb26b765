"""Refund disputes: an open one holds its booking's money, a decided one does not any more. Pure.

Source: invariant I7; contract, section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from common.reconciliation.evidence import Evidence, Mismatch
from common.refunds.dispute import HOLD, KIND, OPEN

_UNDER_WAY = frozenset({"OPEN", "WAITING"})


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Every refund dispute against its booking's hold and its refund, and the other way round."""
    held = {booking.id: booking.holds.get(HOLD) for booking in evidence.bookings()}
    for id_, doc in evidence.documents("disputes"):
        if doc["kind"] != KIND:
            continue
        about = (id_, str(doc["bookingId"]))
        if doc["status"] == OPEN and held.get(doc["bookingId"]) != id_:
            yield Mismatch("hold.missing", "I7", "it is open and holds no money", about)
        yield from _refunded(id_, doc, evidence)
    for booking_id, dispute_id in held.items():
        if dispute_id is not None and not _stands(dispute_id, evidence):
            yield Mismatch("hold.left", "I7", "no dispute holds it any more", (booking_id,))


def _stands(dispute_id: str, evidence: Evidence) -> bool:
    """Whether a dispute has to hold its booking: it is open, or its refund is under way."""
    doc = evidence.document("disputes", dispute_id)
    if doc is None or doc["status"] == OPEN:
        return doc is not None
    operation = evidence.document("operations", (doc["decided"] or {}).get("refundId"))
    return operation is not None and operation["state"] in _UNDER_WAY


def _refunded(id_: str, doc: Mapping[str, Any], evidence: Evidence) -> Iterator[Mismatch]:
    decided = doc["decided"] or {}
    if not decided.get("amount"):
        return
    refund = evidence.document("refunds", decided["refundId"])
    made = None if refund is None else refund["amount"]
    if made != decided["amount"]:
        yield Mismatch(
            "dispute.refund", "I5", f"{decided['amount']} was decided, {made} refunded", (id_,)
        )
