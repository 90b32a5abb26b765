"""What a handler has beside its command: the caller, the instant, the services, a unit of work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from common.access import table
from common.audit.author import Author
from common.auth.caller import Caller, Role
from common.bootstrap import Services
from common.idempotency.record import Record
from common.store.collections import Key
from common.store.store import Snapshot, Write
from common.store.unit import Unit

T = TypeVar("T")
Answer = dict[str, Any]


@dataclass(slots=True)
class Context:
    """One request.

    Attributes:
        author: Whose act it is, as the audit rows will say.
        now: The instant the request is decided at, fixed before anything is read.
        record: The idempotency key's record; None without a key.
        notes: Ids for the log line.
    """

    services: Services
    unit: Unit
    caller: Caller
    author: Author
    action: str
    request_id: str
    now: datetime
    record: Record | None
    notes: dict[str, Any]
    answered: bool = False

    def act(
        self, *, customer_id: str | None = None, provider_id: str | None = None, what: str
    ) -> Role:
        """As whom the caller acts on an object, by the action's row in the access table.

        Nothing can be changed before this (or the token, where it alone decides) has found a role.

        Raises:
            Missing: they may not know of the object.
            Forbidden: they know it, and this is not theirs to do.
        """
        allowed = table.rule(self.action).roles
        role = self.caller.act(allowed, customer_id=customer_id, provider_id=provider_id, what=what)
        self.author.role = role
        return role

    def apart(self) -> Context:
        """The same cause, with a unit of work of its own and without the client's key."""
        return replace(self, unit=Unit(self.services.store, self.author), record=None)

    def read(self, *keys: Key) -> dict[Key, Snapshot]:
        """Documents in one RPC."""
        return self.unit.read(*keys)

    def commit(self, writes: Sequence[Write]) -> dict[Key, Snapshot]:
        """Writes in one RPC, all or none."""
        return self.unit.commit(writes)

    def until_settled(self, work: Callable[[], T]) -> T:
        """Run ``work`` until no other write comes in between."""
        return self.unit.until_settled(work)

    def meet(self) -> None:
        """Meet whoever was first with this key, where nothing of this request stands yet.

        For answers and refusals that are kept without a document of their own having been read.
        """
        if self.record is not None and not self.record.is_open:
            self.read(self.record.key)

    def finish(self, writes: Sequence[Write], answer: Mapping[str, Any]) -> None:
        """The last commit, with the answer that the idempotency key will give again."""
        last = list(writes)
        if self.record is not None:
            closing = self.record.close(200, answer)
            last += [closing] if closing else []
        self.unit.commit(last)
        self.answered = True
