"""
Every object the emulator knows, with undo, ordered indexes and an optional journal.

Objects are Stripe's JSON as plain dicts. Members whose name starts with ``_`` are the emulator's
own and are never shown. An object is changed only through ``edit`` inside a transaction, which
hands out a private copy, so a request that fails half way leaves nothing behind.
"""

from __future__ import annotations

import marshal
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

Obj = dict[str, Any]
Order = tuple[int, int]  # (created, running number): newest last, whatever the clock does
Entry = tuple[int, int, str]  # an Order and the id it belongs to
IndexKey = tuple[str, str, str, Any]  # kind, account, field, value


@dataclass(frozen=True)
class Kind:
    """
    What the store knows of one type of object.

    Args:
        name: The wire's ``object`` (or a private name starting with ``_``).
        prefix: Of its ids.
        noun: In "No such <noun>".
        param: Named in the 404 of an id in the path.
        indexes: Members by which lists filter; a callable computes the values to be found under.
        included: Members computed when the object is shown (sub-lists).
        includable: The same, only when asked for with ``expand``.
        verbatim: Members computed when shown and then left exactly as they are (snapshots).
        listed: Whether it can be listed at all.
    """

    name: str
    prefix: str
    noun: str = ""
    param: str = "id"
    indexes: tuple[str, ...] = ()
    terms: Callable[[Obj], Iterable[tuple[str, Any]]] | None = None
    included: dict[str, Callable[..., Any]] = field(default_factory=dict)
    includable: dict[str, Callable[..., Any]] = field(default_factory=dict)
    verbatim: dict[str, Callable[[Obj], Any]] = field(default_factory=dict)
    listed: bool = True


class Row:
    """One object and where it stands in its indexes."""

    __slots__ = ("account", "id", "keys", "kind", "obj", "order")

    def __init__(self, kind: Kind, id: str, account: str, order: Order, obj: Obj) -> None:
        self.kind = kind
        self.id = id
        self.account = account
        self.order = order
        self.obj = obj
        self.keys: frozenset[IndexKey] = frozenset()


class Journal(Protocol):
    """Where committed changes go (see ``journal.py``)."""

    def write(self, saved: list[Row], deleted: list[Row]) -> None: ...

    def set(self, name: str, value: str) -> None: ...


def copy(obj: Any) -> Any:
    """A deep copy of plain JSON data, several times faster than ``copy.deepcopy``."""
    return marshal.loads(marshal.dumps(obj))  # noqa: S302 - what this process just made


