"""The operation that only takes a provider's part back: the customer has theirs already.

For refunds made at Stripe directly and for lost disputes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from common.bookings import documents
from common.bookings.model import Booking
from common.operations.model import LEASE, Operation, Results, Settled, State
from common.refunds import clawback
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot


def clawback_operation(
    booking: Booking, operation_id: str, *, action: str, request_id: str, now: datetime
) -> Operation | None:
    """The intent to reverse what the provider has beyond their due; None where that is nothing.

    Write it with ``set_aside(booking, operation)``.
    """
    if not booking.money.overpaid:
        return None
    calls = clawback.calls(booking, operation_id, request_id)
    return Operation(
        id=operation_id,
        kind="clawback",
        stages=(calls,),
        plan={"bookingId": booking.id},
        created_at=now,
        lease_until=now + LEASE,
        actor="stripe",
        action=action,
        request_id=request_id,
    )


def set_aside(booking: Booking, operation: Operation | None) -> Booking:
    """The booking with the operation's reversals under way."""
    return booking if operation is None else clawback.set_aside(booking, operation.stages[0])


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation and its booking."""
    return operation.key, collections.booking(operation.plan["bookingId"])


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the reversals' ledger transactions."""
    return (*needs(operation), *clawback.posting_keys(results))


def settle(
    operation: Operation, results: Results, docs: Mapping[Key, Snapshot], now: datetime
) -> Settled:
    """Record the reversals, or the debt in their place."""
    was = docs[collections.booking(operation.plan["bookingId"])]
    booking, writes = clawback.record(
        documents.load(was), operation.id, operation.stages[0], results, docs, now
    )
    return Settled(operation.became(State.DONE), [*documents.change(was, booking), *writes])
