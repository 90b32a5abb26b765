"""Whose act it is: every commit that changes something carries a row that says so.

A row is written in the very commit that it tells of, so there is none without its change and no
change without its row, and a commit that is tried again, because its answer was lost, leaves a
second row only if it changed something a second time. Rows are documents of their own, never
changed, and cost no round trip.
Source: invariant I19; docs/access.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.auth.caller import Role
from common.store import collections
from common.store.collections import Key
from common.store.store import Add, Create, Patch, Replace, Write

#: Our own book-keeping: that a key or an event was met, how far a list was read.
_UNTOLD = frozenset({"idempotency", "webhook_events", "cursors", "audit"})
#: What of a document's new state its row tells.
_TOLD: Mapping[str, tuple[str, ...]] = {
    "bookings": ("version", "status", "eligibleAt"),
    "payouts": ("status",),
    "refunds": ("status",),
    "disputes": ("status",),
    "subscriptions": ("status",),
    "operations": ("state",),
    "profiles": ("stripeAccountStatus", "stripePayoutsEnabled"),
}


class Unauthorised(RuntimeError):
    """Something was about to be changed before it was decided that the caller may: our mistake."""


@dataclass(slots=True)
class Author:
    """Who acts in one request or event.

    Attributes:
        actor: A uid, ``stripe`` or ``scheduler``.
        clock: Tells the instant of each commit.
        role: What the actor is here; None until the object at hand has told, and until then
            nothing can be changed.
        event_id: The event of Stripe's that this is an effect of.
        reason: Why, in the caller's words; kept of operators only.
    """

    actor: str
    action: str
    request_id: str
    clock: Callable[[], datetime]
    role: Role | None = None
    event_id: str | None = None
    reason: str | None = None

    def sign(self, unit: str, step: int, writes: Sequence[Write]) -> list[Write]:
        """The row of a commit's writes; none where they change nothing but our book-keeping.

        Args:
            unit: The unit of work's own name.
            step: Which commit of the unit it is, from 1.

        Raises:
            Unauthorised: no role was found for the actor yet.
        """
        told = [write for write in writes if _key(write).collection not in _UNTOLD]
        if not told:
            return []
        if self.role is None:
            raise Unauthorised(f"{self.action} would change something on nobody's authority")
        row = {
            "actor": self.actor,
            "role": str(self.role),
            "action": self.action,
            "requestId": self.request_id,
            "eventId": self.event_id,
            "reason": self.reason if self.role is Role.OPERATOR else None,
            "at": self.clock(),
            "unit": unit,
            "step": step,
            "objects": list(dict.fromkeys(_path(_key(write)) for write in told)),
            "created": [_path(_key(write)) for write in told if _makes(write)],
            "states": dict(_states(told)),
        }
        return [Create(collections.audit(f"{unit}-{step}"), row)]


def _key(write: Write) -> Key:
    return write.was.key if isinstance(write, Replace) else write.key


def _makes(write: Write) -> bool:
    """Whether a write makes the document that it is of."""
    return isinstance(write, Create) or (isinstance(write, Replace) and write.was.data is None)


def _path(key: Key) -> str:
    return f"{key.collection}/{key.id}"


def _states(writes: Iterable[Write]) -> Iterable[tuple[str, dict[str, Any]]]:
    """What bookings and the like have become; a later write of the same document wins."""
    for write in writes:
        key = _key(write)
        names = _TOLD.get(key.collection)
        if names is None or isinstance(write, Add):
            continue
        now = write.fields if isinstance(write, Patch) else write.data
        state = {name: now[name] for name in names if name in now}
        if key.collection == "bookings" and "holds" in now:
            state["holds"] = sorted(now["holds"])
        if state:
            yield _path(key), state
