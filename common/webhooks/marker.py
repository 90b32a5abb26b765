"""The marker that makes an event count once: created in the same commit as the event's effect.

Source: contract, section 3 (stripe-webhook); invariant I10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Replace, Snapshot, Write

#: The outcome of an event whose handler broke; it is kept with its error and does not end there.
FAILED = "failed"
OPERATIONS = collections.operation("").collection


class Duplicate(Exception):
    """The event was seen before.

    Attributes:
        operations: What its effect has begun at Stripe, and perhaps not finished: operations' ids.
    """

    def __init__(self, operations: Sequence[str]) -> None:
        super().__init__("seen before")
        self.operations = tuple(operations)


@dataclass(slots=True)
class Marker:
    """The guard of one event's unit of work."""

    event: Mapping[str, Any]
    now: datetime
    outcome: str = "processed"
    error: str | None = None
    _was: Snapshot | None = None
    _open: bool = False

    @property
    def key(self) -> Key:
        """The event's document."""
        return collections.event(self.event["id"])

    def meet(self, found: Snapshot) -> None:
        """End the work if the event is known; one that failed may try again."""
        if found.data is None:
            return
        if found.data["outcome"] != FAILED:
            raise Duplicate(found.data.get("operations", ()))
        self._was = found

    def opening(self, writes: Sequence[Write] = ()) -> Write | None:
        """The marker; none once it stands. It names the operations that its commit begins."""
        if self._open:
            return None
        known = self._was.require() if self._was else {}
        data = {
            "type": self.event["type"],
            "account": self.event.get("account"),
            "objectId": self.event["data"]["object"].get("id"),
            "stripeCreated": self.event.get("created"),
            "outcome": self.outcome,
            "error": self.error,
            "failures": int(known.get("failures", 0)) + (self.outcome == FAILED),
            "receivedAt": known.get("receivedAt", self.now),
            "operations": [
                write.key.id
                for write in writes
                if isinstance(write, Create) and write.key.collection == OPERATIONS
            ],
        }
        return Replace(self._was, data) if self._was else Create(self.key, data)

    def opened(self) -> None:
        """The marker stands."""
        self._open = True

    @property
    def is_open(self) -> bool:
        """Whether the marker stands."""
        return self._open
