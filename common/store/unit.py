"""One request's work on the documents: its reads and commits, the guard that makes it once, and the
author who answers for it.

A guard is a document that exists from the first commit of the work on: the record of a client's
idempotency key, or the marker of a webhook event. It is read together with the work's first
documents and written together with its first commit, so it costs no round trip of its own. The
author's row goes with every commit that changes something.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from common import deadline
from common.errors import Unavailable
from common.ids import fresh
from common.store.collections import Key
from common.store.store import Create, Replace, Snapshot, Store, Write, WriteConflict

T = TypeVar("T")
Documents = Mapping[Key, Snapshot]
_ATTEMPTS = 40
_LONGEST_PAUSE_SECONDS = 0.25


class Guard(Protocol):
    """What makes a piece of work happen once."""

    @property
    def key(self) -> Key:
        """Its document."""

    def meet(self, found: Snapshot) -> None:
        """Look at what is stored. Raises what ends the work: a replay, a duplicate, a misuse."""

    def opening(self, writes: Sequence[Write] = ()) -> Write | None:
        """What the work's first commit adds; None where an earlier one of this work added it.

        Args:
            writes: What that commit writes besides.
        """

    def opened(self) -> None:
        """The first commit happened."""


class Author(Protocol):
    """Whose act it is."""

    def sign(self, unit: str, step: int, writes: Sequence[Write]) -> Sequence[Write]:
        """What a commit adds to tell who changed what."""


class Unit:
    """Reads and commits of one request."""

    def __init__(self, store: Store, author: Author, guard: Guard | None = None) -> None:
        self.store = store
        self.author = author
        self.guard = guard
        self._name = fresh("audit")
        self._commits = 0

    def read(self, *keys: Key) -> dict[Key, Snapshot]:
        """Documents by key in one RPC; the guard is met on the way."""
        guard = self.guard
        if guard is None or guard.opening() is None:
            return self.store.read(keys)
        found = self.store.read(dict.fromkeys((*keys, guard.key)))
        guard.meet(found[guard.key])
        return {key: found[key] for key in keys}

    def commit(self, writes: Sequence[Write]) -> dict[Key, Snapshot]:
        """Everything or nothing, in one RPC, the guard's document with the first.

        A commit that may have come through without its answer is not repeated under the same
        step: the author's rows tell only of what happened.

        Returns:
            The documents that were created or replaced, as they now are.
        """
        opening = self.guard.opening(writes) if self.guard else None
        self._commits += 1
        signed = self.author.sign(self._name, self._commits, writes)
        every = [*writes, *signed, *([opening] if opening else [])]
        if not every:
            return {}
        version = self.store.commit(every)
        if self.guard and opening:
            self.guard.opened()
        now: dict[Key, Snapshot] = {}
        for write in writes:
            if isinstance(write, Create):
                now[write.key] = Snapshot(write.key, write.data, version)
            elif isinstance(write, Replace):
                now[write.was.key] = Snapshot(write.was.key, write.data, version)
        return now

    def until_settled(self, work: Callable[[], T]) -> T:
        """Run ``work`` again whenever somebody else's write came in between.

        ``work`` reads, decides and commits; its decision must not depend on an earlier try.

        Raises:
            Unavailable: others kept winning for about five seconds, or the request's time is over.
        """
        for attempt in range(_ATTEMPTS):
            if deadline.left() <= 0:
                break
            try:
                return work()
            except WriteConflict:
                # Jitter: the losers must not meet again.
                longest = min(_LONGEST_PAUSE_SECONDS, 0.005 * 2 ** min(attempt, 10))
                time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret hangs on it
        raise Unavailable("Firestore")
