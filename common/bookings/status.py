"""A booking's statuses and every transition there is. The code follows this table.

Source: contract, sections 3 to 5; invariant I12.
"""

from __future__ import annotations

from enum import StrEnum

from common.errors import WrongState


class Status(StrEnum):
    """Where a booking stands."""

    PENDING = "PENDING"  # made, place held, not paid yet
    REQUESTED = "REQUESTED"  # payment authorised, the provider has not answered yet
    CONFIRMED = "CONFIRMED"  # paid; we hold the money
    COMPLETED = "COMPLETED"  # the service is done; the provider has earned their part
    CANCELLED = "CANCELLED"  # called off; refunded by policy, the rest earned
    DECLINED = "DECLINED"  # the provider refused a request
    EXPIRED = "EXPIRED"  # not paid in time; the place is free again
    REFUNDED = "REFUNDED"  # everything given back
    DISPUTED = "DISPUTED"  # the cardholder disputes the charge; the money is frozen


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(
        {Status.CONFIRMED, Status.REQUESTED, Status.CANCELLED, Status.EXPIRED}
    ),
    Status.REQUESTED: frozenset(
        {Status.CONFIRMED, Status.DECLINED, Status.CANCELLED, Status.EXPIRED}
    ),
    # Paid after its hold ran out, and the place still free.
    Status.EXPIRED: frozenset({Status.CONFIRMED}),
    Status.CONFIRMED: frozenset(
        {Status.COMPLETED, Status.CANCELLED, Status.REFUNDED, Status.DISPUTED}
    ),
    # Cancelled: an operator refunds a part and says what the provider keeps.
    Status.COMPLETED: frozenset({Status.CANCELLED, Status.REFUNDED, Status.DISPUTED}),
    # Won or withdrawn: back to where it was; lost: refunded by the bank.
    Status.DISPUTED: frozenset({Status.CONFIRMED, Status.COMPLETED, Status.REFUNDED}),
    Status.CANCELLED: frozenset(),
    Status.DECLINED: frozenset(),
    Status.REFUNDED: frozenset(),
}

#: Statuses in which nothing was paid yet and the booking lapses unless somebody acts.
UNPAID = frozenset({Status.PENDING, Status.REQUESTED})
#: Statuses in which a booking has its place.
KEEPS_PLACE = frozenset(
    {Status.PENDING, Status.REQUESTED, Status.CONFIRMED, Status.COMPLETED, Status.DISPUTED}
)


def require_transition(now: Status, then: Status) -> None:
    """Refuse a step that is not in the table.

    Raises:
        WrongState: 409 with ``currentStatus``.
    """
    if then not in TRANSITIONS[now]:
        raise WrongState(f"A booking that is {now} cannot become {then}", str(now))
