"""Firestore as this service uses it: keyed reads, single commits with preconditions, queries.

There is no read-then-write transaction here: two of them that share a document wait out each
other's locks for seconds, one commit with preconditions does not
(docs/decisions/0003-single-commits-with-preconditions.md). A commit is one RPC and all or nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from common import deadline
from common.errors import Unavailable
from common.store.collections import Key

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.cloud.firestore import Client, DocumentReference, WriteBatch

Document = dict[str, Any]
#: One try of an RPC, and all tries of a read together; real time, and never beyond the request's.
TRY_SECONDS, READ_SECONDS = 10.0, 20.0
#: RPCs of the current request; the log line reports it.
rpc_count: ContextVar[list[int] | None] = ContextVar("firestore_rpcs", default=None)


class WriteConflict(Exception):
    """A precondition did not hold: somebody else wrote in between. Read again and decide again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document as it was read; ``data`` is None where there is none."""

    key: Key
    data: Document | None
    version: datetime | None

    def require(self) -> Document:
        """The data of a document that must exist."""
        assert self.data is not None, f"{self.key.collection} document expected"
        return self.data


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist yet."""

    key: Key
    data: Document


@dataclass(frozen=True, slots=True)
class Replace:
    """Write a document that must still be as it was read (or still absent)."""

    was: Snapshot
    data: Document


@dataclass(frozen=True, slots=True)
class Patch:
    """Set fields of a document that must exist, whoever else writes its others.

    Attributes:
        fields: Field path (see ``path``) -> value; ``REMOVE`` takes the field away.
        version: The version it must still have; None where that does not matter.
    """

    key: Key
    fields: Mapping[str, Any]
    version: datetime | None = None


@dataclass(frozen=True, slots=True)
class Add:
    """Add to integer fields; a document that is not there is made with ``fixed`` fields.

    Attributes:
        deltas: A field's name, or the names on the way to a nested one -> what to add.
    """

    key: Key
    fixed: Mapping[str, Any]
    deltas: Mapping[str, int] | Mapping[tuple[str, ...], int]


#: As a patch's value: take the field away.
REMOVE = object()
Write = Create | Replace | Patch | Add
Filter = tuple[str, str, Any]


