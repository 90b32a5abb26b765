"""Carries an operation out: its calls, outside any transaction, then what they came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import datetime, timedelta

from common import logs
from common.context import Answer, Context
from common.errors import Unavailable
from common.operations.kinds import KINDS
from common.operations.model import BARRED, LEASE, Operation, Result, State, replaced
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Replace, Snapshot, Write
from common.stripe_gateway.calls import Call, Json
from common.stripe_gateway.gateway import CardDeclined, Gateway, Refused, Unanswered
from common.stripe_gateway.lookup import can_find

#: Calls of one stage that are under way at once; far below Stripe's limit for a key.
PARALLEL_CALLS = 8
#: Stripe keeps an idempotency key for a day at least; from here on it may be new again.
KEY_FORGOTTEN = timedelta(hours=23)
#: After this long a failure that Stripe repeats under a key, with nothing made, is its last word.
GIVEN_UP = timedelta(hours=1)
Documents = Mapping[Key, Snapshot]
Answering = Callable[[Documents, Mapping[str, Result]], Answer]


def run(
    context: Context,
    operation: Operation,
    known: Documents,
    answer: Answering | None = None,
) -> tuple[Operation, Documents]:
    """Make an operation's calls and record their outcome.

    Args:
        known: Documents as the intent's commit left them; read again if somebody changed them.
        answer: Makes the action's answer of the documents and results, stored in the same commit;
            not asked where Stripe refused.

    Returns:
        The operation as it now stands and the documents with it.

    Raises:
        Unavailable: a call's outcome is open; the operation stays open and is finished later.
    """
    while True:
        results, known = _perform(context, operation, known)
        operation, known, follow = _record(context, operation, results, known, answer)
        for one in follow:
            carry_on(context, one)
        if operation.state is not State.OPEN:
            return operation, known
        if follow:
            known = {}  # they have changed some of these


def _perform(
    context: Context, operation: Operation, known: Documents
) -> tuple[dict[str, Result], Documents]:
    """Make the calls, stage by stage; before each, look at what may have forbidden it meanwhile."""
    kind, results = KINDS[operation.kind], dict[str, Result]()
    for stage in operation.stages:
        barred: frozenset[str] = frozenset()
        if kind.barred is not None:
            # Anew, also where the intent's commit told: what it did not write may have changed.
            known = context.read(*kind.needs(operation))
            barred = kind.barred(operation, known)
        if kind.halted is not None and (halted := kind.halted(known)) is not None:
            results.update({call.name: halted for call in stage})
            break
        made = _side_by_side(context, operation, stage, barred)
        results.update(made)
        if any(result.ok is None for result in made.values()):
            break  # a later stage counts on this one
    return results, known


def _side_by_side(
    context: Context, operation: Operation, calls: tuple[Call, ...], barred: frozenset[str]
) -> dict[str, Result]:
    def made(call: Call) -> Result:
        stripe, since = context.services.stripe, operation.created_at
        if call.name in barred:
            return _made_before(stripe, call, since)
        # From the second asking on, an earlier one may have come through unheard.
        return _made(stripe, call, since, context.now, look_first=operation.attempts > 0)

    if len(calls) <= 1:
        return {call.name: made(call) for call in calls}
    with ThreadPoolExecutor(min(PARALLEL_CALLS, len(calls))) as pool:
        # Each thread counts its calls on the request that asked for them.
        under_way = [pool.submit(copy_context().run, made, call) for call in calls]
        return {call.name: done.result() for call, done in zip(calls, under_way, strict=True)}


def _made_before(stripe: Gateway, call: Call, since: datetime) -> Result:
    """What an earlier try of a call has made that must not be made any more."""
    known = _found(stripe, call, since)
    return Result(None, BARRED, "it is not due any more") if known is None else Result(ok=known)


def _made(
    stripe: Gateway, call: Call, since: datetime, now: datetime, *, look_first: bool = False
) -> Result:
    """Make a call once, whatever became of its earlier tries.

    Raises:
        Unavailable: the outcome is open.
    """
    look_first = look_first or now - since >= KEY_FORGOTTEN
    try:
        if look_first and (known := _found(stripe, call, since)):
            return Result(ok=known)
        return Result(ok=stripe.perform(call))
    except Refused as refused:
        return Result(None, refused.code, refused.said, refused.body)
    except CardDeclined as declined:
        code = str(declined.details["declineCode"])
        return Result(None, code, declined.message, declined.body)
    except Unanswered:
        if known := _found(stripe, call, since):
            return Result(ok=known)
        if now - since < GIVEN_UP:
            raise
        # Stripe keeps its failure under the key and has made nothing in all that time.
        anew = replace(call, idempotency_key=f"{call.idempotency_key}-{now:%Y%m%d%H}")
        return _made(stripe, anew, now, now)


def _found(stripe: Gateway, call: Call, since: datetime) -> Json | None:
    return stripe.find(call, since) if can_find(call) else None


def _record(
    context: Context,
    operation: Operation,
    results: Mapping[str, Result],
    known: Documents,
    answer: Answering | None,
) -> tuple[Operation, Documents, Sequence[Operation]]:
    kind = KINDS[operation.kind]
    keys = (operation.key, *kind.keys(operation, results))
    first = [dict(known)] if all(key in known for key in kind.needs(operation)) else []

    def attempt() -> tuple[Operation, Documents, Sequence[Operation]]:
        docs: dict[Key, Snapshot] = first.pop() if first else dict(context.read(*keys))
        current = Operation.load(docs[operation.key])
        if current.settled or current.attempts != operation.attempts:
            return current, docs, ()  # somebody recorded these calls' outcome first
        settled = kind.settle(current, results, docs, context.now)
        writes: list[Write] = [*settled.writes, replaced(docs[operation.key], settled.operation)]
        after = _foreseen(docs, writes)
        if answer is not None and settled.operation.state in (State.DONE, State.WAITING):
            context.finish(writes, answer(after, results))
            return settled.operation, after, settled.follow
        return settled.operation, {**docs, **context.commit(writes)}, settled.follow

    settled = context.until_settled(attempt)
    if settled[0].state is State.FAILED:
        logs.logger().warning(
            "operation.failed", operationId=operation.id, kind=operation.kind, why=settled[0].note
        )
    return settled


def _foreseen(docs: Documents, writes: list[Write]) -> dict[Key, Snapshot]:
    """The documents as a commit will leave them, for making the answer that it stores."""
    after = dict(docs)
    for write in writes:
        match write:
            case Create(key, data):
                after[key] = Snapshot(key, data, None)
            case Replace(was, data):
                after[was.key] = Snapshot(was.key, data, None)
    return after


def carry_on(context: Context, operation: Operation) -> None:
    """Carry out what a commit has called for; the maintenance run does what fails here."""
    own = context.apart()
    try:
        run(own, operation, {})
    except Unavailable:
        logs.logger().warning("operation.left_open", operationId=operation.id, kind=operation.kind)


def resume(context: Context, operation_id: str) -> Operation | None:
    """Finish an operation that is open, as far as it can be.

    Returns:
        The operation, or None where there is none.

    Raises:
        Unavailable: still no final outcome.
    """
    seen: list[datetime] = []
    taken, docs = context.until_settled(lambda: _take_over(context, operation_id, seen))
    return run(context, taken, docs)[0] if docs and taken is not None else taken


def resume_abandoned(context: Context, operation_id: str) -> None:
    """Finish an operation whose process seems to be gone: it is open and its lease has run out.

    Raises:
        Unavailable: still no final outcome.
    """
    key = collections.operation(operation_id)
    found = context.read(key)[key]
    if found.data is None:
        return
    operation = Operation.load(found)
    if operation.state is State.OPEN and operation.lease_until <= context.now:
        resume(context, operation_id)


def _take_over(
    context: Context, operation_id: str, seen: list[datetime]
) -> tuple[Operation | None, Documents]:
    """The operation with the lease moved on, and its document; no document where nothing is to do.

    Args:
        seen: The leases that earlier tries found: if it moves, somebody else has taken it over.
    """
    key = collections.operation(operation_id)
    docs = context.read(key)
    if docs[key].data is None:
        return None, {}
    operation = Operation.load(docs[key])
    seen.append(operation.lease_until)
    if operation.settled or operation.lease_until != seen[0]:
        return operation, {}
    mine = replace(operation, lease_until=context.services.clock.now() + LEASE)
    return mine, context.commit([Replace(docs[key], mine.to_document())])
