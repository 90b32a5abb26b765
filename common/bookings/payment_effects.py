"""What a payment that succeeded makes of its booking: confirmed, or given back. Pure.

Source: contract, section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from common.bookings import documents, payment, postings
from common.bookings.model import Booking
from common.bookings.payment import Paid
from common.ledger import exchange
from common.ledger.posting import Posting, post
from common.operations.model import Operation
from common.refunds.refund_operation import full_refund
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write

Documents = Mapping[Key, Snapshot]


def posting_keys(paid: Paid) -> tuple[Key, ...]:
    """The ledger transactions that a payment makes: the charge, and what else is told of it."""
    charge = collections.transaction(postings.charge_id_of(paid.charge_id))
    return (charge, *fee_keys(paid.charge))


def fee_keys(charge: Mapping[str, object]) -> tuple[Key, ...]:
    """What the charge's balance transaction makes: its own events may have come first and written
    it."""
    transaction = charge.get("balanceTransactionId")
    if not transaction:
        return ()
    exchanged = exchange.keys(str(transaction)) if charge.get("settlement") else ()
    return (collections.transaction(f"stripe_fee_{transaction}"), *exchanged)


def confirmation(
    booking: Booking,
    paid: Paid,
    place: Sequence[Write],
    docs: Documents,
    *,
    now: datetime,
    by: str,
    why: str,
) -> list[Write]:
    """The writes that make the booking paid and standing.

    Args:
        place: The writes that give it its place for good.
    """
    confirmed = payment.confirmed(booking, paid, now=now, by=by, why=why)
    was = docs[collections.booking(booking.id)]
    return [*documents.change(was, confirmed), *place, *booked(confirmed, docs, now)]


def return_of(
    booking: Booking, paid: Paid, docs: Documents, *, request_id: str, now: datetime
) -> tuple[list[Write], Booking, Operation]:
    """The writes that take the money of a booking that is over in the books, to give it all back.

    Returns:
        The writes, the booking they leave, and the refund's operation that is among them.
    """
    holding = payment.received(booking, paid, now)
    refunding, refund, operation = full_refund(
        holding,
        refund_id=f"refund-late-{booking.id}",
        reason="paid_too_late",
        context_actor="system",
        action="LATE_PAYMENT",
        request_id=request_id,
        now=now,
    )
    writes = [
        *documents.change(docs[collections.booking(booking.id)], refunding),
        *booked(holding, docs, now),
        refund.create(),
        operation.create(),
    ]
    return writes, refunding, operation


def booked(booking: Booking, docs: Documents, now: datetime) -> list[Write]:
    """The charge's posting, and those of its balance transaction where that is known already."""
    charge = postings.charge(booking, str(booking.payment["chargeId"]))
    return [write for one in (charge, *told_later(booking)) for write in post(docs, one, now)]


def told_later(booking: Booking) -> tuple[Posting, ...]:
    """The postings of what Stripe tells of a booking's charge by its balance transaction: into what
    it was exchanged, if at all, and its fee, which is in the currency that was settled."""
    known, code, about = booking.payment, booking.money.currency, postings.concerns(booking)
    transaction = known.get("balanceTransactionId")
    if not transaction:
        return ()
    exchanged: tuple[Posting, ...] = ()
    if settled := known.get("settlement"):
        exchanged = exchange.postings(
            transaction,
            amount=booking.money.total,
            code=code,
            settled=settled["amount"],
            into=settled["currency"],
            rate=settled["rate"],
            about=about,
        )
        code = settled["currency"]
    if not known.get("stripeFee"):
        return exchanged
    return (*exchanged, postings.stripe_fee(transaction, known["stripeFee"], code, about))
