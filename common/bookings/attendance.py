"""Whether the customer came: checked in, or a no-show by the service's policy. Pure.

``Booking.attendance`` holds what the service said when it was booked, ``required`` (nothing is
completed by itself without a check-in) and ``noShowRefundPercent`` (of the total), and then
``checkedInAt`` or ``noShowAt``.
Source: contract, section 3 (``qrCode``); docs/check-in.md.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from common.bookings.cancellation_plan import Cancellation, earned
from common.bookings.model import Booking
from common.bookings.status import Status
from common.clock import rfc3339
from common.errors import BadRequest, Conflict, WrongState
from common.refunds.amounts import policy_refund, refund_breakdown
from common.refunds.refund_operation import held_of

#: People come early; not a day early.
OPENS_BEFORE_START = timedelta(hours=24)
#: A customer may be a little late before they have not come at all.
GRACE = timedelta(minutes=15)
_SIGNATURE_BYTES = 16


def token_of(booking_id: str, keys: Sequence[str]) -> str | None:
    """What a booking's QR image says: its id, signed with the newest key; None without a key."""
    return f"{booking_id}.{_signature(booking_id, keys[0])}" if keys else None


def require_token(booking_id: str, token: str, keys: Sequence[str]) -> None:
    """Refuse a token that is not this booking's, signed by one of our keys.

    Raises:
        BadRequest: 400 ``bad_check_in_token``.
    """
    genuine = [f"{booking_id}.{_signature(booking_id, key)}" for key in keys]
    if not any(hmac.compare_digest(one.encode(), token.encode()) for one in genuine):
        raise BadRequest(
            "This is not the booking's check-in code; scan the one on the customer's booking",
            type="bad_check_in_token",
        )


def _signature(booking_id: str, key: str) -> str:
    digest = hmac.new(key.encode(), f"check-in:{booking_id}".encode(), sha256).digest()
    return urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).rstrip(b"=").decode()


def is_open(booking: Booking) -> bool:
    """Whether the customer may still be checked in, sooner or later."""
    return booking.status is Status.CONFIRMED and not booking.attendance.get("checkedInAt")


def is_missed(booking: Booking) -> bool:
    """Whether a booking that is over by its time needs a check-in and has none."""
    return bool(booking.attendance.get("required")) and is_open(booking)


def checked_in(booking: Booking, now: datetime) -> Booking:
    """The booking whose customer has come. A check-in code counts once.

    Raises:
        WrongState: 409, it is not one that is about to take place.
        Conflict: 409 ``already_checked_in`` or ``too_early``.
    """
    if booking.status is not Status.CONFIRMED:
        raise WrongState("Only a confirmed booking's customer checks in", str(booking.status))
    if at := booking.attendance.get("checkedInAt"):
        raise Conflict(
            "This check-in code was used already",
            type="already_checked_in",
            checkedInAt=rfc3339(at),
        )
    opens = booking.start - OPENS_BEFORE_START
    if now < opens:
        raise Conflict(
            "Check-in opens a day before the start", type="too_early", opensAt=rfc3339(opens)
        )
    return replace(booking, attendance={**booking.attendance, "checkedInAt": now})


def no_show(booking: Booking, *, now: datetime, by: str, why: str) -> Cancellation:
    """The booking whose customer has not come: called off, refunded as the service says.

    Raises:
        WrongState: 409, it is not one that was about to take place, or all goes back already.
        Conflict: 409 ``already_checked_in`` or ``too_early``.
    """
    if booking.status is not Status.CONFIRMED or booking.giving_back:
        raise WrongState("Only a confirmed booking can be a no-show", str(booking.status))
    if at := booking.attendance.get("checkedInAt"):
        raise Conflict(
            "The customer was checked in", type="already_checked_in", checkedInAt=rfc3339(at)
        )
    late = booking.start + GRACE
    if now < late:
        raise Conflict(
            "The customer may still come; wait until a quarter of an hour after the start",
            type="too_early",
            opensAt=rfc3339(late),
        )
    over = booking.moved(Status.CANCELLED, at=now, by=by, why=why)
    missed = replace(over, attendance={**booking.attendance, "noShowAt": now})
    held = held_of(booking)
    back = policy_refund(held, int(booking.attendance.get("noShowRefundPercent", 0)))
    part = refund_breakdown(held, back)
    return Cancellation(earned(missed, part, now), part)
