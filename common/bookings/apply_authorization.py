"""What happens when a request's payment is authorised, whoever brings the news and how often.

Source: contract, sections 3 and 5 (``bookingMode``).
"""

from __future__ import annotations

from common import logs
from common.bookings import claims, documents, requests
from common.bookings.model import Booking
from common.bookings.requests import Authorized
from common.bookings.status import Status
from common.context import Context
from common.store import collections


def apply(context: Context, booking_id: str, authorization: Authorized, why: str) -> Booking | None:
    """Make a PENDING request REQUESTED, with the time its provider has to answer.

    A booking that is over keeps its status: whoever ended it has written down that its payment
    intent is to be cancelled.

    Returns:
        The booking as it now is; None where there is none or the amount is not its price.
    """
    return context.until_settled(lambda: _once(context, booking_id, authorization, why))


def _once(context: Context, booking_id: str, authorization: Authorized, why: str) -> Booking | None:
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    if was.data is None:
        return None
    booking = documents.load(was)
    if not requests.matches(booking, authorization) or not requests.is_request(booking):
        logs.logger().error("payment.amount_mismatch", bookingId=booking_id)
        return None
    if booking.status is not Status.PENDING:
        return booking
    waiting = requests.requested(
        booking, authorization, now=context.now, by=context.caller.actor, why=why
    )
    writes = [*documents.change(was, waiting), *claims.until(waiting)]
    return documents.load(context.commit(writes)[key])
