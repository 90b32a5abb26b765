"""The operation that pays a provider: transfers side by side, then the payout from their balance.

A charge's funds may still be pending, and so what was transferred: the payout then waits until
they are available. What Stripe will not transfer leaves the payout, and so does what is not due any
more when its turn comes; the rest goes on. What was transferred for nothing is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from common.accounts.model import takes_payouts
from common.bookings import documents
from common.bookings.model import Booking
from common.clock import from_unix
from common.ledger.posting import Posting, post
from common.operations.model import (
    BARRED,
    LEASE,
    Operation,
    Result,
    Results,
    Settled,
    Stages,
    State,
)
from common.payouts import postings, transfers
from common.payouts.lines import no_longer_due, not_there, released, sent, without
from common.payouts.model import Payout, PayoutStatus
from common.payouts.pause import PAUSED, Switch
from common.refunds import clawback
from common.refunds.clawback_operation import clawback_operation, set_aside
from common.store import collections
from common.store.collections import Key
from common.store.store import Replace, Snapshot, Write
from common.stripe_gateway.calls import Call

Documents = Mapping[Key, Snapshot]
#: Between two looks at funds that are not available yet; Stripe's event usually comes before.
PATIENCE = timedelta(hours=1)
#: The same while payouts are paused: the next maintenance run.
WHILE_PAUSED = timedelta(minutes=5)
#: Looks at funds before they are taken to be gone: ten days' worth.
MOST_WAITS = 240


def payout_operation(
    payout: Payout,
    *,
    actor: str,
    action: str,
    request_id: str,
    now: datetime,
    waits: bool = True,
) -> Operation:
    """The intent to transfer a payout's lines and pay them out.

    Args:
        waits: Whether funds may still come; else too little in the balance is final.
    """
    first = tuple(
        transfers.call(payout, line, request_id) for line in payout.lines if line.transfer
    )
    last = (_payout_call(payout, 1, request_id),)
    return Operation(
        id=payout.id,
        kind="payout",
        stages=(first, last) if first else (last,),
        plan={
            "payoutId": payout.id,
            "attempt": 1,
            "providerId": payout.provider_id,
            "waits": waits,
            "bookingIds": [line.booking_id for line in payout.lines],
        },
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


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
    """The operation, its payout, the provider and the bookings, and whether payouts are paused."""
    return (
        operation.key,
        collections.payout(operation.plan["payoutId"]),
        collections.profile(operation.plan["providerId"]),
        collections.payouts_switch(),
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


def barred(operation: Operation, docs: Documents) -> frozenset[str]:
    """The calls that must not be made as things now stand: transfers of what is not due any more,
    and then the payout, whose amount has it in; every transfer where the account takes no payouts
    (what Stripe then says to the payout itself is its own affair)."""
    payout = Payout.load(docs[collections.payout(operation.plan["payoutId"])])
    if payout.status is not PayoutStatus.PROCESSING:
        return frozenset()
    if not takes_payouts(docs[collections.profile(payout.provider_id)].data):
        calls = (call.name for stage in operation.stages for call in stage)
        return frozenset(name for name in calls if name.startswith(transfers.PREFIX))
    gone = no_longer_due(payout, _bookings(operation, docs))
    return frozenset(
        {f"{transfers.PREFIX}{booking_id}" for booking_id in gone} | {"payout"} if gone else ()
    )


def halted(docs: Documents) -> Result | None:
    """What every call comes to while payouts are paused: it is not made, and asked for again."""
    if not Switch.load(docs[collections.payouts_switch()]).paused:
        return None
    return Result(None, PAUSED, "payouts are paused")


def _bookings(operation: Operation, docs: Documents) -> dict[str, Booking]:
    return {
        key.id: documents.load(docs[key])
        for key in needs(operation)
        if key.collection == "bookings"
    }


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Record transfers and payout; give back what Stripe refused to move or what is not due."""
    was = docs[collections.payout(operation.plan["payoutId"])]
    payout = Payout.load(was)
    bookings, writes = transfers.record(payout, _bookings(operation, docs), results, docs, now)
    payout = replace(payout, transfers=transfers.made(payout, results))
    refused = {
        name.removeprefix(transfers.PREFIX): result
        for name, result in results.items()
        if name.startswith(transfers.PREFIX) and result.ok is None
    }
    made = results.get("payout")
    if payout.status is not PayoutStatus.PROCESSING or (made is None and not refused):
        # Its webhook brought a final word before this record was made.
        state = operation.became(State.DONE)
    elif any(result.refused_code == PAUSED for result in results.values()):
        state = _paused(operation, now)
    elif made is None:
        payout, bookings, state = _without(payout, operation, bookings, refused)
    elif made.ok is not None:
        payout, bookings = on_its_way(payout, bookings, made.ok)
        writes += post(docs, payout_posting(payout, made.ok), now)
        state = operation.became(State.DONE)
    elif made.refused_code == BARRED:
        cuts = no_longer_due(payout, bookings)
        payout, bookings, state = _smaller(payout, operation, bookings, cuts, made)
    elif made.refused_code == "balance_insufficient" and _may_wait(operation):
        payout, bookings, state = _wait_or_shrink(payout, operation, bookings, now)
    else:
        payout, bookings, state = _refused(payout, operation, bookings, made)
    bookings, owing, follow = _taken_back(state, bookings, now)
    changed = [
        write
        for booking_id, booking in bookings.items()
        for write in documents.change(docs[collections.booking(booking_id)], booking)
    ]
    return Settled(state, [Replace(was, payout.to_document()), *changed, *writes, *owing], follow)


