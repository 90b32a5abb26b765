"""What happens when a booking's payment has succeeded, whoever brings the news and how often.

The webhook, CONFIRM_BOOKING and the maintenance run all come here; the charge's ledger transaction
is what makes it happen once. Paid in time: confirmed. Paid after the hold ran out: confirmed if the
place is still free. Paid for a booking that is over: refunded in full, at once.
Source: contract, section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from common import logs
from common.bookings import claims, documents, holds, payment, place, postings
from common.bookings.model import Booking
from common.bookings.payment import Paid
from common.bookings.payment_effects import confirmation, fee_keys, posting_keys, return_of
from common.bookings.status import UNPAID, Status
from common.context import Context
from common.operations import runner
from common.operations.model import Operation
from common.services.model import Service, ServiceMisconfigured, parse_service
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write


def apply(context: Context, booking_id: str, paid: Paid, why: str) -> Booking | None:
    """Bring a successful payment to its booking.

    Returns:
        The booking as it now is; None where there is no such booking or the payment is not its
        price.
    """
    booking, refund = context.until_settled(lambda: _once(context, booking_id, paid, why))
    if refund is not None:
        operation, docs = refund
        _, docs = runner.run(context, operation, docs)
        return documents.load(docs[collections.booking(booking_id)])
    return booking


def apply_if_paid(context: Context, booking: Booking) -> None:
    """Ask Stripe about a payment intent that would not be cancelled, and bring what was paid."""
    intent_id = booking.payment.get("intentId")
    if not intent_id:
        return
    paid = payment.paid(context.services.stripe.payment_intent(str(intent_id)))
    if paid is not None:
        apply(context, booking.id, paid, context.action)


Documents = Mapping[Key, Snapshot]
Begun = tuple[Operation, Documents]


def _once(
    context: Context, booking_id: str, paid: Paid, why: str
) -> tuple[Booking | None, Begun | None]:
    key = collections.booking(booking_id)
    posted = collections.transaction(postings.charge_id_of(paid.charge_id))
    docs = context.read(key, *posting_keys(paid))
    if docs[key].data is None:
        return None, None
    booking = documents.load(docs[key])
    if docs[posted].data is not None:
        return booking, None
    if known := [key for key in fee_keys(booking.payment) if key not in docs]:
        docs = {**docs, **context.read(*known)}
    if not payment.matches(booking, paid):
        logs.logger().error("payment.amount_mismatch", bookingId=booking_id)
        return None, None
    place = _place(context, booking)
    if place is None:
        return _give_back(context, docs, booking, paid)
    writes = confirmation(
        booking, paid, place, docs, now=context.now, by=context.caller.actor, why=why
    )
    return documents.load(context.commit(writes)[key]), None


def _place(context: Context, booking: Booking) -> list[Write] | None:
    """The writes that give a paid booking its place for good; None where it gets none."""
    if booking.status in UNPAID and booking.keeps_place:
        return claims.firm(booking)
    if booking.status in UNPAID or booking.status is Status.EXPIRED:
        return still_free(context, booking)
    return None


def still_free(context: Context, booking: Booking) -> list[Write] | None:
    """The writes that take the place of a booking without one; None where it is gone.

    What the service says today of notice or opening hours does not matter: this time was sold.
    """
    if booking.start <= context.now:
        return None
    wanted = collections.service(booking.service_id)
    days = claims.keys(booking.service_id, booking.start, booking.occupied_until)
    docs = context.read(wanted, *days)
    if docs[wanted].data is None:
        return None
    try:
        service = parse_service(booking.service_id, docs[wanted].require())
    except ServiceMisconfigured:
        return None
    room = place.find(
        context, _as_sold(service), booking.start, booking.end, booking.group_size, docs
    )
    if not room.verdict.available:
        return None
    mine = replace(booking, hold_until=None)
    return [*claims.take(docs, mine, holds.lapsed_claims(room)), *holds.expire(room, context)]


def _as_sold(service: Service) -> Service:
    """The service with its room, and without the rules for new bookings."""
    return replace(
        service,
        active=True,
        weekly_hours=None,
        closed_dates=frozenset(),
        min_notice_minutes=0,
        max_advance_days=None,
        min_duration_minutes=None,
        max_duration_minutes=None,
        max_group_size=None,
    )


def _give_back(
    context: Context, docs: Documents, booking: Booking, paid: Paid
) -> tuple[Booking, Begun]:
    """The booking is over: take the money in the books and give all of it back."""
    writes, refunding, operation = return_of(
        booking, paid, docs, request_id=context.request_id, now=context.now
    )
    return refunding, (operation, context.commit(writes))
