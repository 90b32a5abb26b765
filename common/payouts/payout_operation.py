"""The operation that pays a provider: transfers side by side, then the payout from their balance.

A charge's funds may still be pending, and so what was transferred: the payout then waits until
they are available. What Stripe will not transfer leaves the payout; the rest goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from common.bookings import documents
from common.bookings.model import Booking
from common.bookings.postings import concerns
from common.clock import from_unix
from common.ledger.posting import Posting, post
from common.operations.model import LEASE, Operation, Result, Results, Settled, Stages, State
from common.payouts import postings
from common.payouts.model import Line, Payout, PayoutStatus
from common.refunds import clawback
from common.store import collections
from common.store.collections import Key
from common.store.store import Replace, Snapshot, Write
from common.stripe_gateway.calls import Call

Documents = Mapping[Key, Snapshot]
PREFIX = "transfer:"
#: Between two looks at funds that are not available yet; Stripe's event usually comes before.
PATIENCE = timedelta(hours=1)
#: Looks at funds before they are taken to be gone: ten days' worth.
MOST_WAITS = 240


def payout_operation(
    payout: Payout, *, actor: str, action: str, request_id: str, now: datetime
) -> Operation:
    """The intent to transfer a payout's lines and pay them out."""
    transfers = tuple(_transfer(payout, line, request_id) for line in payout.lines if line.transfer)
    last = (_payout_call(payout, 1, request_id),)
    return Operation(
        id=payout.id,
        kind="payout",
        stages=(transfers, last) if transfers else (last,),
        plan={
            "payoutId": payout.id,
            "attempt": 1,
            "bookingIds": [line.booking_id for line in payout.lines],
        },
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


def _transfer(payout: Payout, line: Line, request_id: str) -> Call:
    params: dict[str, Any] = {
        "amount": line.transfer,
        "currency": payout.currency.lower(),
        "destination": payout.account_id,
        "source_transaction": line.charge_id,
        "transfer_group": line.booking_id,
        "metadata": {
            "bookingId": line.booking_id,
            "payoutId": payout.id,
            "providerId": payout.provider_id,
            "operationId": payout.id,
            "requestId": request_id,
        },
    }
    key = f"transfer-{payout.id}-{line.booking_id}"
    return Call(f"{PREFIX}{line.booking_id}", "transfers.create", params, key)


def _payout_call(payout: Payout, attempt: int, request_id: str) -> Call:
    params: dict[str, Any] = {
        "amount": payout.net,
        "currency": payout.currency.lower(),
        "method": payout.method,
        "metadata": {
            "payoutId": payout.id,
            "providerId": payout.provider_id,
            "operationId": payout.id,
            "requestId": request_id,
        },
        "expand": ["balance_transaction"],
    }
    key = f"payout-{payout.id}-{attempt}"
    return Call("payout", "payouts.create", params, key, account=payout.account_id)


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation, its payout, and the payout's bookings."""
    return (
        operation.key,
        collections.payout(operation.plan["payoutId"]),
        *(collections.booking(booking_id) for booking_id in operation.plan["bookingIds"]),
    )


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the ledger transactions, which a webhook may have written."""
    kinds = [
        ("payout" if name == "payout" else "transfer", result.ok["id"])
        for name, result in results.items()
        if result.ok
    ]
    posted = (collections.transaction(f"{kind}_{id_}") for kind, id_ in kinds)
    return (*needs(operation), *posted)


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Record transfers and payout; give back what Stripe refused to move."""
    was = docs[collections.payout(operation.plan["payoutId"])]
    payout = Payout.load(was)
    bookings, writes = _record_transfers(payout, operation, results, docs, now)
    for booking_id, booking in bookings.items():
        # refunded between the claim and the transfer
        bookings[booking_id], owing = clawback.indebted(booking, operation.id, "paid_out", now)
        writes += owing
    payout = replace(payout, transfers=_transferred(payout, results))
    refused = {
        name.removeprefix(PREFIX): result
        for name, result in results.items()
        if name.startswith(PREFIX) and result.ok is None
    }
    if payout.status is not PayoutStatus.PROCESSING:
        # Its webhook brought a final word before this record was made.
        state = operation.became(State.DONE)
    elif refused:
        payout, bookings, state = _without(payout, operation, bookings, refused)
    elif (made := results.get("payout")) is None:
        state = operation.became(State.DONE)
    elif made.ok is not None:
        payout = on_its_way(payout, made.ok)
        writes += post(docs, payout_posting(payout, made.ok), now)
        state = operation.became(State.DONE)
    elif made.refused_code == "balance_insufficient" and operation.attempts < MOST_WAITS:
        payout, bookings, state = _wait_or_shrink(payout, operation, bookings, now)
    else:
        payout, bookings, state = _refused(payout, operation, bookings, made)
    changed = [
        write
        for booking_id, booking in bookings.items()
        for write in documents.change(docs[collections.booking(booking_id)], booking)
    ]
    return Settled(state, [Replace(was, payout.to_document()), *changed, *writes])


def on_its_way(payout: Payout, stripe: Mapping[str, Any]) -> Payout:
    """The payout with Stripe's object on it."""
    return replace(
        payout,
        stripe_payout_id=stripe["id"],
        arrival_date=from_unix(stripe["arrival_date"]),
    )


def payout_posting(payout: Payout, stripe: Mapping[str, Any]) -> Posting:
    """The payout's posting; what Stripe says it took, or our own figure where it does not say."""
    transaction = stripe.get("balance_transaction")
    taken = -transaction["net"] if isinstance(transaction, Mapping) else payout.amount
    return postings.payout(payout, stripe["id"], taken)


def released(booking: Booking, amount: int) -> Booking:
    """The booking with a part of its earnings free for another payout."""
    return booking.with_money(claimed=booking.money.claimed - amount)


def _record_transfers(
    payout: Payout, operation: Operation, results: Results, docs: Documents, now: datetime
) -> tuple[dict[str, Booking], list[Write]]:
    bookings = {
        key.id: documents.load(docs[key])
        for key in needs(operation)
        if key.collection == "bookings"
    }
    writes: list[Write] = []
    for name, result in results.items():
        if not name.startswith(PREFIX) or result.ok is None:
            continue
        booking = bookings[name.removeprefix(PREFIX)]
        about = concerns(booking, payoutId=payout.id)
        posting = postings.transfer(
            payout.provider_id, payout.currency, result.ok["id"], result.ok["amount"], about
        )
        posted = post(docs, posting, now)
        if posted:  # else the webhook recorded it, booking included
            bookings[booking.id] = with_transfer(booking, result.ok["id"], result.ok["amount"])
        writes += posted
    return bookings, writes


def with_transfer(booking: Booking, transfer_id: str, amount: int) -> Booking:
    """The booking with a transfer made for it."""
    more = booking.with_money(transferred=booking.money.transferred + amount)
    made = {"id": transfer_id, "amount": amount, "reversed": 0}
    return replace(more, transfers=(*booking.transfers, made))


def _transferred(payout: Payout, results: Results) -> dict[str, Any]:
    made = {
        result.ok["id"]: {
            "bookingId": name.removeprefix(PREFIX),
            "amount": result.ok["amount"],
        }
        for name, result in results.items()
        if name.startswith(PREFIX) and result.ok is not None
    }
    return {**(payout.transfers or {}), **made}


def _without(
    payout: Payout,
    operation: Operation,
    bookings: dict[str, Booking],
    refused: Mapping[str, Result],
) -> tuple[Payout, dict[str, Booking], Operation]:
    """The payout without the bookings that Stripe would not transfer for."""
    kept = tuple(line for line in payout.lines if line.booking_id not in refused)
    freed = dict(bookings)
    for line in payout.lines:
        if line.booking_id in refused:
            freed[line.booking_id] = released(freed[line.booking_id], line.amount)
    first = next(iter(refused.values()))
    why = first.refused_code or first.refused_message or "refused"
    if not kept:
        failed = replace(
            payout.moved(PayoutStatus.FAILED),
            failure_code=why,
            failure_message=first.refused_message,
        )
        return failed, freed, operation.became(State.FAILED, note=why)
    smaller = replace(
        payout, lines=kept, amount=sum(line.amount for line in kept), failure_message=why
    )
    return smaller, freed, _again(smaller, operation, State.OPEN, why)


def _wait_or_shrink(
    payout: Payout, operation: Operation, bookings: dict[str, Booking], now: datetime
) -> tuple[Payout, dict[str, Booking], Operation]:
    """What was reversed meanwhile leaves the payout; for the rest it is a matter of time."""
    cuts = {line.booking_id: _gone(bookings[line.booking_id], line) for line in payout.lines}
    if not any(cuts.values()):
        return payout, bookings, _patient(payout, operation, now)
    freed = dict(bookings)
    for booking_id, cut in cuts.items():
        freed[booking_id] = released(freed[booking_id], cut)
    kept = tuple(
        replace(line, amount=line.amount - cuts[line.booking_id])
        for line in payout.lines
        if line.amount > cuts[line.booking_id]
    )
    why = "the rest of it was taken back by refunds"
    smaller = replace(
        payout, lines=kept, amount=sum(line.amount for line in kept), failure_message=why
    )
    if smaller.net <= 0:
        failed = replace(payout.moved(PayoutStatus.FAILED), failure_message=why)
        return failed, freed, operation.became(State.FAILED, note=why)
    return smaller, freed, _again(smaller, operation, State.OPEN, why)


def _gone(booking: Booking, line: Line) -> int:
    """What of a line was transferred and is not at the connected account any more."""
    return min(line.amount, max(0, booking.money.claimed - booking.money.there))


def _again(
    payout: Payout,
    operation: Operation,
    state: State,
    why: str,
    wake_at: datetime | None = None,
) -> Operation:
    """Ask for the payout under a new key: a refusal was final for the old one."""
    attempt = int(operation.plan["attempt"]) + 1
    stages: Stages = ((_payout_call(payout, attempt, operation.request_id),),)
    plan = {**operation.plan, "attempt": attempt}
    return operation.became(state, stages=stages, plan=plan, wake_at=wake_at, note=why)


def _patient(payout: Payout, operation: Operation, now: datetime) -> Operation:
    """Wait for the funds."""
    return _again(payout, operation, State.WAITING, "balance_insufficient", now + PATIENCE)


def _refused(
    payout: Payout, operation: Operation, bookings: dict[str, Booking], made: Result
) -> tuple[Payout, dict[str, Booking], Operation]:
    """Stripe will not pay out: the earnings are free again, transferred as they are."""
    why = made.refused_code or made.refused_message or "refused"
    failed = replace(
        payout.moved(PayoutStatus.FAILED), failure_code=why, failure_message=made.refused_message
    )
    amounts = {line.booking_id: line.amount for line in payout.lines}
    freed = {
        booking_id: released(booking, amounts.get(booking_id, 0))
        for booking_id, booking in bookings.items()
    }
    return failed, freed, operation.became(State.FAILED, note=why)
