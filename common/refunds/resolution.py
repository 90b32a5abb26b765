"""What an operator's decision gives back of a booking, and out of whose part. Pure.

Source: contract, sections 3 (RESOLVE_REFUND_DISPUTE) and 4.
"""

from __future__ import annotations

from common.bookings.model import Booking
from common.bookings.status import Status
from common.errors import NotRefundable, RefusedAmount
from common.money import to_major
from common.refunds.amounts import Breakdown, refund_breakdown
from common.refunds.dispute import Decision, RefundDispute
from common.refunds.refund_operation import held_of, reserved

#: Where money may go back by a decision. Not DISPUTED: until the bank has decided it has the money.
_OPEN_TO = frozenset({Status.CONFIRMED, Status.COMPLETED, Status.CANCELLED, Status.REFUNDED})


def resolve(
    booking: Booking, dispute: RefundDispute, decision: Decision, asked: int | None
) -> Breakdown | None:
    """What a decision gives back.

    Args:
        asked: The amount that the operator names, minor units above 0; None: what was requested,
            less what has gone back since, else all that is left.

    Returns:
        None where nothing goes back: by the decision, or because it has all gone back since.

    Raises:
        RefusedAmount: 400 ``exceeds_remaining`` with ``allowed``.
        NotRefundable: the bank has the money, as long as the cardholder's dispute is open.
    """
    if decision is Decision.REJECTED:
        return None
    left = booking.money.remaining
    if asked is not None and asked > left:
        raise RefusedAmount(
            "The refund is more than what is left of the payment; lower the amount",
            type="exceeds_remaining",
            allowed=to_major(left, booking.money.currency),
        )
    wanted = asked if asked is not None else min(left, _still_requested(booking, dispute))
    if not wanted:
        return None
    if booking.status not in _OPEN_TO:
        raise NotRefundable(str(booking.status))
    return refund_breakdown(held_of(booking), wanted)


def _still_requested(booking: Booking, dispute: RefundDispute) -> int:
    """What was requested and has not gone back since (by a cancellation, a refund, the bank)."""
    requested = dispute.opening.requested
    if requested is None:
        return booking.money.remaining
    since = max(0, booking.money.refunded - dispute.refunded_before)
    return max(0, requested - since)


def set_aside(booking: Booking, part: Breakdown) -> Booking:
    """The booking with the decision's refund reserved.

    Where a compensation gave the provider more than the rate's part of the rest, they keep it as
    far as the rest reaches: the platform does not earn by giving money back.
    """
    after, money = reserved(booking, part), booking.money
    if booking.earned_at is None or money.due <= money.provider_share:
        return after
    return after.with_money(due=min(money.due, part.remaining_after))
