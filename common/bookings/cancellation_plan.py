"""What calling a booking off means: who gets how much. Pure.

Source: contract, sections 3 (CANCEL_BOOKING) and 4 (policies, remainders).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from common.auth.caller import Role
from common.bookings.model import Booking
from common.bookings.status import Status
from common.errors import WrongState
from common.refunds.amounts import Breakdown, policy_refund, refund_breakdown
from common.refunds.refund_operation import held_of


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The booking called off, and how its money divides; no breakdown where none was paid."""

    booking: Booking
    part: Breakdown | None


def cancel(booking: Booking, role: Role, *, now: datetime, by: str) -> Cancellation:
    """Call a booking off: the policy decides for the customer, provider and operator give all back.

    Raises:
        WrongState: the table has no way from the booking's status to CANCELLED, or all of it is
            being given back.
    """
    if booking.giving_back:
        raise WrongState("All of this booking is being refunded", str(booking.status))
    over = booking.moved(Status.CANCELLED, at=now, by=by, why="CANCEL_BOOKING")
    if not booking.money.captured:
        return Cancellation(replace(over, hold_until=None), None)
    held = held_of(booking)
    percent = booking.policy.percent_at(booking.start, now)
    back = policy_refund(held, percent) if role is Role.CUSTOMER else held.remaining
    part = refund_breakdown(held, back)
    return Cancellation(earned(over, part, now), part)


def earned(booking: Booking, part: Breakdown, now: datetime) -> Booking:
    """The booking with its refund set aside and the rest earned at once."""
    settled = booking.with_money(
        refunded=booking.money.refunded + part.refund,
        fee_refunded=booking.money.fee_refunded + part.fee_refunded,
        due=part.provider_share_after,
    )
    return replace(settled, earned_at=booking.earned_at or now, eligible_at=now)
