"""What happens when a booking's payment has succeeded, whoever brings the news and how often.

The webhook, CONFIRM_BOOKING and the maintenance run all come here; the charge's ledger transaction
is what makes it happen once. Paid in time: confirmed. Paid after the hold ran out: confirmed if the
place is still free. Paid for a booking that is over: refunded in full, at once.
Source: contract, section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common import logs
from common.bookings import claims, documents, holds, payment, place, postings
from common.bookings.model import Booking
from common.bookings.payment import Paid
from common.bookings.status import Status
from common.context import Context
from common.ledger.posting import Posting, post
from common.operations import runner
from common.operations.model import Operation
from common.refunds.refund_operation import full_refund
from common.services.model import Service, ServiceMisconfigured, parse_service
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write

_IN_TIME = frozenset({Status.PENDING, Status.REQUESTED})


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


Documents = Mapping[Key, Snapshot]
Begun = tuple[Operation, Documents]


def _once(
    context: Context, booking_id: str, paid: Paid, why: str
) -> tuple[Booking | None, Begun | None]:
    key = collections.booking(booking_id)
    posted = collections.transaction(postings.charge_id_of(paid.charge_id))
    docs = context.read(key, posted, *_fee_keys(paid.charge))
    if docs[key].data is None:
        return None, None
    booking = documents.load(docs[key])
    if docs[posted].data is not None:
        return booking, None
    if known := [key for key in _fee_keys(booking.payment) if key not in docs]:
        docs = {**docs, **context.read(*known)}
    if not payment.matches(booking, paid):
        logs.logger().error("payment.amount_mismatch", bookingId=booking_id)
        return None, None
    if booking.status in _IN_TIME:
        confirmed = payment.confirmed(
            booking, paid, now=context.now, by=context.caller.actor, why=why
        )
        return _confirm(context, docs, confirmed, claims.firm(booking)), None
    if booking.status is Status.EXPIRED and (taken := _still_free(context, booking)) is not None:
        confirmed = payment.confirmed(
            booking, paid, now=context.now, by=context.caller.actor, why=why
        )
        return _confirm(context, docs, confirmed, taken), None
    return _give_back(context, docs, booking, paid)


def _fee_keys(charge: Mapping[str, Any]) -> tuple[Key, ...]:
    """The fee's posting: the charge's own events may have come first and written it."""
    transaction = charge.get("balanceTransactionId")
    return (collections.transaction(f"stripe_fee_{transaction}"),) if transaction else ()


def _confirm(context: Context, docs: Documents, booking: Booking, place: list[Write]) -> Booking:
    was = docs[collections.booking(booking.id)]
    writes = [*documents.change(was, booking), *place, *_booked(context, booking, docs)]
    after = context.commit(writes)
    return documents.load(after[was.key])


def _booked(context: Context, booking: Booking, docs: Documents) -> list[Write]:
    """The charge's posting, and Stripe's fee where it is known already."""
    charge = postings.charge(booking, str(booking.payment["chargeId"]))
    fee = known_fee(booking)
    return post(docs, charge, context.now) + (post(docs, fee, context.now) if fee else [])


def known_fee(booking: Booking) -> Posting | None:
    """The posting of Stripe's fee for a booking's charge, once Stripe has told it."""
    known = booking.payment
    if not known.get("balanceTransactionId") or not known.get("stripeFee"):
        return None
    return postings.stripe_fee(
        known["balanceTransactionId"],
        known["stripeFee"],
        booking.money.currency,
        postings.concerns(booking),
    )


def _still_free(context: Context, booking: Booking) -> list[Write] | None:
    """The writes that take a lapsed booking's place again; None where it is gone.

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
    holding = payment.received(booking, paid, context.now)
    refunding, refund, operation = full_refund(
        holding,
        refund_id=f"refund-late-{booking.id}",
        reason="paid_too_late",
        context_actor="system",
        action="LATE_PAYMENT",
        request_id=context.request_id,
        now=context.now,
    )
    writes = [
        *documents.change(docs[collections.booking(booking.id)], refunding),
        *_booked(context, holding, docs),
        refund.create(),
        operation.create(),
    ]
    return refunding, (operation, context.commit(writes))
