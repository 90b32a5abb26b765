"""Operations on a booking's payment intent: make it, and void it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from common.bookings import claims, documents
from common.bookings.model import Booking
from common.bookings.status import Status
from common.operations.model import LEASE, Operation, Result, Results, Settled, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Snapshot, Write
from common.stripe_gateway.calls import Call

Documents = Mapping[Key, Snapshot]
#: Between two tries to cancel an intent that a bank is still working on.
PATIENCE = timedelta(hours=1)


def payment_id(booking_id: str, attempt: int = 1) -> str:
    """The operation that makes a booking's payment intent."""
    return f"payment-{booking_id}" if attempt == 1 else f"payment-{booking_id}-{attempt}"


def payment_operation(
    booking: Booking, *, attempt: int, now: datetime, actor: str, action: str, request_id: str
) -> Operation:
    """The intent to ask Stripe for a payment intent over exactly this booking's price.

    No payment method types are named: Stripe's dashboard decides, without redirects.
    """
    operation_id = payment_id(booking.id, attempt)
    params: dict[str, Any] = {
        "amount": booking.money.total,
        "currency": booking.money.currency.lower(),
        "transfer_group": booking.id,
        "receipt_email": booking.customer_email,
        "description": booking.title[:200],
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        **({"capture_method": "manual"} if booking.mode == "REQUEST" else {}),
        "metadata": {
            "bookingId": booking.id,
            "customerId": booking.customer_id,
            "providerId": booking.provider_id,
            "serviceId": booking.service_id,
            "operationId": operation_id,
            "requestId": request_id,
        },
    }
    call = Call("intent", "payment_intents.create", params, operation_id)
    return Operation(
        id=operation_id,
        kind="payment",
        stages=((call,),),
        plan={"bookingId": booking.id},
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


def void_operation(
    booking: Booking, *, now: datetime, actor: str, action: str, request_id: str
) -> Operation | None:
    """The intent to cancel an unpaid booking's payment intent; None where it has none."""
    intent_id = booking.payment.get("intentId")
    if not intent_id:
        return None
    operation_id = f"void-{intent_id}"
    params = {"cancellation_reason": "abandoned"}
    call = Call("void", "payment_intents.cancel", params, operation_id, target=str(intent_id))
    return Operation(
        id=operation_id,
        kind="void",
        stages=((call,),),
        plan={"bookingId": booking.id},
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation and its booking."""
    return operation.key, collections.booking(operation.plan["bookingId"])


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the index from the payment intent, which may stand already."""
    made = results.get("intent")
    index = (collections.payment_intent(made.ok["id"]),) if made is not None and made.ok else ()
    return (*needs(operation), *index)


def settle_created(
    operation: Operation, results: Results, docs: Documents, now: datetime
) -> Settled:
    """Record the payment intent on the booking, and the way back from it."""
    was = docs[collections.booking(operation.plan["bookingId"])]
    booking = documents.load(was)
    result = results["intent"]
    if result.ok is None:
        return Settled(
            operation.became(State.FAILED, note=_why(result)), _given_up(was, booking, now)
        )
    booking = _with_intent(booking, result.ok)
    writes = [*documents.change(was, booking), *_index(docs, result.ok["id"], booking.id)]
    if booking.status in _OVER_UNPAID:
        # Cancelled or lapsed while Stripe was asked: nobody shall pay for it any more.
        void = void_operation(
            booking,
            now=now,
            actor="system",
            action=operation.action,
            request_id=operation.request_id,
        )
        writes += [replace(void, lease_until=now).create()] if void else []
    return Settled(operation.became(State.DONE), writes)


_OVER_UNPAID = frozenset({Status.CANCELLED, Status.DECLINED, Status.EXPIRED})


def _with_intent(booking: Booking, intent: Mapping[str, Any]) -> Booking:
    """The booking with its payment intent; what an event said of this one meanwhile stays."""
    same = booking.payment.get("intentId") == intent["id"]
    told = booking.payment.get("intentStatus") if same else None
    known = {
        **booking.payment,
        "intentId": intent["id"],
        "intentStatus": told or intent["status"],
    }
    return replace(booking, payment=known)


def _given_up(was: Snapshot, booking: Booking, now: datetime) -> list[Write]:
    """A booking that can never be paid holds no place."""
    if booking.status is not Status.PENDING:
        return []
    cancelled = booking.moved(Status.CANCELLED, at=now, by="stripe", why="payment_refused")
    return [*documents.change(was, cancelled), *claims.release(booking)]


def _index(docs: Documents, intent_id: str, booking_id: str) -> list[Write]:
    key = collections.payment_intent(intent_id)
    seen = docs.get(key)
    stands = seen is not None and seen.data is not None
    return [] if stands else [Create(key, {"bookingId": booking_id})]


def settle_void(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Record that the intent is cancelled; one that was paid meanwhile is the payment's story."""
    was = docs[collections.booking(operation.plan["bookingId"])]
    booking = documents.load(was)
    result = results["void"]
    intent = result.ok or result.refused_body.get("payment_intent") or {}
    status = intent.get("status")
    if status is None:
        return Settled(operation.became(State.FAILED, note=_why(result)), [])
    known = {**booking.payment, "intentStatus": status}
    writes = documents.change(was, replace(booking, payment=known))
    if status == "canceled":
        return Settled(operation.became(State.DONE), writes)
    if status == "processing":
        return Settled(_later(operation, now), writes)
    return Settled(operation.became(State.FAILED, note=f"intent is {status}"), writes)


def _later(operation: Operation, now: datetime) -> Operation:
    """Ask again once the bank has answered, under a new key: the old one holds Stripe's no."""
    call = operation.stages[0][0]
    again = replace(call, idempotency_key=f"{operation.id}-{operation.attempts + 2}")
    return operation.became(
        State.WAITING, stages=((again,),), wake_at=now + PATIENCE, note="intent is processing"
    )


def _why(result: Result) -> str:
    return str(result.refused_code or result.refused_message or "refused")