def _may_wait(operation: Operation) -> bool:
    looks = operation.attempts - int(operation.plan.get("pauses", 0))
    return bool(operation.plan.get("waits", True)) and looks < MOST_WAITS


def _paused(operation: Operation, now: datetime) -> Operation:
    """The same calls later; what an earlier try of them has made is found then."""
    plan = {**operation.plan, "pauses": int(operation.plan.get("pauses", 0)) + 1}
    return operation.became(State.WAITING, note=PAUSED, plan=plan, wake_at=now + WHILE_PAUSED)


def _taken_back(
    state: Operation, bookings: Mapping[str, Booking], now: datetime
) -> tuple[dict[str, Booking], list[Write], list[Operation]]:
    """What was transferred for bookings that were refunded between the claim and the transfer.

    What lies in the connected balance is reversed; what has left it the provider owes.
    """
    after, writes, follow = dict(bookings), list[Write](), list[Operation]()
    for booking_id, booking in bookings.items():
        if not booking.money.there:
            after[booking_id], owing = clawback.indebted(booking, state.id, "paid_out", now)
            writes += owing
            continue
        back = clawback_operation(
            booking,
            f"clawback-{state.id}-{state.attempts}-{booking_id}",
            action=state.action,
            request_id=state.request_id,
            now=now,
        )
        if back is not None:
            after[booking_id] = set_aside(booking, back)
            writes.append(back.create())
            follow.append(back)
    return after, writes, follow


def on_its_way(
    payout: Payout, bookings: Mapping[str, Booking], stripe: Mapping[str, Any]
) -> tuple[Payout, dict[str, Booking]]:
    """The payout with Stripe's object on it. At the first word of that object its bookings' parts
    have left the connected balance."""
    known = replace(
        payout,
        stripe_payout_id=stripe["id"],
        arrival_date=from_unix(stripe["arrival_date"]),
    )
    after = dict(bookings)
    if payout.stripe_payout_id is None and payout.status is PayoutStatus.PROCESSING:
        for line in payout.lines:
            after[line.booking_id] = sent(after[line.booking_id], line.amount)
    return known, after


def payout_posting(payout: Payout, stripe: Mapping[str, Any]) -> Posting:
    """The payout's posting; what Stripe says it took, or our own figure where it does not say."""
    transaction = stripe.get("balance_transaction")
    taken = -transaction["net"] if isinstance(transaction, Mapping) else payout.amount
    return postings.payout(payout, stripe["id"], taken)


def _without(
    payout: Payout,
    operation: Operation,
    bookings: dict[str, Booking],
    refused: Mapping[str, Result],
) -> tuple[Payout, dict[str, Booking], Operation]:
    """The payout without the bookings that Stripe would not transfer for, or must not any more."""
    cuts = no_longer_due(payout, bookings)
    cuts |= {line.booking_id: line.amount for line in payout.lines if line.booking_id in refused}
    final = [result for result in refused.values() if result.refused_code != BARRED]
    return _smaller(payout, operation, bookings, cuts, next(iter([*final, *refused.values()])))


def _smaller(
    payout: Payout,
    operation: Operation,
    bookings: dict[str, Booking],
    cuts: Mapping[str, int],
    because: Result,
) -> tuple[Payout, dict[str, Booking], Operation]:
    """The payout without these parts of its lines, asked for anew; over where nothing is left."""
    code = because.refused_code or because.refused_message or "refused"
    smaller, freed = without(payout, bookings, cuts)
    if smaller.lines:
        told = replace(smaller, failure_message=because.refused_message or code)
        return told, freed, _again(told, operation, State.OPEN, code)
    over = PayoutStatus.CANCELLED if code == BARRED else PayoutStatus.FAILED
    ended = replace(payout.moved(over), failure_code=code, failure_message=because.refused_message)
    return ended, freed, operation.became(State.FAILED, note=code)


def _wait_or_shrink(
    payout: Payout, operation: Operation, bookings: dict[str, Booking], now: datetime
) -> tuple[Payout, dict[str, Booking], Operation]:
    """What was taken back meanwhile leaves the payout; for the rest it is a matter of time."""
    cuts = not_there(payout, bookings)
    if not cuts:
        return payout, bookings, _patient(payout, operation, now)
    gone = Result(None, BARRED, "what it had was taken back by refunds, disputes or holds")
    return _smaller(payout, operation, bookings, cuts, gone)


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
