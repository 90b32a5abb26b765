"""A unit of work on the running stack's Firestore: its guard, its conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from common.errors import Unavailable
from common.store import unit as unit_module
from common.store.collections import Key
from common.store.store import Create, Patch, Replace, Snapshot, Store, Write, WriteConflict, path
from common.store.unit import Unit
from emulator.stack.handle import RunningStack
from tests.support.market import fresh


class Met(Exception):
    """The guard's document was there."""


@dataclass
class OnceOnly:
    """A guard as the idempotency record and the event marker are."""

    key: Key = field(default_factory=lambda: Key("unitTests", fresh("guard")))
    stands: bool = False

    def meet(self, found: Snapshot) -> None:
        if found.data is not None:
            raise Met

    def opening(self, writes: Sequence[Write] = ()) -> Write | None:
        return None if self.stands else Create(self.key, {"stands": True})

    def opened(self) -> None:
        self.stands = True


class Nobody:
    """An author whose acts leave no row."""

    def sign(self, unit: str, step: int, writes: Sequence[Write]) -> Sequence[Write]:
        return ()


NOBODY = Nobody()


@pytest.fixture
def store(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore)
    store = Store(stack.project, {})
    yield store
    store.client.close()  # type: ignore[no-untyped-call]


def a_key() -> Key:
    return Key("unitTests", fresh("document"))


def test_the_guard_is_written_with_the_first_commit_and_only_with_it(store: Store) -> None:
    guard, one, two = OnceOnly(), a_key(), a_key()
    work = Unit(store, NOBODY, guard)
    assert work.read(one)[one].data is None
    work.commit([Create(one, {"n": 1})])
    assert store.read([guard.key])[guard.key].data == {"stands": True}
    work.commit([Create(two, {"n": 2})])
    assert store.read([two])[two].data == {"n": 2}


def test_a_second_unit_with_the_same_guard_meets_it_at_its_first_read(store: Store) -> None:
    guard, key = OnceOnly(), a_key()
    Unit(store, NOBODY, guard).commit([])
    with pytest.raises(Met):
        Unit(store, NOBODY, OnceOnly(guard.key)).read(key)


def test_a_commit_whose_guard_stands_already_writes_nothing_at_all(store: Store) -> None:
    guard, key = OnceOnly(), a_key()
    Unit(store, NOBODY, guard).commit([])
    with pytest.raises(WriteConflict):
        Unit(store, NOBODY, OnceOnly(guard.key)).commit([Create(key, {"n": 1})])
    assert store.read([key])[key].data is None


def test_what_was_read_before_somebody_elses_write_cannot_be_replaced(store: Store) -> None:
    key = a_key()
    mine, theirs = Unit(store, NOBODY), Unit(store, NOBODY)
    mine.commit([Create(key, {"n": 0})])
    stale = mine.read(key)[key]
    theirs.commit([Replace(theirs.read(key)[key], {"n": 1})])
    with pytest.raises(WriteConflict):
        mine.commit([Replace(stale, {"n": 2})])
    assert store.read([key])[key].data == {"n": 1}


def test_work_that_meets_a_conflict_is_done_again_from_its_reading(store: Store) -> None:
    key, other = a_key(), Unit(store, NOBODY)
    other.commit([Create(key, {"n": 0})])
    mine, tries = Unit(store, NOBODY), 0

    def add() -> int:
        nonlocal tries
        tries += 1
        was = mine.read(key)[key]
        if tries == 1:
            other.commit([Patch(key, {"n": 10})])
        n = int(was.require()["n"]) + 1
        mine.commit([Replace(was, {"n": n})])
        return n

    assert mine.until_settled(add) == 11
    assert tries == 2


def test_work_that_never_wins_ends_in_an_open_outcome(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_module, "_LONGEST_PAUSE_SECONDS", 0)

    def lose() -> None:
        raise WriteConflict("again")

    with pytest.raises(Unavailable):
        Unit(store, NOBODY).until_settled(lose)


def test_a_replaced_document_knows_the_version_it_now_has(store: Store) -> None:
    key, work = a_key(), Unit(store, NOBODY)
    made = work.commit([Create(key, {"n": 0})])[key]
    changed = work.commit([Replace(made, {"n": 1, "m": None})])[key]
    work.commit([Replace(changed, {"n": 2})])
    assert store.read([key])[key].data == {"n": 2}


def test_field_paths_quote_what_is_no_plain_name() -> None:
    assert path("claims", "plain") == "claims.plain"
    assert path("claims", "booking-1") == "claims.`booking-1`"
    assert path("transfers", "tr_1", "updatedAt") == "transfers.tr_1.updatedAt"
