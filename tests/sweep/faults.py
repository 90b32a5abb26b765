"""Faults at one external call of an action: the process dies there, or the answer is lost.

The action runs in this process over the real Firestore and Stripe emulators; only the two ways
out are wrapped, so what happens between them is exactly the deployed code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from common.errors import Unavailable
from common.settings import Settings
from common.store.store import Store, Write, WriteConflict
from common.stripe_gateway.calls import Call, Json
from common.stripe_gateway.gateway import Gateway, Unanswered

T = TypeVar("T")
#: What may go wrong at any external call: before it has its effect, or after.
MODES = ("crash before", "crash after", "lost before", "lost after")
#: And at a commit: somebody else wrote in between; and at Stripe: it answers with a failure of its
#: own, which it repeats under the same key.
COMMIT_MODES, STRIPE_MODES = ("contended",), ("500 before", "500 after")


def modes_of(call: str) -> tuple[str, ...]:
    """The faults of one external call."""
    return MODES + (COMMIT_MODES if call == "commit" else STRIPE_MODES)


class Crash(BaseException):
    """The process is gone: nothing that handles errors may see it."""


_FAILURES: dict[str, Callable[[str], BaseException]] = {
    "crash": Crash,
    "lost": Unavailable,
    "contended": WriteConflict,
    "500": lambda _: Unanswered(),
}


@dataclass
class Faults:
    """What goes wrong, and where: the ``at``-th external call from now on (0 is the first).

    Attributes:
        struck: The call at which it went wrong, if it did.
    """

    at: int | None = None
    mode: str = ""
    calls: list[str] = field(default_factory=list)
    struck: str | None = None

    def around(self, name: str, effect: Callable[[], T]) -> T:
        """An external call with the fault that is due."""
        here = len(self.calls) == self.at
        self.calls.append(name)
        if not here or self.mode not in modes_of(name):
            return effect()
        self.struck = name
        if self.mode.endswith("after"):
            effect()
        raise _FAILURES[self.mode.split()[0]](name)


#: The faults of the request that this thread works for.
CURRENT: ContextVar[Faults] = ContextVar("faults", default=Faults())  # noqa: B039 - plans nothing


class FaultyStore(Store):
    """Firestore, whose commits may fail."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.project, settings.collections)

    def commit(self, writes: Sequence[Write]) -> datetime:
        return CURRENT.get().around("commit", lambda: super(FaultyStore, self).commit(writes))


class FaultyGateway(Gateway):
    """Stripe, whose changing calls may fail."""

    def perform(self, call: Call) -> Json:
        return CURRENT.get().around(call.method, lambda: super(FaultyGateway, self).perform(call))