class Store:
    """Tables by kind, one table of all ids, and indexes in order of creation."""

    def __init__(self, kinds: Iterable[Kind], journal: Journal | None = None) -> None:
        self.kinds = {kind.name: kind for kind in kinds}
        self.journal = journal
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in self.kinds}
        self.rows: dict[str, Row] = {}
        self.indexes: dict[IndexKey, list[Entry]] = {}
        self.sequence = 0
        self._before: dict[str, Obj | None] = {}
        self._removed: dict[str, Row] = {}
        self._open = False

    # -- reading ------------------------------------------------------------------------------

    def find(self, kind: str, id: str) -> Obj | None:
        """The object, to be read and not changed."""
        row = self.tables[kind].get(id)
        return row.obj if row else None

    def get(self, kind: str, id: str) -> Obj:
        """The object that must be there."""
        return self.tables[kind][id].obj

    def all(self, kind: str) -> Iterator[Obj]:
        """Every object of a kind in order of insertion; for control calls, never for requests."""
        return (row.obj for row in list(self.tables[kind].values()))

    def index(self, kind: str, account: str, name: str = "", value: Any = None) -> list[Entry]:
        """Entries, oldest first, of the objects of ``account`` whose ``name`` is ``value``."""
        return self.indexes.get((kind, account, name, value), [])

    def matching(self, kind: str, account: str, name: str, value: Any) -> list[Obj]:
        """The objects under one index key, oldest first."""
        table = self.tables[kind]
        return [table[entry[2]].obj for entry in self.index(kind, account, name, value)]

    def before(self, id: str) -> Obj | None:
        """The object as it was when the transaction began (None: it was not there)."""
        return self._before[id] if id in self._before else self.rows[id].obj

    # -- writing ------------------------------------------------------------------------------

    def begin(self) -> None:
        assert not self._open, "transactions do not nest"
        self._open = True

    def insert(self, kind: str, obj: Obj, account: str, created: int = 0) -> Obj:
        """Add ``obj`` (it may still be changed until the commit) and index it."""
        assert self._open, "changes need a transaction"
        self.sequence += 1
        id = obj["id"]
        assert id not in self.rows, f"{id} exists"
        row = Row(self.kinds[kind], id, account, (created, self.sequence), obj)
        removed = self._removed.pop(id, None)
        if removed is not None:
            self._before[id] = self._before.get(id, removed.obj)
        else:
            self._before[id] = None
        self._attach(row)
        return obj

    def edit(self, kind: str, id: str) -> Obj:
        """The transaction's own copy of an object; what is done to it is kept by the commit."""
        assert self._open, "changes need a transaction"
        row = self.tables[kind][id]
        if id not in self._before:
            self._before[id] = row.obj
            row.obj = copy(row.obj)
        return row.obj

    def delete(self, kind: str, id: str) -> None:
        assert self._open, "changes need a transaction"
        row = self.tables[kind].pop(id)
        del self.rows[id]
        self._unindex(row)
        if id in self._before and self._before[id] is None:
            del self._before[id]
            return
        if id in self._before:
            before = self._before.pop(id)
            assert before is not None
            row.obj = before
        self._removed[id] = row

    def commit(self) -> None:
        saved = [self.rows[id] for id in self._before]
        for row in saved:
            self._reindex(row)
        if self.journal is not None and (saved or self._removed):
            self.journal.write(saved, list(self._removed.values()))
        self._end()

    def rollback(self) -> None:
        for id, before in self._before.items():
            row = self.rows[id]
            if before is None:
                del self.tables[row.kind.name][id]
                del self.rows[id]
                self._unindex(row)
            else:
                row.obj = before
        for row in self._removed.values():
            self._attach(row)
        self._end()

    def load(self, kind: str, id: str, account: str, order: Order, obj: Obj) -> None:
        """Put back what a journal kept."""
        self.sequence = max(self.sequence, order[1])
        self._attach(Row(self.kinds[kind], id, account, order, obj))

    def _end(self) -> None:
        self._before, self._removed, self._open = {}, {}, False

    # -- indexes ------------------------------------------------------------------------------

    def _attach(self, row: Row) -> None:
        self.tables[row.kind.name][row.id] = row
        self.rows[row.id] = row
        self._reindex(row)

    def _keys(self, row: Row) -> frozenset[IndexKey]:
        kind = row.kind
        if not kind.listed or row.obj.get("deleted"):
            return frozenset()
        keys: list[IndexKey] = [(kind.name, row.account, "", None)]
        for name in kind.indexes:
            value = row.obj.get(name)
            if value is not None:
                keys.append((kind.name, row.account, name, value))
        if kind.terms is not None:
            keys += [(kind.name, row.account, name, value) for name, value in kind.terms(row.obj)]
        return frozenset(keys)

    def _reindex(self, row: Row) -> None:
        keys = self._keys(row)
        if keys == row.keys:
            return
        entry = (*row.order, row.id)
        for key in row.keys - keys:
            self._drop(key, entry)
        for key in keys - row.keys:
            insort(self.indexes.setdefault(key, []), entry)
        row.keys = keys

    def _unindex(self, row: Row) -> None:
        for key in row.keys:
            self._drop(key, (*row.order, row.id))
        row.keys = frozenset()

    def _drop(self, key: IndexKey, entry: Entry) -> None:
        entries = self.indexes[key]
        del entries[bisect_left(entries, entry)]
        if not entries:
            del self.indexes[key]
