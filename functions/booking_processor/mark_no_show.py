"""MARK_NO_SHOW: the customer did not come; the service's own policy says what goes back.

Source: docs/check-in.md.
"""

from __future__ import annotations

from common.bookings import attendance
from common.bookings.access import booking_for
from common.bookings.status import Status
from common.context import Answer, Context
from common.http.command import Command, Id
from common.store import collections
from common.store.collections import Key
from functions.booking_processor import calling_off
from functions.booking_processor.calling_off import Begun

REASON = "no_show"


class Request(Command):
    """Which booking."""

    booking_id: Id


def handle(command: Request, context: Context) -> Answer:
    """The booking, called off, as CANCEL_BOOKING answers; marking twice is marking once.

    Raises:
        WrongState: 409, the booking is not one that was about to take place.
        Conflict: 409 ``already_checked_in``, or ``too_early`` within the customer's grace.
    """
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    begun = context.until_settled(lambda: _begin(context, key))
    return calling_off.carry_out(context, begun, key)


def _begin(context: Context, key: Key) -> Begun:
    docs = context.read(key)
    booking, _ = booking_for(context, docs[key])
    if booking.status is Status.CANCELLED and booking.attendance.get("noShowAt"):
        return calling_off.left_open(context, booking, docs)
    plan = attendance.no_show(booking, now=context.now, by=context.caller.actor, why=context.action)
    return calling_off.begin(context, docs[key], plan, REASON)


def missed(context: Context, booking_id: str) -> bool:
    """The same for a booking that needed a check-in and is over without one (maintenance)."""
    key = collections.booking(booking_id)

    def begin() -> Begun | None:
        docs = context.read(key)
        booking = calling_off.booking_in(docs, key)
        if not attendance.is_missed(booking) or context.now < booking.end or booking.giving_back:
            return None
        plan = attendance.no_show(
            booking, now=context.now, by=context.caller.actor, why=context.action
        )
        return calling_off.begin(context, docs[key], plan, REASON)

    begun = context.until_settled(begin)
    if begun is not None:
        calling_off.carry_out(context, begun, key)
    return begun is not None
