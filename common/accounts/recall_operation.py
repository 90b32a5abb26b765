"""The operation that brings a booking's money back from an account that its provider no longer has.

What can be reversed is ours again and goes to the new account with the next payout. What cannot has
gone with the account to the provider: it counts as paid.
Source: docs/accounts.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from common.bookings import documents
from common.bookings.model import Booking
from common.bookings.postings import concerns
from common.ledger import accounts
from common.ledger.posting import Posting, entries
from common.operations.model import LEASE, Operation, Results, Settled, State
from common.refunds import clawback
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot


def recall_operation(
    booking: Booking, account_id: str, *, action: str, request_id: str, now: datetime
) -> tuple[Booking, Operation] | None:
    """The booking with its money set aside, and the intent to reverse it; None where the account
    has none of it."""
    id_ = f"recall-{account_id}-{booking.id}-{booking.version}"
    calls = clawback.reversals(booking, booking.money.there, id_, request_id, of_account=account_id)
    if not calls:
        return None
    operation = Operation(
        id=id_,
        kind="recall",
        stages=(calls,),
        plan={"bookingId": booking.id},
        created_at=now,
        lease_until=now + LEASE,
        actor="system",
        action=action,
        request_id=request_id,
    )
    return clawback.set_aside(booking, calls), operation


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation and its booking."""
    return operation.key, collections.booking(operation.plan["bookingId"])


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the reversals' ledger transactions."""
    return (*needs(operation), *clawback.posting_keys(results))


def settle(
    operation: Operation, results: Results, docs: Mapping[Key, Snapshot], now: datetime
) -> Settled:
    """Record the reversals, and what stayed with the account."""
    was = docs[collections.booking(operation.plan["bookingId"])]
    planned = operation.stages[0]
    booking, writes = clawback.reversed_by(documents.load(was), planned, results, docs, now)
    stayed = sum(int(call.params["amount"]) for call in planned if results[call.name].ok is None)
    if stayed:
        booking = booking.with_money(paid=booking.money.paid + stayed)
        writes += _stayed(booking, operation.id, stayed).writes(now)
    writes = [*documents.change(was, booking), *writes]
    return Settled(operation.became(State.DONE), writes)


def _stayed(booking: Booking, source: str, amount: int) -> Posting:
    provider = booking.provider_id
    lines: tuple[tuple[str, int], ...] = (
        (accounts.connected(provider), -amount),
        (accounts.owed(provider), amount),
    )
    about = concerns(booking)
    return Posting("account_left", source, booking.money.currency, entries(*lines), about)
