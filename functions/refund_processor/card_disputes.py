"""GET_DISPUTE and LIST_DISPUTES: card disputes with their deadlines, drafts and what was sent.

Source: contract, section 3 (added beside SUBMIT_DISPUTE_EVIDENCE); docs/disputes.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from common.bookings import documents
from common.context import Answer, Context
from common.disputes import evidence, record
from common.errors import Missing, WrongState
from common.http.command import Command, Id
from common.http.cursor import decode, encode
from common.refunds.model import Refund
from common.store import collections
from common.store.store import Filter, Snapshot

CARD = "CARD"


class GetRequest(Command):
    """Which dispute."""

    dispute_id: Id


class ListRequest(Command):
    """Whose disputes; a provider sees their own, an operator everybody's."""

    provider_id: Id | None = None
    open: bool = False
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=400)


def get(command: GetRequest, context: Context) -> Answer:
    """The dispute, what would be said by itself, and what Stripe has."""
    context.notes["disputeId"] = command.dispute_id
    key = collections.dispute(command.dispute_id)
    doc = card_dispute_in(context.read(key)[key], context)
    context.notes["bookingId"] = doc["bookingId"]
    stripe = context.services.stripe.dispute(command.dispute_id)
    details = stripe.get("evidence_details") or {}
    sent = record.evidence_of(doc)
    draft = draft_for(doc, context)
    shown = {**record.as_json(key.id, doc), "status": stripe["status"]}
    shown["awaitsEvidence"] = record.awaits(stripe["status"]) and not details.get("past_due")
    shown |= {
        "pastDue": bool(details.get("past_due")),
        "submissionCount": details.get("submission_count", 0),
        "draft": evidence.shown(draft),
        "sent": evidence.shown(stripe.get("evidence") or {}),
        "withheld": sorted(evidence.PERSONAL & draft.keys()),
        "providerFields": list(sent["fields"]),
    }
    return {"disputeId": key.id, "dispute": shown}


def listing(command: ListRequest, context: Context) -> Answer:
    """Card disputes, the newest first."""
    where: list[Filter] = [("kind", "==", CARD)]
    whose = command.provider_id
    if not context.caller.operator:
        if whose not in (None, context.caller.uid):
            raise Missing("provider")
        whose = context.caller.uid
    if whose is not None:
        where.append(("providerId", "==", whose))
    if command.open:
        where.append(("closedAt", "==", None))
    found = context.services.store.query(
        "disputes",
        where,
        order=(("createdAt", "DESCENDING"), ("__name__", "DESCENDING")),
        limit=command.limit + 1,
        after=None if command.cursor is None else decode(command.cursor),
    )
    page = found[: command.limit]
    last = page[-1] if len(found) > command.limit else None
    return {
        "disputes": [record.as_json(one.key.id, one.require()) for one in page],
        "nextCursor": None if last is None else encode(last.require()["createdAt"], last.key.id),
    }


def card_dispute_in(found: Snapshot, context: Context) -> Mapping[str, Any]:
    """A card dispute's record, for its provider or an operator.

    Raises:
        Missing: there is none, or the caller may not know of it.
        Forbidden: the customer may not.
        WrongState: 409, it is a dispute of a refund.
    """
    doc = found.data
    if doc is None:
        raise Missing("dispute")
    context.act(customer_id=doc["customerId"], provider_id=doc["providerId"], what="dispute")
    if doc["kind"] != CARD:
        raise WrongState(
            "This is a dispute of a refund: an operator decides it, no bank takes evidence for it",
            str(doc["status"]),
        )
    return doc


def draft_for(doc: Mapping[str, Any], context: Context) -> dict[str, str]:
    """What the platform can say in a dispute by itself, by Stripe's names."""
    key = collections.booking(doc["bookingId"])
    profile = collections.profile(doc["customerId"])
    docs = context.read(key, profile)
    refunds = context.services.store.query(
        "refunds", [("bookingId", "==", key.id)], order=(("createdAt", "ASCENDING"),)
    )
    name = (docs[profile].data or {}).get("displayName")
    return evidence.draft(documents.load(docs[key]), [Refund.load(one) for one in refunds], name)
