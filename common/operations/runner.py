"""Carries an operation out: its calls, outside any transaction, then what they came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import datetime, timedelta

from common import logs
from common.context import Answer, Context
from common.errors import Declined
from common.operations.kinds import KINDS
from common.operations.model import Operation, Result, State, replaced
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Replace, Snapshot, Write
from common.stripe_gateway.calls import Call, Json
from common.stripe_gateway.gateway import Gateway, Refused, Unanswered
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
        results = _perform(context.services.stripe, operation, context.now)
        operation, known = _record(context, operation, results, known, answer)
        if operation.state is not State.OPEN:
            return operation, known


def _perform(stripe: Gateway, operation: Operation, now: datetime) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for stage in operation.stages:
        made = _side_by_side(stripe, stage, operation.created_at, now)
        results.update(made)
        if any(result.ok is None for result in made.values()):
            break  # a later stage counts on this one
    return results


def _side_by_side(
    stripe: Gateway, calls: tuple[Call, ...], since: datetime, now: datetime
) -> dict[str, Result]:
    if len(calls) <= 1:
        return {call.name: _made(stripe, call, since, now) for call in calls}
    with ThreadPoolExecutor(min(PARALLEL_CALLS, len(calls))) as pool:
        # Each thread counts its calls on the request that asked for them.
        made = [pool.submit(copy_context().run, _made, stripe, call, since, now) for call in calls]
        return {call.name: done.result() for call, done in zip(calls, made, strict=True)}


def _made(stripe: Gateway, call: Call, since: datetime, now: datetime) -> Result:
    """Make a call once, whatever became of its earlier tries.

    Raises:
        Unavailable: the outcome is open.
    """
    try:
        if now - since >= KEY_FORGOTTEN and (known := _found(stripe, call, since)):
            return Result(ok=known)
        return Result(ok=stripe.perform(call))
    except Refused as refused:
        return Result(None, refused.code, refused.said, refused.body)
    except Declined as declined:
        return Result(None, str(declined.details["declineCode"]), declined.message)
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
) -> tuple[Operation, Documents]:
    kind = KINDS[operation.kind]
    keys = (operation.key, *kind.keys(operation, results))
    first = [dict(known)] if all(key in known for key in kind.needs(operation)) else []

    def attempt() -> tuple[Operation, Documents]:
        docs: dict[Key, Snapshot] = first.pop() if first else dict(context.read(*keys))
        current = Operation.load(docs[operation.key])
        if current.settled:
            return current, docs
        settled = kind.settle(current, results, docs, context.now)
        writes: list[Write] = [*settled.writes, replaced(docs[operation.key], settled.operation)]
        after = _foreseen(docs, writes)
        if answer is not None and settled.operation.state in (State.DONE, State.WAITING):
            context.finish(writes, answer(after, results))
            return settled.operation, after
        return settled.operation, {**docs, **context.commit(writes)}

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


def resume(context: Context, operation_id: str) -> Operation | None:
    """Finish an operation that is open, as far as it can be.

    Returns:
        The operation, or None where there is none.

    Raises:
        Unavailable: still no final outcome.
    """
    key = collections.operation(operation_id)
    docs = context.read(key)
    if docs[key].data is None:
        return None
    operation = Operation.load(docs[key])
    return operation if operation.settled else run(context, operation, docs)[0]
