"""An early fraud warning: refund before the cardholder disputes, where that is cheaper. Pure.

Most warnings that nothing is done about become disputes; one costs Stripe's fee whoever wins it.
Source: contract, section 4; https://docs.stripe.com/disputes/how-disputes-work#early-fraud-warnings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.bookings.model import Booking
from common.bookings.status import Status

HOLD = "fraud_warning"
#: Where the money is ours to give back. Not DISPUTED: then the dispute is there already.
_OURS = frozenset({Status.CONFIRMED, Status.COMPLETED, Status.CANCELLED})


def held(booking: Booking, warning: Mapping[str, Any]) -> Booking:
    """The booking with its earnings held for a warning."""
    return booking.held_by(HOLD, warning["id"])


def cheaper_to_refund(
    booking: Booking, warning: Mapping[str, Any], dispute_fees: Mapping[str, int]
) -> bool:
    """Whether all that is left of a payment goes back at once.

    It does where that is no more than the fee of a dispute, which would take the fee and perhaps
    the payment as well.

    Args:
        warning: Stripe's object; one that is not ``actionable`` has been disputed or refunded.
        dispute_fees: What a dispute costs, minor units by currency; others are never refunded so.
    """
    if not warning.get("actionable", True) or booking.is_held("dispute"):
        return False
    left, fee = booking.money.remaining, dispute_fees.get(booking.money.currency, 0)
    return booking.status in _OURS and 0 < left <= fee
