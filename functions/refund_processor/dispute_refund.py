"""DISPUTE_REFUND: customer or provider contests a refund or its refusal, and the money waits.

What is not transferred yet is held until an operator has decided. At most one is open for a
booking: a second call answers with the first, and the other side's first call adds what they say.
Source: guide, section 5; contract, sections 3 and 4.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common.auth.caller import Role
from common.bookings import documents
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.status import Status
from common.context import Answer, Context
from common.errors import Missing, RefusedAmount, WrongState
from common.http.command import Amount, Command, Id, Text, money_of
from common.ids import fresh
from common.money import to_major
from common.refunds.dispute import HOLD, RefundDispute, Statement
from common.store import collections
from common.store.store import Create, Replace

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
    booking, role = booking_for(context, was)
    if any((docs[one].data or {}).get("bookingId") != booking.id for one in named):
        raise Missing("refund")
    if HOLD in booking.holds:
        return _join(command, context, booking, role)
    if booking.status not in _OPEN_TO or not booking.money.captured:
        raise WrongState("There is no payment to argue about", str(booking.status))
    dispute = RefundDispute(
        id=dispute_id,
        booking_id=booking.id,
        customer_id=booking.customer_id,
        provider_id=booking.provider_id,
        currency=booking.money.currency,
        contested=command.refund_id,
        refunded_before=booking.money.refunded,
        opening=_statement(command, context, booking, role),
    )
    context.notes["disputeId"] = dispute.id
    held = booking.held_by(HOLD, dispute_id)
    answer = dispute.as_json()
    context.finish(
        [*documents.change(was, held), Create(dispute.key, dispute.to_document())], answer
    )
    return answer


def _join(command: Request, context: Context, booking: Booking, role: Role) -> Answer:
    """The dispute that is open, with what its other side says to it."""
    standing = collections.dispute(booking.holds[HOLD])
    was = context.read(standing)[standing]
    context.notes["disputeId"] = standing.id
    dispute = RefundDispute.load(was)
    heard = dispute.answered(_statement(command, context, booking, role))
    answer = heard.as_json()
    if heard != dispute:
        context.finish([Replace(was, heard.to_document())], answer)
    return answer


def _statement(command: Request, context: Context, booking: Booking, role: Role) -> Statement:
    code, requested = booking.money.currency, None
    if command.requested_amount is not None:
        requested = money_of(command.requested_amount, code, "requestedAmount").amount
        if requested > booking.money.total:
            raise RefusedAmount(
                "More is asked for than was paid",
                type="exceeds_total",
                allowed=to_major(booking.money.total, code),
            )
    return Statement(str(role), command.reason, command.evidence, requested, context.now)
