"""The operation that begins to save a payment method, and the call that forgets it. Pure.

Source: contract, section 3 (CREATE_BOOKING of a REQUEST service);
https://docs.stripe.com/api/setup_intents/create.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.bookings import documents, payment_operations, saved_requests
from common.bookings.model import Booking
from common.operations.model import LEASE, Operation, Results, Settled, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot
from common.stripe_gateway.calls import Call

Documents = Mapping[Key, Snapshot]


def setup_id(booking_id: str) -> str:
    """The operation that makes a booking's setup intent."""
    return f"setup-{booking_id}"


def setup_operation(
    booking: Booking, customer: str, *, now: datetime, actor: str, action: str, request_id: str
) -> Operation:
    """The intent to ask Stripe for a setup intent that the customer confirms.

    Args:
        customer: Stripe's customer, whose payment method it becomes.
    """
    operation_id = setup_id(booking.id)
    params: dict[str, Any] = {
        "customer": customer,
        "usage": "off_session",
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
    call = Call("intent", "setup_intents.create", params, operation_id)
    return Operation(
        id=operation_id,
        kind="setup",
        stages=((call,),),
        plan={"bookingId": booking.id, "customer": customer},
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
    """The same."""
    return needs(operation)


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Record the setup intent on the booking; of one that is over, forget it."""
    was = docs[collections.booking(operation.plan["bookingId"])]
    booking = documents.load(was)
    setup = results["intent"].ok
    if setup is None:
        why = payment_operations.why(results["intent"])
        given_up = payment_operations.given_up(was, booking, now)
        return Settled(operation.became(State.FAILED, note=why), given_up)
    known = saved_requests.asked(booking, setup["id"], operation.plan["customer"])
    writes = documents.change(was, known)
    if known.status in payment_operations.OVER_UNPAID:
        writes += payment_operations.void_later(
            known, now=now, action=operation.action, request_id=operation.request_id
        )
    return Settled(operation.became(State.DONE), writes)
