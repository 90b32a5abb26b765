"""The emulated Stripe: its objects, its time and the one way to change either."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from emulator.stripe.clock import Clock
from emulator.stripe.errors import StripeError
from emulator.stripe.ids import Ids, base62
from emulator.stripe.money import FeeSchedule
from emulator.stripe.render import Renderer
from emulator.stripe.store import Journal, Kind, Obj, Store
from emulator.stripe.timers import HANDLERS, Timers

API_VERSION = "2026-10-28.endive"
log = logging.getLogger("emulator.stripe")


@dataclass(frozen=True)
class Config:
    """What does not change while the emulator runs."""

    secret_key: str
    publishable_key: str
    url: str
    seed: str
    fees: FeeSchedule = field(default_factory=FeeSchedule)
    settlement: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The request that events are said to come from; both None for what Stripe does by itself."""

    request_id: str | None = None
    idempotency_key: str | None = None


class World:
    """All state of one emulator; every change happens inside ``transaction``."""

    def __init__(
        self, config: Config, clock: Clock, kinds: list[Kind], journal: Journal | None = None
    ) -> None:
        self.config = config
        self.clock = clock
        self.store = Store(kinds, journal)
        self.ids = Ids(config.seed)
        self.timers = Timers(self)
        self.renderer = Renderer(self, self.store)
        self.platform = f"acct_{base62(f'{config.seed}:platform', 16)}"
        self.origin = Origin()
        self.last_shown: dict[str, Obj] = {}
        self.outbox: list[str] = []
        self.failures: list[str] = []
        self.settlement = config.settlement
        self.committed: list[Callable[[list[str]], None]] = []
        """Called after each commit with the ids of the deliveries it made."""

    @property
    def now(self) -> int:
        return self.clock.now()

    @contextmanager
    def transaction(self, origin: Origin | None = None, at: float | None = None) -> Iterator[None]:
        """
        One atomic step at one instant: all of its changes are kept, or none.

        A ``StripeError`` with ``keeps_effect`` commits and is raised all the same.
        """
        self.store.begin()
        self.clock.freeze(at)
        self.origin = origin or Origin()
        try:
            yield
        except BaseException as exc:
            if isinstance(exc, StripeError) and exc.keeps_effect:
                self._commit()
            else:
                self.store.rollback()
                self._settle()
            raise
        self._commit()

    def _commit(self) -> None:
        deliveries = self.outbox
        self.outbox = []
        self.store.commit()
        self._settle()
        for notify in self.committed:
            notify(deliveries)

    def _settle(self) -> None:
        self.outbox = []
        self.last_shown = {}
        self.origin = Origin()
        self.clock.thaw()

    def run_due(self, until: float) -> None:
        """Run every timer due by ``until``, in order, each at the instant it was due."""
        while (due := self.timers.next_due()) is not None and due <= until:
            try:
                with self.transaction(at=due):
                    row = self.timers.pop()
                    HANDLERS[row["name"]](self, row["args"])
            except Exception as exc:
                self._drop_failed(due, exc)

    def _drop_failed(self, due: float, exc: Exception) -> None:
        """A timer that cannot run is a fault of the emulator: it is reported, not repeated."""
        with self.transaction(at=due):
            row = self.timers.pop()
        log.exception("timer %s failed", row["name"], exc_info=exc)
        self.failures.append(f"{row['name']}: {exc!r}")

    def move_clock(self, seconds: int) -> None:
        """Shift the time; noted first in the state file, then in the clock file."""
        if self.store.journal is not None:
            self.store.journal.set("offset", str(self.clock.offset_seconds + seconds))
        self.clock.move(seconds)

    def settle_in(self, currencies: tuple[str, ...]) -> None:
        """Charges from now on settle in these currencies (none: each in its own)."""
        if self.store.journal is not None:
            self.store.journal.set("settlement", ",".join(currencies))
        self.settlement = currencies

    def show(self, obj: Obj) -> Obj:
        return self.renderer.show(obj)
