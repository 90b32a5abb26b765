"""The operation that captures an accepted request's payment. Pure.

Source: contract, section 3 (CONFIRM_BOOKING of a REQUEST service);
https://docs.stripe.com/api/payment_intents/capture.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.bookings import claims, documents, payment, payment_effects, requests
from common.bookings.model import Booking
from common.bookings.status import Status
from common.operations.model import LEASE, Operation, Result, Results, Settled, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot
from common.stripe_gateway.calls import Call

Documents = Mapping[Key, Snapshot]


def capture_id(booking_id: str) -> str:
    """The operation that captures a booking's payment."""
    return f"capture-{booking_id}"


def capture_operation(
    booking: Booking, *, now: datetime, actor: str, action: str, request_id: str
) -> Operation:
    """The intent to take what the bank has set aside, all of it."""
    operation_id = capture_id(booking.id)
    params = {"expand": ["latest_charge.balance_transaction"]}
    intent_id = str(booking.payment["intentId"])
    call = Call("capture", "payment_intents.capture", params, operation_id, target=intent_id)
    return Operation(
        id=operation_id,
        kind="capture",
        stages=((call,),),
        plan={"bookingId": booking.id},
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


def barred(operation: Operation, docs: Documents) -> frozenset[str]:
    """Nothing is captured for a booking that was called off after it was accepted."""
    booking = documents.load(docs[collections.booking(operation.plan["bookingId"])])
    return frozenset() if booking.status is Status.REQUESTED else frozenset({"capture"})


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation and its booking."""
    return operation.key, collections.booking(operation.plan["bookingId"])


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the postings, which the payment's own event may have written first."""
    result = results.get("capture")
    paid = payment.paid(_intent(result)) if result is not None and _intent(result) else None
    return (*needs(operation), *(payment_effects.posting_keys(paid) if paid else ()))


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Confirm the booking; give the money back if it is over; end it if the bank has let go."""
    was = docs[collections.booking(operation.plan["bookingId"])]
    booking = documents.load(was)
    result = results["capture"]
    intent = _intent(result)
    paid = payment.paid(intent) if intent else None
    if paid is not None:
        return _settle_paid(operation, booking, paid, docs, now)
    failed = operation.became(State.FAILED, note=str(result.refused_code or "refused"))
    if intent.get("status") != "canceled" or booking.status is not Status.REQUESTED:
        return Settled(failed, [])
    over = requests.lapsed(booking, now=now, by="stripe", why="authorization_lapsed")
    return Settled(failed, [*documents.change(was, over), *claims.release(booking)])


def _settle_paid(
    operation: Operation, booking: Booking, paid: payment.Paid, docs: Documents, now: datetime
) -> Settled:
    done = operation.became(State.DONE)
    charge, *_ = payment_effects.posting_keys(paid)
    if charge in docs and docs[charge].data is not None:
        return Settled(done, [])  # the payment's own event came first
    if booking.status is Status.REQUESTED:
        writes = payment_effects.confirmation(
            booking,
            paid,
            claims.firm(booking),
            docs,
            now=now,
            by=operation.actor,
            why=operation.action,
        )
        return Settled(done, writes)
    writes, _, refunding = payment_effects.return_of(
        booking, paid, docs, request_id=operation.request_id, now=now
    )
    return Settled(done, writes, follow=(refunding,))


def _intent(result: Result) -> Mapping[str, Any]:
    """The payment intent as Stripe's answer shows it, also where it refused; empty where not."""
    return result.ok or result.refused_body.get("payment_intent") or {}
