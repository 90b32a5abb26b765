"""A booking for somebody who may see it."""

from __future__ import annotations

from common.auth.caller import Role
from common.bookings import documents
from common.bookings.model import Booking
from common.context import Context
from common.errors import Missing
from common.store.store import Snapshot


def booking_for(context: Context, snapshot: Snapshot) -> tuple[Booking, Role]:
    """The booking, and as whom the caller acts on it, by the action's row in the access table.

    Raises:
        Missing: there is none, or the caller may not know of it.
        Forbidden: the caller is a party and this is not theirs to do.
    """
    if snapshot.data is None:
        raise Missing("booking")
    booking = documents.load(snapshot)
    role = context.act(
        customer_id=booking.customer_id, provider_id=booking.provider_id, what="booking"
    )
    return booking, role
