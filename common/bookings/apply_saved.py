"""What happens when a request's payment method is saved, whoever brings the news and how often.

The webhook, CONFIRM_BOOKING and the maintenance run all come here.
Source: docs/requests.md.
"""

from __future__ import annotations

from common import logs
from common.bookings import claims, documents, saved_requests
from common.bookings.model import Booking
from common.bookings.saved_requests import Saved
from common.bookings.status import Status
from common.context import Context
from common.store import collections


def apply(context: Context, booking_id: str, what: Saved, why: str) -> Booking | None:
    """Make a PENDING request REQUESTED, with the time its provider has to answer.

    A booking that is over keeps its status: whoever ended it has written down that what was saved
    is to be forgotten.

    Returns:
        The booking as it now is; None where there is none or the setup intent is not its own.
    """
    return context.until_settled(lambda: _once(context, booking_id, what, why))


def _once(context: Context, booking_id: str, what: Saved, why: str) -> Booking | None:
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    if was.data is None:
        return None
    booking = documents.load(was)
    if not saved_requests.is_of(booking, what.setup_id):
        logs.logger().error("request.setup_of_another", bookingId=booking_id)
        return None
    if booking.status is not Status.PENDING:
        return booking
    waiting = saved_requests.requested(
        booking, what, now=context.now, by=context.caller.actor, why=why
    )
    writes = [*documents.change(was, waiting), *claims.until(waiting)]
    return documents.load(context.commit(writes)[key])
