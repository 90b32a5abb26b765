"""DISPUTE_REFUND: customer or provider contests a refund or its refusal, and the money waits.

What is not transferred yet is held until an operator has decided. At most one is open for a
booking: a second call answers with the first.
Source: guide, section 5; contract, sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from common.auth.caller import Role
from common.bookings import documents
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.status import Status
from common.clock import rfc3339
from common.context import Answer, Context
from common.errors import Missing, RefusedAmount, WrongState
from common.http.command import Amount, Command, Id, Text, money_of
from common.ids import fresh
from common.money import to_major
from common.store import collections
from common.store.store import Create

HOLD = "refund_dispute"
#: There is money to argue about.
_OPEN_TO = frozenset({Status.CONFIRMED, Status.COMPLETED, Status.CANCELLED, Status.REFUNDED})


class Request(Command):
    """Which booking or refund, why, how much is asked for, and what shows it."""

    booking_id: Id
    refund_id: Id | None = None
    reason: Annotated[Text, Field(min_length=1, max_length=2000)]
    requested_amount: Amount | None = None
    evidence: Annotated[Text, Field(max_length=10_000)] | None = None


def handle(command: Request, context: Context) -> Answer:
    """The open dispute."""
    context.notes["bookingId"] = command.booking_id
    dispute_id = fresh("dispute")
    return context.until_settled(lambda: _open(command, context, dispute_id))


def _open(command: Request, context: Context, dispute_id: str) -> Answer:
    key = collections.booking(command.booking_id)
    named = [collections.refund(command.refund_id)] if command.refund_id else []
    docs = context.read(key, *named)
    was = docs[key]
    booking, role = booking_for(context, was, frozenset({Role.CUSTOMER, Role.PROVIDER}))
    if any((docs[one].data or {}).get("bookingId") != booking.id for one in named):
        raise Missing("refund")
    if HOLD in booking.holds:
        standing = collections.dispute(booking.holds[HOLD])
        return _answer(standing.id, context.read(standing)[standing].require())
    if booking.status not in _OPEN_TO or not booking.money.captured:
        raise WrongState("There is no payment to argue about", str(booking.status))
    document = _document(command, context, booking, role)
    held = replace(booking, holds={**booking.holds, HOLD: dispute_id})
    answer = _answer(dispute_id, document)
    context.finish(
        [*documents.change(was, held), Create(collections.dispute(dispute_id), document)], answer
    )
    return answer


def _document(command: Request, context: Context, booking: Booking, role: Role) -> dict[str, Any]:
    code, requested = booking.money.currency, None
    if command.requested_amount is not None:
        requested = money_of(command.requested_amount, code, "requestedAmount").amount
        if requested > booking.money.total:
            raise RefusedAmount(
                "More is asked for than was paid",
                type="exceeds_total",
                allowed=to_major(booking.money.total, code),
            )
    return {
        "kind": "REFUND",
        "status": "OPEN",
        "bookingId": booking.id,
        "customerId": booking.customer_id,
        "providerId": booking.provider_id,
        "refundId": command.refund_id,
        "openedBy": str(role),
        "reason": command.reason,
        "evidence": command.evidence,
        "requestedAmount": requested,
        "currency": code,
        "createdAt": context.now,
    }


def _answer(dispute_id: str, document: dict[str, Any]) -> Answer:
    requested = document["requestedAmount"]
    return {
        "disputeId": dispute_id,
        "bookingId": document["bookingId"],
        "status": document["status"],
        "reason": document["reason"],
        "requestedAmount": None if requested is None else to_major(requested, document["currency"]),
        "currency": document["currency"],
        "createdAt": rfc3339(document["createdAt"]),
    }
