"""The operation that charges what the customer of an accepted request has saved. Pure.

Source: contract, section 3 (CONFIRM_BOOKING of a REQUEST service);
https://docs.stripe.com/payments/save-and-reuse#charge-saved-payment-method.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.bookings import (
    claims,
    documents,
    payment,
    payment_effects,
    payment_operations,
    saved_requests,
)
from common.bookings.model import Booking
from common.bookings.status import Status
from common.operations.model import LEASE, Operation, Result, Results, Settled, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write
from common.stripe_gateway.calls import Call

Documents = Mapping[Key, Snapshot]


def charge_id(booking_id: str) -> str:
    """The operation that charges a booking's saved payment method; there is one, ever."""
    return f"charge-{booking_id}"


def charge_operation(
    booking: Booking, *, link: str, now: datetime, actor: str, action: str, request_id: str
) -> Operation:
    """The intent to charge exactly this booking's price, off session.

    Args:
        link: Where the customer pays if their bank does not let us.
    """
    operation_id = charge_id(booking.id)
    params: dict[str, Any] = {
        **payment_operations.price_of(booking, operation_id, request_id),
        "customer": booking.request["stripeCustomer"],
        "payment_method": booking.request["paymentMethod"],
        "off_session": True,
        "confirm": True,
        "expand": ["latest_charge.balance_transaction"],
    }
    call = Call("charge", "payment_intents.create", params, operation_id)
    return Operation(
        id=operation_id,
        kind="charge_saved",
        stages=((call,),),
        plan={"bookingId": booking.id, "paymentLink": link},
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


def barred(operation: Operation, docs: Documents) -> frozenset[str]:
    """Nothing is charged for a booking that was called off after it was accepted."""
    booking = documents.load(docs[collections.booking(operation.plan["bookingId"])])
    return frozenset() if booking.status is Status.REQUESTED else frozenset({"charge"})


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation and its booking."""
    return operation.key, collections.booking(operation.plan["bookingId"])


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the way back from the payment intent, and postings that its event may have written."""
    intent = _intent(results["charge"])
    if not intent:
        return needs(operation)
    paid = payment.paid(intent)
    posted = payment_effects.posting_keys(paid) if paid else ()
    return (*needs(operation), collections.payment_intent(intent["id"]), *posted)


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Confirm the booking, or let its customer pay; of one that is over, nothing is kept."""
    was = docs[collections.booking(operation.plan["bookingId"])]
    booking, result = documents.load(was), results["charge"]
    intent = _intent(result)
    index = payment_operations.index(docs, intent["id"], booking.id) if intent else []
    paid = payment.paid(intent) if intent else None
    if paid is not None:
        return _settle_paid(operation, booking, paid, docs, now, index)
    failed = operation.became(State.FAILED, note=str(result.refused_code or "unpaid"))
    if booking.status is Status.REQUESTED:
        error = result.refused_body or intent.get("last_payment_error") or {}
        link = operation.plan["paymentLink"]
        waiting = saved_requests.unpaid(booking, intent, error, link=link, now=now)
        return Settled(failed, [*documents.change(was, waiting), *claims.until(waiting), *index])
    if not intent or booking.status not in payment_operations.OVER_UNPAID:
        return Settled(failed, index)
    known = payment_operations.with_intent(booking, intent)
    void = payment_operations.void_later(
        known, now=now, action=operation.action, request_id=operation.request_id
    )
    return Settled(failed, [*documents.change(was, known), *index, *void])


def _settle_paid(
    operation: Operation,
    booking: Booking,
    paid: payment.Paid,
    docs: Documents,
    now: datetime,
    index: list[Write],
) -> Settled:
    done = operation.became(State.DONE)
    charge, *_ = payment_effects.posting_keys(paid)
    if charge in docs and docs[charge].data is not None:
        return Settled(done, index)  # the payment's own event came first
    if booking.status is Status.REQUESTED:
        place = claims.firm(booking)
        by, why = operation.actor, operation.action
        writes = payment_effects.confirmation(booking, paid, place, docs, now=now, by=by, why=why)
        return Settled(done, [*writes, *index])
    writes, _, refunding = payment_effects.return_of(
        booking, paid, docs, request_id=operation.request_id, now=now
    )
    return Settled(done, [*writes, *index], follow=(refunding,))


def _intent(result: Result) -> Mapping[str, Any]:
    """The payment intent in Stripe's answer, also in a bank's no; empty where none was made."""
    return result.ok or result.refused_body.get("payment_intent") or {}
