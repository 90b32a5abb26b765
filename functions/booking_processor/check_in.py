"""CHECK_IN: the provider scans the customer's code at the door.

Source: contract, section 3 (``qrCode``); docs/check-in.md.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from common.auth.caller import Role
from common.bookings import attendance, documents
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.view import booking_as_json
from common.clock import rfc3339
from common.context import Answer, Context
from common.errors import InvalidFields
from common.http.command import Command, Id, Text
from common.store import collections


class Request(Command):
    """Which booking, and what the customer's code says; an operator may do without."""

    booking_id: Id
    token: Annotated[Text, Field(min_length=1, max_length=300)] | None = None


def handle(command: Request, context: Context) -> Answer:
    """The booking with the instant of arrival.

    Raises:
        BadRequest: 400 ``bad_check_in_token``.
        Conflict: 409 ``already_checked_in`` or ``too_early``.
    """
    context.notes["bookingId"] = command.booking_id
    return context.until_settled(lambda: _check_in(command, context))


def _check_in(command: Request, context: Context) -> Answer:
    key = collections.booking(command.booking_id)
    was = context.read(key)[key]
    booking, role = booking_for(context, was)
    if command.token is not None:
        keys = context.services.settings.check_in_keys
        attendance.require_token(booking.id, command.token, keys)
    elif role is not Role.OPERATOR:
        raise InvalidFields([("token", "is required: what the customer's check-in code says")])
    after = attendance.checked_in(booking, context.now)
    answer = {
        "bookingId": after.id,
        "status": str(after.status),
        "checkedInAt": rfc3339(context.now),
        "booking": booking_as_json(after),
    }
    context.finish(documents.change(was, after), answer)
    return answer


def code_for(booking: Booking, context: Context) -> dict[str, Any] | None:
    """The customer's own check-in code, as text and as an image; None where none is of use now."""
    token = attendance.token_of(booking.id, context.services.settings.check_in_keys)
    if token is None or not attendance.is_open(booking):
        return None
    import segno

    image = segno.make(token, error="m", micro=False)
    return {
        "token": token,
        "qrSvg": image.svg_inline(scale=4),
        "opensAt": rfc3339(booking.start - attendance.OPENS_BEFORE_START),
    }
