"""The operation whose object is made once and then used again; it is what remembers the object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from common.operations.model import Operation, Results, Settled, State
from common.store.collections import Key
from common.store.store import Snapshot

Documents = Mapping[Key, Snapshot]


def needs(operation: Operation) -> tuple[Key, ...]:
    """Only the operation."""
    return (operation.key,)


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """Only the operation."""
    return needs(operation)


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Remember the object."""
    result = results["object"]
    if result.ok is None:
        why = result.refused_code or result.refused_message or "refused"
        return Settled(operation.became(State.FAILED, note=why), [])
    plan = {**operation.plan, "objectId": result.ok["id"]}
    return Settled(operation.became(State.DONE, plan=plan), [])
