"""CALCULATE_REFUND and GET_REFUND_STATUS: they change nothing.

Source: contract, section 3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import model_validator

from common.auth.caller import Role
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.context import Answer, Context
from common.errors import Missing, NotRefundable, RefusedAmount
from common.http.command import Amount, Command, Id, money_of
from common.money import to_major
from common.refunds.amounts import Breakdown
from common.refunds.dispute import KIND, RefundDispute
from common.refunds.model import Refund
from common.refunds.plan import Allowed, allowed, breakdown
from common.store import collections


class CalculateRequest(Command):
    """Which booking, and how much of it; nothing means what the caller would get."""

    booking_id: Id
    refund_amount: Amount | None = None


class StatusRequest(Command):
    """One refund, or all of a booking."""

    refund_id: Id | None = None
    booking_id: Id | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> StatusRequest:
        if (self.refund_id is None) == (self.booking_id is None):
            raise ValueError("give either refundId or bookingId")
        return self


def calculate(command: CalculateRequest, context: Context) -> Answer:
    """What PROCESS_REFUND would do, or why it would not."""
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    booking, role = booking_for(context, context.read(key)[key])
    amount = None
    if command.refund_amount is not None:
        amount = money_of(command.refund_amount, booking.money.currency, "refundAmount").amount
    limits = allowed(booking, role, context.now)
    try:
        part = breakdown(booking, role, context.now, amount)
    except NotRefundable as refused:
        why = refused.details.get("reason") or f"the booking is {booking.status}"
        return _answer(booking, limits, None, str(why))
    except RefusedAmount as refused:
        if amount is not None:
            raise
        return _answer(booking, limits, None, refused.type)
    return _answer(booking, limits, part, _why(role, limits))


def _why(role: Role, limits: Allowed) -> str:
    if role is Role.CUSTOMER:
        return f"the policy gives back {limits.percent} % now"
    return "the provider and the operator may give back all that is left"


def _answer(booking: Booking, limits: Allowed, part: Breakdown | None, reason: str) -> Answer:
    code = booking.money.currency
    return {
        "bookingId": booking.id,
        "refundable": part is not None,
        "policy": booking.policy.as_document(),
        "refundPercent": limits.percent,
        "refundAmount": to_major(part.refund if part else 0, code),
        "platformFeeRefunded": to_major(part.fee_refunded if part else 0, code),
        "providerEarningsReversed": to_major(part.provider_reversed if part else 0, code),
        "providerCompensation": to_major(
            part.provider_share_after if part else booking.money.provider_share, code
        ),
        "currency": code,
        "reason": reason,
        "currentStatus": str(booking.status),
    }


def status(command: StatusRequest, context: Context) -> Answer:
    """The refund, or the booking's refunds in order; a pending one is asked after at Stripe.

    For a booking its refund disputes as well, with what either side said and what was decided.
    """
    if command.refund_id is not None:
        key = collections.refund(command.refund_id)
        found = context.read(key)[key]
        if found.data is None:
            raise Missing("refund")
        refund = _asked(Refund.load(found), context)
        return {**refund.as_json(), "refund": refund.as_json()}
    assert command.booking_id is not None
    key = collections.booking(command.booking_id)
    booking_for(context, context.read(key)[key])
    snapshots = context.services.store.query(
        "refunds",
        [("bookingId", "==", command.booking_id)],
        order=(("createdAt", "ASCENDING"),),
    )
    refunds = [_asked(Refund.load(snapshot), context) for snapshot in snapshots]
    return {
        "bookingId": command.booking_id,
        "refunds": [refund.as_json() for refund in refunds],
        "disputes": [dispute.as_json() for dispute in _disputes(command.booking_id, context)],
    }


def _disputes(booking_id: str, context: Context) -> list[RefundDispute]:
    found = context.services.store.query(
        "disputes", [("bookingId", "==", booking_id), ("kind", "==", KIND)]
    )
    return sorted((RefundDispute.load(one) for one in found), key=lambda one: one.opening.at)


def _asked(refund: Refund, context: Context) -> Refund:
    """The refund with Stripe's status of now, for somebody who may see it."""
    context.act(customer_id=refund.customer_id, provider_id=refund.provider_id, what="refund")
    if refund.stripe_refund_id is None:
        return refund
    stripe: dict[str, Any] = context.services.stripe.refund(refund.stripe_refund_id)
    return replace(refund, stripe_status=stripe["status"])
