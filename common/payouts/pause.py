"""The switch that stops all payouts: read before one is set aside and before its calls. Pure.

Source: contract, section 3 (PAUSE_PAYOUTS, RESUME_PAYOUTS); docs/decisions/0010-pausing-payouts.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from common.clock import rfc3339
from common.errors import PayoutsPaused
from common.store.store import Document, Snapshot

#: The code of a call that was not made because payouts are paused.
PAUSED = "payouts_paused"


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether payouts are paused; by whom, why and since when it stands so.

    Attributes:
        changes: How often it was turned: the number of its newest record.
    """

    paused: bool = False
    since: datetime | None = None
    reason: str | None = None
    by: str | None = None
    changes: int = 0

    @classmethod
    def load(cls, snapshot: Snapshot) -> Switch:
        """The switch as it stands; a document that is not there was never turned."""
        doc = snapshot.data
        if doc is None:
            return cls()
        return cls(doc["paused"], doc["since"], doc["reason"], doc["by"], doc["changes"])

    def turned(self, paused: bool, *, reason: str | None, by: str, at: datetime) -> Switch:
        """The switch after somebody turned it; the same where it stands so already."""
        if paused is self.paused:
            return self
        return replace(
            self, paused=paused, since=at, reason=reason, by=by, changes=self.changes + 1
        )

    def to_document(self) -> Document:
        """Its document; the same is kept for each turn."""
        return {
            "paused": self.paused,
            "since": self.since,
            "reason": self.reason,
            "by": self.by,
            "changes": self.changes,
        }

    def require_running(self) -> None:
        """Refuse a new payout while they are paused.

        Raises:
            PayoutsPaused: 409 with ``since``.
        """
        if self.paused and self.since is not None:
            raise PayoutsPaused(rfc3339(self.since))
