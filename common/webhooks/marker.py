"""The marker that makes an event count once: created in the same commit as the event's effect.

Source: contract, section 3 (stripe-webhook); invariant I10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Snapshot, Write


class Duplicate(Exception):
    """The event was seen before."""


@dataclass(slots=True)
class Marker:
    """The guard of one event's unit of work."""

    event: Mapping[str, Any]
    now: datetime
    outcome: str = "processed"
    _open: bool = False

    @property
    def key(self) -> Key:
        """The event's document."""
        return collections.event(self.event["id"])

    def meet(self, found: Snapshot) -> None:
        """End the work if the event is known."""
        if found.data is not None:
            raise Duplicate

    def opening(self) -> Write | None:
        """The marker; none once it stands."""
        if self._open:
            return None
        return Create(
            self.key,
            {
                "type": self.event["type"],
                "account": self.event.get("account"),
                "objectId": self.event["data"]["object"].get("id"),
                "stripeCreated": self.event.get("created"),
                "outcome": self.outcome,
                "receivedAt": self.now,
            },
        )

    def opened(self) -> None:
        """The marker stands."""
        self._open = True

    @property
    def is_open(self) -> bool:
        """Whether the marker stands."""
        return self._open
