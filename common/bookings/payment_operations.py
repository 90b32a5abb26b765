"""Operations on a booking's payment intent: make it, and void it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from common.bookings import claims, documents, saved_requests
from common.bookings.model import Booking
from common.bookings.status import Status
from common.operations.model import LEASE, Operation, Result, Results, Settled, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Snapshot, Write
from common.stripe_gateway.calls import Call
from common.stripe_gateway.objects import id_of

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
    params = price_of(booking, operation_id, request_id)
    if booking.mode == "REQUEST" and not saved_requests.is_saved(booking):
        params["capture_method"] = "manual"  # one that was accepted already is paid at once
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


def price_of(booking: Booking, operation_id: str, request_id: str) -> dict[str, Any]:
    """Stripe's parameters of every payment intent over a booking's price."""
    return {
        "amount": booking.money.total,
        "currency": booking.money.currency.lower(),
        "transfer_group": booking.id,
        "receipt_email": booking.customer_email,
        "description": booking.title[:200],
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {
            "bookingId": booking.id,
            "customerId": booking.customer_id,
            "providerId": booking.provider_id,
            "serviceId": booking.service_id,
            "operationId": operation_id,
            "requestId": request_id,
        },
    }


def void_id(booking: Booking) -> str | None:
    """The operation that lets an unpaid booking's payment go; None where Stripe has none."""
    what = booking.payment.get("intentId") or booking.request.get("setupIntentId")
    return f"void-{what}" if what else None


def void_operation(
    booking: Booking, *, now: datetime, actor: str, action: str, request_id: str
) -> Operation | None:
    """The intent to cancel an unpaid booking's payment intent, and to forget what was saved for it;
    None where Stripe has neither."""
    operation_id = void_id(booking)
    if operation_id is None:
        return None
    intent_id = booking.payment.get("intentId")
    stages: list[tuple[Call, ...]] = []
    if intent_id:
        params = {"cancellation_reason": "abandoned"}
        cancel = Call("void", "payment_intents.cancel", params, operation_id, target=str(intent_id))
        stages.append((cancel,))
    if booking.request.get("setupIntentId"):
        stages.append((_forget(booking),))
    return Operation(
        id=operation_id,
        kind="void",
        stages=tuple(stages),
        plan={"bookingId": booking.id},
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


def void_later(booking: Booking, *, now: datetime, action: str, request_id: str) -> list[Write]:
    """The write that leaves the same to the maintenance run, which need not wait for a lease."""
    void = void_operation(booking, now=now, actor="system", action=action, request_id=request_id)
    return [replace(void, lease_until=now).create()] if void else []


def forget_later(booking: Booking, *, now: datetime, action: str, request_id: str) -> list[Write]:
    """The same where the payment intent is gone already, and only what was saved is left."""
    without = {**booking.payment, "intentId": None}
    return void_later(
        replace(booking, payment=without), now=now, action=action, request_id=request_id
    )


def _forget(booking: Booking) -> Call:
    """The call that lets a saved payment method go, or keeps one from being saved."""
    setup, method = booking.request["setupIntentId"], booking.request.get("paymentMethod")
    if method:
        return _detach(str(method))
    params = {"cancellation_reason": "abandoned"}
    return Call("forget", "setup_intents.cancel", params, f"forget-{setup}", target=str(setup))


def _detach(method: str) -> Call:
    return Call("forget", "payment_methods.detach", {}, f"detach-{method}", target=method)


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
            operation.became(State.FAILED, note=why(result)), given_up(was, booking, now)
        )
    booking = with_intent(booking, result.ok)
    writes = [*documents.change(was, booking), *index(docs, result.ok["id"], booking.id)]
    if booking.status in OVER_UNPAID:
        # Cancelled or lapsed while Stripe was asked: nobody shall pay for it any more.
        writes += void_later(
            booking, now=now, action=operation.action, request_id=operation.request_id
        )
    return Settled(operation.became(State.DONE), writes)


#: Over, and nothing was paid: nobody shall pay for it any more.
OVER_UNPAID = frozenset({Status.CANCELLED, Status.DECLINED, Status.EXPIRED})


def with_intent(booking: Booking, intent: Mapping[str, Any]) -> Booking:
    """The booking with its payment intent; what an event said of this one meanwhile stays."""
    same = booking.payment.get("intentId") == intent["id"]
    told = booking.payment.get("intentStatus") if same else None
    known = {
        **booking.payment,
        "intentId": intent["id"],
        "intentStatus": told or intent["status"],
    }
    return replace(booking, payment=known)


def given_up(was: Snapshot, booking: Booking, now: datetime) -> list[Write]:
    """A booking that can never be paid holds no place."""
    if booking.status is not Status.PENDING:
        return []
    cancelled = booking.moved(Status.CANCELLED, at=now, by="stripe", why="payment_refused")
    return [*documents.change(was, cancelled), *claims.release(booking)]


def index(docs: Documents, intent_id: str, booking_id: str) -> list[Write]:
    """The way from a payment intent to its booking, if it does not stand yet."""
    key = collections.payment_intent(intent_id)
    seen = docs.get(key)
    stands = seen is not None and seen.data is not None
    return [] if stands else [Create(key, {"bookingId": booking_id})]


def settle_void(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Record that the intent is cancelled; one that was paid meanwhile is the payment's story."""
    if "void" not in results:
        return _settle_forgotten(operation, results["forget"])
    was = docs[collections.booking(operation.plan["bookingId"])]
    booking = documents.load(was)
    result = results["void"]
    intent = result.ok or result.refused_body.get("payment_intent") or {}
    status = intent.get("status")
    if status is None:
        return Settled(operation.became(State.FAILED, note=why(result)), [])
    known = {**booking.payment, "intentStatus": status}
    writes = documents.change(was, replace(booking, payment=known))
    if status == "canceled":
        if len(operation.stages) > len(results):  # it was cancelled before: Stripe said no to that
            return Settled(operation.became(State.OPEN, stages=operation.stages[1:]), writes)
        return Settled(operation.became(State.DONE), writes)
    if status == "processing":
        return Settled(_later(operation, now), writes)
    return Settled(operation.became(State.FAILED, note=f"intent is {status}"), writes)


def _settle_forgotten(operation: Operation, result: Result) -> Settled:
    """A payment method that was saved a moment before its setup intent was cancelled goes, too."""
    setup = result.refused_body.get("setup_intent") or {}
    method = id_of(setup.get("payment_method"))
    if result.ok is not None or setup.get("status") == "canceled":
        return Settled(operation.became(State.DONE), [])
    if setup.get("status") == "succeeded" and method is not None:
        return Settled(operation.became(State.OPEN, stages=((_detach(method),),)), [])
    return Settled(operation.became(State.FAILED, note=why(result)), [])


def _later(operation: Operation, now: datetime) -> Operation:
    """Ask again once the bank has answered, under a new key: the old one holds Stripe's no."""
    call = operation.stages[0][0]
    again = replace(call, idempotency_key=f"{operation.id}-{operation.attempts + 2}")
    stages = ((again,), *operation.stages[1:])
    return operation.became(
        State.WAITING, stages=stages, wake_at=now + PATIENCE, note="intent is processing"
    )


def why(result: Result) -> str:
    """Stripe's no in a word, for the operation's note."""
    return str(result.refused_code or result.refused_message or "refused")
