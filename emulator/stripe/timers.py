"""
What happens later: by the clock (funds available, payouts paid) or in a moment (``soon``).

Timers are rows of the store, so they are undone with a failed request and survive a restart; the
heap only finds the next one quickly and may hold entries whose row is gone.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

from emulator.stripe.store import Kind, Obj

if TYPE_CHECKING:
    from emulator.stripe.world import World

TIMER = Kind("_timer", "timer", listed=False)
SOON_SECONDS = 0.02
"""How long the steps take that take seconds at Stripe (real time)."""

Handler = Callable[["World", Obj], None]
HANDLERS: dict[str, Handler] = {}


def timer(name: str) -> Callable[[Handler], Handler]:
    """Registers the function that runs timers of this name."""

    def register(function: Handler) -> Handler:
        assert name not in HANDLERS, name
        HANDLERS[name] = function
        return function

    return register


class Timers:
    """Schedules, cancels and finds due timers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._heap: list[tuple[float, int, str]] = []
        self.soon_pending: set[str] = set()

    def at(
        self,
        due: float,
        name: str,
        args: Obj,
        key: str | None = None,
        soon: bool = False,
        clock: str | None = None,
    ) -> str:
        """
        Run ``name`` with ``args`` once the clock reaches ``due``.

        Args:
            key: Timers with the same key are one: scheduling again replaces it.
            clock: Id of the test clock it waits for instead of the emulator's own.
        """
        assert name in HANDLERS, name
        store = self._world.store
        id = f"timer_{key}" if key else self._world.ids.new("timer", 12)
        if store.find("_timer", id) is not None:
            self.cancel(id)
        row = {"id": id, "name": name, "args": args, "due": due, "soon": soon, "clock": clock}
        store.insert("_timer", row, "", int(due))
        if clock is not None:
            return id
        heapq.heappush(self._heap, (due, store.sequence, id))
        if soon:
            self.soon_pending.add(id)
        return id

    def soon(self, name: str, args: Obj, key: str | None = None) -> str:
        """A step that takes Stripe seconds: a few milliseconds here, and ``idle`` waits for it."""
        due = self._world.clock.main_time() + SOON_SECONDS
        return self.at(due, name, args, key, soon=True)

    def find(self, key: str) -> Obj | None:
        return self._world.store.find("_timer", f"timer_{key}")

    def cancel(self, id: str) -> None:
        if self._world.store.find("_timer", id) is not None:
            self._world.store.delete("_timer", id)

    def cancel_key(self, key: str) -> None:
        self.cancel(f"timer_{key}")

    def next_due(self) -> float | None:
        """When the next timer is due, by the emulator's clock."""
        while self._heap:
            due, _, id = self._heap[0]
            row = self._world.store.find("_timer", id)
            if row is not None and row["due"] == due:
                return due
            heapq.heappop(self._heap)
        return None

    def pop(self) -> Obj:
        """Take the next timer off; call within a transaction after ``next_due`` found one."""
        _, _, id = self._heap[0]
        row = self._world.store.get("_timer", id)
        self._world.store.delete("_timer", id)
        return row

    def rebuild(self) -> None:
        """Make the heap anew from the rows (after a restart, a rollback or a move of the clock)."""
        rows = self._world.store.tables["_timer"].values()
        self._heap = [
            (row.obj["due"], row.order[1], row.id) for row in rows if row.obj["clock"] is None
        ]
        heapq.heapify(self._heap)
        self.soon_pending = {row.id for row in rows if row.obj["soon"]}

    def first_of(self, clock: str, until: float) -> Obj | None:
        """The next timer of a test clock that is due by ``until``."""
        rows = self._world.store.tables["_timer"].values()
        due = [r for r in rows if r.obj["clock"] == clock and r.obj["due"] <= until]
        return min(due, key=lambda r: (r.obj["due"], r.order[1])).obj if due else None

    def busy(self) -> bool:
        """Whether a step that does not wait for the clock is still to run."""
        table = self._world.store.tables["_timer"]
        if self.soon_pending:
            self.soon_pending = {id for id in self.soon_pending if id in table}
        return bool(self.soon_pending)

    def shift_soon(self, seconds: float) -> None:
        """The clock moved back: steps that only wait a moment still wait only that."""
        store = self._world.store
        for id in [id for id in self.soon_pending if store.find("_timer", id)]:
            store.edit("_timer", id)["due"] += seconds
        self._heap = []
