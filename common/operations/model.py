"""An operation: what is about to be done at Stripe, written down first, finished by its finder.

The record is created in the commit that reserves what the operation will move. Its calls carry
their parameters and idempotency keys, so that the client's retry, a webhook or the maintenance run
makes the very same calls and records the very same outcome.
Source: docs/decisions/0006-operations.md; contract, section 1 (an open outcome is finished).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Document, Replace, Snapshot, Write
from common.stripe_gateway.calls import Call, Json

#: For how long the one who wrote it is left alone with it.
LEASE = timedelta(seconds=5)


class State(StrEnum):
    """Where an operation stands."""

    OPEN = "OPEN"  # calls to make or outcomes to record
    WAITING = "WAITING"  # nothing to do before ``wake_at`` or an event
    DONE = "DONE"  # everything happened and is recorded
    FAILED = "FAILED"  # Stripe refused; what was reserved is released


@dataclass(frozen=True, slots=True)
class Result:
    """What a call came to: Stripe's object, or Stripe's final no."""

    ok: Json | None
    refused_code: str | None = None
    refused_message: str | None = None
    refused_body: Json = field(default_factory=dict)


#: The code of a call that was not made, since meanwhile it must not be.
BARRED = "not_due"
Results = Mapping[str, Result]
Stages = tuple[tuple[Call, ...], ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        kind: A row of ``kinds.KINDS``.
        stages: Calls to make; those of one stage side by side, a stage after the one before.
        plan: What was decided, for recording the outcome; integers are minor units.
        attempts: How often an outcome was recorded: who performed the calls of an earlier count
            has heard stale answers.
    """

    id: str
    kind: str
    stages: Stages
    plan: Mapping[str, Any]
    created_at: datetime
    lease_until: datetime
    actor: str
    action: str
    request_id: str
    state: State = State.OPEN
    attempts: int = 0
    wake_at: datetime | None = None
    note: str | None = None

    @property
    def key(self) -> Key:
        """Its document."""
        return collections.operation(self.id)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in (State.DONE, State.FAILED)

    def to_document(self) -> Document:
        """Its document; stages as a map, since Firestore nests no arrays."""
        return {
            "kind": self.kind,
            "state": str(self.state),
            "stages": {
                str(n): [call.as_document() for call in stage]
                for n, stage in enumerate(self.stages)
            },
            "plan": dict(self.plan),
            "createdAt": self.created_at,
            "leaseUntil": self.lease_until,
            "actor": self.actor,
            "action": self.action,
            "requestId": self.request_id,
            "attempts": self.attempts,
            "wakeAt": self.wake_at,
            "note": self.note,
        }

    @classmethod
    def load(cls, snapshot: Snapshot) -> Operation:
        """The operation in a document that exists."""
        doc = snapshot.require()
        stages = doc["stages"]
        return cls(
            id=snapshot.key.id,
            kind=doc["kind"],
            stages=tuple(
                tuple(Call.from_document(call) for call in stages[str(n)])
                for n in range(len(stages))
            ),
            plan=doc["plan"],
            created_at=doc["createdAt"],
            lease_until=doc["leaseUntil"],
            actor=doc["actor"],
            action=doc["action"],
            request_id=doc["requestId"],
            state=State(doc["state"]),
            attempts=doc["attempts"],
            wake_at=doc["wakeAt"],
            note=doc["note"],
        )

    def create(self) -> Create:
        """The write that makes the intent known."""
        return Create(self.key, self.to_document())

    def became(
        self,
        state: State,
        *,
        note: str | None = None,
        stages: Stages | None = None,
        plan: Mapping[str, Any] | None = None,
        wake_at: datetime | None = None,
    ) -> Operation:
        """The operation after its outcome was looked at."""
        return replace(
            self,
            state=state,
            note=note,
            stages=self.stages if stages is None else stages,
            plan=self.plan if plan is None else plan,
            wake_at=wake_at,
            attempts=self.attempts + 1,
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """What an outcome changes: the operation itself, and the writes beside it.

    Attributes:
        follow: Operations among the writes that are carried out right after the commit.
    """

    operation: Operation
    writes: Sequence[Write]
    follow: Sequence[Operation] = ()


def replaced(was: Snapshot, operation: Operation) -> Write:
    """The write of an operation that nobody else settled meanwhile."""
    return Replace(was, operation.to_document())