class Store:
    """The documents. Safe to share between threads; the client is made at first use."""

    def __init__(self, project: str, names: Mapping[str, str]) -> None:
        self._project = project
        self._names = names
        self._lock = threading.Lock()
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The Firestore client of this process."""
        with self._lock:
            if self._client is None:
                from google.cloud.firestore import Client

                self._client = Client(project=self._project)
            return self._client

    def name(self, collection: str) -> str:
        """A collection's name in Firestore."""
        return self._names.get(collection, collection)

    def _ref(self, key: Key) -> DocumentReference:
        return self.client.collection(self.name(key.collection)).document(key.id)

    def read(self, keys: Iterable[Key]) -> dict[Key, Snapshot]:
        """Documents by key, absent ones included, in one RPC."""
        refs = {self._ref(key)._document_path: key for key in keys}
        if not refs:
            return {}
        found: dict[Key, Snapshot] = {}
        with _Rpc():
            for snap in self.client.get_all(
                [self._ref(key) for key in refs.values()], retry=_reading(), timeout=_try_seconds()
            ):
                key = refs[snap.reference._document_path]
                found[key] = Snapshot(
                    key, snap.to_dict(), snap.update_time if snap.exists else None
                )
        return found

    def commit(self, writes: Sequence[Write]) -> datetime:
        """All the writes or none, in one RPC.

        Returns:
            The version that every document of ``writes`` now has.

        Raises:
            WriteConflict: a precondition failed; nothing was written.
            Unavailable: Firestore did not answer; the outcome is unknown.
        """
        batch = self.client.batch()
        for write in writes:
            self._add(batch, write)
        with _Rpc():
            # Never tried again by the client: without an answer its outcome is not known, and
            # whoever asks again reads first.
            results = batch.commit(retry=None, timeout=_try_seconds())
        version: datetime = batch.commit_time or results[-1].update_time
        return version

    def _add(self, batch: WriteBatch, write: Write) -> None:
        from google.cloud import firestore

        match write:
            case Create(key, data):
                batch.create(self._ref(key), data)
            case Replace(was, data) if was.data is None:
                batch.create(self._ref(was.key), data)
            case Replace(was, data):
                guard: Any = self.client.write_option(last_update_time=was.version)
                batch.update(self._ref(was.key), _changes(was.data or {}, data), option=guard)
            case Patch(key, fields, version):
                option: Any = version and self.client.write_option(last_update_time=version)
                values = {
                    n: firestore.DELETE_FIELD if v is REMOVE else v for n, v in fields.items()
                }
                batch.update(self._ref(key), values, option=option)
            case Add(key, fixed, deltas):
                sums: Document = {}
                for name, delta in deltas.items():
                    *way, last = (name,) if isinstance(name, str) else name
                    at = sums
                    for step in way:
                        at = at.setdefault(step, {})
                    at[last] = firestore.Increment(delta)
                batch.set(self._ref(key), {**fixed, **sums}, merge=True)

    def query(
        self,
        collection: str,
        where: Sequence[Filter],
        *,
        order: Sequence[tuple[str, str]] = (),
        limit: int = 100,
        after: Sequence[Any] | None = None,
    ) -> list[Snapshot]:
        """A page of documents that match, in one RPC.

        Args:
            order: Fields with ``ASCENDING`` or ``DESCENDING``; ``after`` holds their last values.
        """
        query = self._matching(collection, where)
        for name, direction in order:
            query = query.order_by(name, direction=direction)
        if after is not None:
            query = query.start_after(
                {name: value for (name, _), value in zip(order, after, strict=True)}
            )
        with _Rpc():
            return [
                Snapshot(Key(collection, snap.id), snap.to_dict(), snap.update_time)
                for snap in query.limit(limit).stream(retry=_reading(), timeout=_try_seconds())
            ]

    def _matching(self, collection: str, where: Sequence[Filter]) -> Any:
        from google.cloud.firestore_v1.base_query import FieldFilter

        query: Any = self.client.collection(self.name(collection))
        for name, operator, value in where:
            query = query.where(filter=FieldFilter(name, operator, value))
        return query

    def count(self, collection: str, where: Sequence[Filter]) -> int:
        """How many documents match, in one RPC that reads none of them."""
        return self._aggregated(self._matching(collection, where).count(alias="n"))["n"]

    def sums(
        self, collection: str, where: Sequence[Filter], fields: Sequence[str]
    ) -> dict[str, int]:
        """The sums of integer fields over the documents that match and have all of them.

        One RPC that reads none of them.

        Args:
            fields: Field paths, five at most; the composite index ends with them, in this order.

        Source: https://firebase.google.com/docs/firestore/query-data/aggregation-queries.
        """
        asked: Any = None
        for number, name in enumerate(fields):
            asked = (asked or self._matching(collection, where)).sum(name, alias=f"f{number}")
        told = self._aggregated(asked)
        return {name: told[f"f{number}"] for number, name in enumerate(fields)}

    def _aggregated(self, asked: Any) -> dict[str, int]:
        with _Rpc():
            rows = asked.get(retry=_reading(), timeout=_try_seconds())
        # the client reads an integer 0 as a float
        found = {one.alias: one.value or 0 for row in rows for one in row}
        assert all(type(value) is int for value in found.values()), "only integers are summed"
        return found


def _try_seconds() -> float:
    """What one try may take.

    Raises:
        Unavailable: the request's time is over.
    """
    left = deadline.left()
    if left <= 0:
        raise Unavailable("Firestore")
    return min(TRY_SECONDS, left)


def _reading() -> Retry:
    """A read's tries: with pauses that grow and differ, and an end.

    The client's own would go on for 300 s, longer than any function may run.
    """
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type

    again = if_exception_type(
        exceptions.Aborted,
        exceptions.DeadlineExceeded,
        exceptions.InternalServerError,
        exceptions.ResourceExhausted,
        exceptions.ServiceUnavailable,
    )
    patience = max(0.0, min(READ_SECONDS, deadline.left()))
    return Retry(predicate=again, initial=0.05, multiplier=2, maximum=2, timeout=patience)


def path(*names: str) -> str:
    """The path of a nested field, each name quoted where it must be."""
    return ".".join(_quoted(name) for name in names)


def _changes(was: Document, now: Document) -> Document:
    """The top-level fields that differ; at least one, since an update must change something."""
    from google.cloud import firestore

    changed = {name: value for name, value in now.items() if name not in was or was[name] != value}
    changed.update({name: firestore.DELETE_FIELD for name in was if name not in now})
    if not changed:
        name = next(iter(now))
        return {name: now[name]}
    return {_quoted(name): value for name, value in changed.items()}


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


class _Rpc:
    """Counts an RPC and names its failure in our words."""

    def __enter__(self) -> None:
        counter = rpc_count.get()
        if counter is not None:
            counter[0] += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if error is None:
            return
        from google.api_core import exceptions

        lost = (
            exceptions.FailedPrecondition,
            exceptions.AlreadyExists,
            exceptions.NotFound,
            exceptions.Aborted,
        )
        if isinstance(error, lost):
            raise WriteConflict(str(type(error).__name__)) from error
        if isinstance(error, (exceptions.GoogleAPICallError, exceptions.RetryError)):
            raise Unavailable("Firestore") from error
