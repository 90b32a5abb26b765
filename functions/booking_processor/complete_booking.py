"""COMPLETE_BOOKING: the service is done; not before its end.

Source: contract, section 3.
"""

from __future__ import annotations

from common.auth.caller import Role
from common.bookings import attendance, completion
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.status import Status
from common.bookings.view import booking_as_json
from common.clock import rfc3339
from common.context import Answer, Context
from common.errors import Conflict, WrongState
from common.http.command import Command, Id
from common.store import collections


class Request(Command):
    """Which booking."""

    booking_id: Id


def handle(command: Request, context: Context) -> Answer:
    """The booking, completed; completing twice is completing once.

    Raises:
        Conflict: 409 ``too_early``, the service has not ended; ``not_checked_in``, it wants that.
        WrongState: 409, the booking is not one that can end.
    """
    context.notes["bookingId"] = command.booking_id
    return context.until_settled(lambda: _complete(command, context))


def _complete(command: Request, context: Context) -> Answer:
    key = collections.booking(command.booking_id)
    was = context.read(key)[key]
    booking, role = booking_for(context, was)
    if booking.status is Status.COMPLETED:
        return _answer(booking)
    if booking.status is not Status.CONFIRMED:
        raise WrongState("Only a confirmed booking can be completed", str(booking.status))
    if context.now < booking.end:
        raise Conflict(
            "The service has not ended yet; complete the booking after its end",
            type="too_early",
            end=rfc3339(booking.end),
        )
    if attendance.is_missed(booking) and role is not Role.OPERATOR:
        raise Conflict(
            "The customer was not checked in; check them in, or mark a no-show",
            type="not_checked_in",
        )
    done = completion.completed(
        booking,
        hold_hours=context.services.settings.payout_hold_hours,
        now=context.now,
        by=context.caller.actor,
        why=context.action,
    )
    answer = _answer(done)
    context.finish(completion.writes(was, done, context.now), answer)
    return answer


def _answer(booking: Booking) -> Answer:
    return {
        "bookingId": booking.id,
        "status": str(booking.status),
        "completedAt": rfc3339(booking.completed_at) if booking.completed_at else None,
        "booking": booking_as_json(booking),
    }
