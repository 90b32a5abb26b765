"""Who may refund how much of a booking, and what it leaves. Pure.

Source: guide, section 5; contract, sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from common.auth.caller import Role
from common.bookings.cancellation_plan import earned
from common.bookings.model import Booking
from common.bookings.status import Status
from common.disputes import card_dispute
from common.errors import NotRefundable, RefusedAmount
from common.money import to_major
from common.refunds.amounts import (
    Breakdown,
    CompensationOutOfRange,
    RefundTooLarge,
    policy_refund,
    refund_breakdown,
)
from common.refunds.refund_operation import held_of, reserved

#: Over, with everything given back that was paid.
_GIVEN_BACK = frozenset({Status.REFUNDED, Status.EXPIRED, Status.DECLINED})


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a caller may have refunded, minor units.

    Attributes:
        percent: What the policy gives now, of the total.
        most: The largest refund this caller may ask for.
        usual: What they get if they name no amount.
    """

    percent: int
    most: int
    usual: int


def refundable(booking: Booking, role: Role) -> bool:
    """Whether this caller may have anything of the booking refunded now."""
    if booking.giving_back:
        return False
    if booking.status is Status.CONFIRMED:
        return True
    if role is not Role.OPERATOR:
        return False
    return booking.status is Status.COMPLETED or _failed_before(booking)


def _failed_before(booking: Booking) -> bool:
    """Whether a booking that is over has money with us because its refund failed."""
    if booking.status is Status.CANCELLED:
        return booking.money.unreturned > 0
    return booking.status in _GIVEN_BACK and booking.money.remaining > 0


def allowed(booking: Booking, role: Role, now: datetime) -> Allowed:
    """The caller's limits: the policy for the customer, what is left for provider and operator."""
    held = held_of(booking)
    percent = booking.policy.percent_at(booking.start, now)
    by_policy = policy_refund(held, percent)
    # What a failed refund left with us goes first: it is held, the rest is earned.
    left = booking.money.unreturned or held.remaining
    most = by_policy if role is Role.CUSTOMER else left
    return Allowed(percent, most, most)


def breakdown(
    booking: Booking, role: Role, now: datetime, amount: int | None, compensation: int | None = None
) -> Breakdown:
    """How a refund divides.

    Raises:
        NotRefundable: the booking's state allows none (to this caller).
        RefusedAmount: 400 ``exceeds_policy`` or ``exceeds_remaining`` with ``allowed``;
            ``nothing_to_refund``; ``compensation_out_of_range``.
    """
    if not refundable(booking, role):
        raise NotRefundable(str(booking.status), card_dispute.no_refund_because(booking))
    limits = allowed(booking, role, now)
    code = booking.money.currency
    wanted = limits.usual if amount is None else amount
    if amount is None and compensation is not None:
        wanted = max(0, wanted - compensation)
    held = held_of(booking)
    if compensation is not None and (booking.money.unreturned or _failed_before(booking)):
        raise RefusedAmount(
            "An earlier refund failed: give that back first, without a providerCompensation",
            type="compensation_decided",
            allowed=to_major(limits.most, code),
        )
    if wanted > limits.most:
        kind = "exceeds_policy" if role is Role.CUSTOMER else "exceeds_remaining"
        raise RefusedAmount(
            "The refund is more than what can be given back; lower the amount",
            type=kind,
            allowed=to_major(limits.most, code),
        )
    if wanted == 0 and compensation is None:
        kind = "exceeds_policy" if role is Role.CUSTOMER else "nothing_to_refund"
        raise RefusedAmount(
            "Nothing of this booking can be given back now", type=kind, allowed=to_major(0, code)
        )
    try:
        return refund_breakdown(held, wanted, compensation)
    except RefundTooLarge as error:
        raise RefusedAmount(
            "The refund is more than what is left of the payment",
            type="exceeds_remaining",
            allowed=to_major(error.remaining, code),
        ) from None
    except CompensationOutOfRange as error:
        raise RefusedAmount(
            "The compensation is more than what the refund leaves",
            type="compensation_out_of_range",
            allowed=to_major(error.maximum, code),
        ) from None


def apply(booking: Booking, part: Breakdown, *, now: datetime, by: str, why: str) -> Booking:
    """The booking with the refund set aside.

    With a compensation it is CANCELLED and the rest is earned at once. Otherwise it stays as it is:
    REFUNDED it is when Stripe has taken a refund that leaves nothing (``outcome.given_back``).
    """
    if part.compensation is not None:
        over = booking.moved(Status.CANCELLED, at=now, by=by, why=why)
        return earned(over, part, now)
    return reserved(booking, part)
