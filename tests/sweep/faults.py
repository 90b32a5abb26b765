"""Faults at one external call of an action: the process dies there, or the answer is lost.

The action runs in this process over the real Firestore and Stripe emulators; only the two ways
out are wrapped, so what happens between them is exactly the deployed code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from common.errors import Unavailable
from common.settings import Settings
from common.store.store import Store, Write
from common.stripe_gateway.calls import Call, Json
from common.stripe_gateway.gateway import Gateway

T = TypeVar("T")
MODES = ("crash before", "crash after", "lost before", "lost after")


class Crash(BaseException):
    """The process is gone: nothing that handles errors may see it."""


@dataclass
class Faults:
    """What goes wrong, and where: the ``at``-th external call from now on (0 is the first)."""

    at: int | None = None
    mode: str = ""
    calls: list[str] = field(default_factory=list)

    def around(self, name: str, effect: Callable[[], T]) -> T:
        """An external call with the fault that is due."""
        here = len(self.calls) == self.at
        self.calls.append(name)
        if not here:
            return effect()
        if self.mode.endswith("after"):
            effect()
        if self.mode.startswith("crash"):
            raise Crash(name)
        raise Unavailable(name)


class FaultyStore(Store):
    """Firestore, whose commits may fail."""

    def __init__(self, settings: Settings, faults: Faults) -> None:
        super().__init__(settings.project, settings.collections)
        self._faults = faults

    def commit(self, writes: Sequence[Write]) -> datetime:
        return self._faults.around("commit", lambda: super(FaultyStore, self).commit(writes))


class FaultyGateway(Gateway):
    """Stripe, whose changing calls may fail."""

    def __init__(self, settings: Settings, faults: Faults) -> None:
        super().__init__(settings)
        self._faults = faults

    def perform(self, call: Call) -> Json:
        return self._faults.around(call.method, lambda: super(FaultyGateway, self).perform(call))
