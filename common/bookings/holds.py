"""Holds that have lapsed: whoever takes such a place ends the booking that held it with it."""

from __future__ import annotations

from common.bookings import claims, documents, payment_operations
from common.bookings.calendar import Claim
from common.bookings.place import Place
from common.bookings.status import Status
from common.context import Context
from common.store.store import Write


def lapsed_claims(place: Place) -> list[Claim]:
    """The claims that a place counts as free."""
    return [claims.of_booking(booking) for _, booking in place.lapsed]


def expire(place: Place, context: Context) -> list[Write]:
    """The writes that end the bookings whose lapsed holds a place counts as free.

    Their payment intents are left to operations of their own, which the maintenance run makes.
    """
    writes: list[Write] = []
    for was, booking in place.lapsed:
        expired = booking.moved(Status.EXPIRED, at=context.now, by="system", why="hold_lapsed")
        writes += documents.change(was, expired)
        writes += payment_operations.void_later(
            booking, now=context.now, action="EXPIRE_HOLD", request_id=context.request_id
        )
    return writes
