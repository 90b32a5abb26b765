"""Lists: newest first, cursors by object id, ranges of ``created``, filters by index."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from typing import Any

from emulator.stripe.errors import no_such, parameter_error
from emulator.stripe.store import Entry, Obj, Row, Store

_END = 1 << 62


def page(
    store: Store,
    kind: str,
    account: str,
    params: Mapping[str, Any],
    filters: Mapping[str, Any],
    url: str,
    keep: Callable[[Obj], bool] | None = None,
    rows: list[Entry] | None = None,
) -> Obj:
    """
    One page of the objects of ``account`` that match every filter.

    Args:
        params: ``limit``, ``starting_after``, ``ending_before``, ``created`` as checked values.
        filters: index name -> value; None values do not filter.
        keep: a further test of the objects themselves.
        rows: entries to page through instead of an index.

    Raises:
        StripeError: 400 ``resource_missing`` when a cursor names nothing.
    """
    if "starting_after" in params and "ending_before" in params:
        raise parameter_error(
            "Received both starting_after and ending_before parameters. Please pass in only one.",
            "starting_after",
        )
    wanted = [(name, value) for name, value in filters.items() if value is not None]
    entries = rows if rows is not None else _smallest(store, kind, account, wanted)
    table = store.tables[kind]

    def fits(row: Row) -> bool:
        held = row.keys
        return all((kind, account, name, value) in held for name, value in wanted) and (
            keep is None or keep(row.obj)
        )

    low, high = _bounds(entries, params.get("created"))
    limit = params.get("limit", 10)
    if "ending_before" in params:
        start = max(
            low, bisect_right(entries, _cursor(store, kind, account, params, "ending_before"))
        )
        found = _collect(entries, range(start, high), table, fits, limit + 1)
        data = found[:limit][::-1]
    else:
        if "starting_after" in params:
            high = min(
                high, bisect_left(entries, _cursor(store, kind, account, params, "starting_after"))
            )
        found = _collect(entries, range(high - 1, low - 1, -1), table, fits, limit + 1)
        data = found[:limit]
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": url}


def merged(
    store: Store, kind: str, account: str, keys: list[tuple[str, Any]], params: Mapping[str, Any],
    filtered: bool,
) -> list[Entry]:  # fmt: skip
    """
    The entries under any of several index keys, as far as one page can need them.

    Args:
        filtered: The page will skip some entries, so that it may need any of them.
    """
    most = params.get("limit", 10) + 1
    found: list[Entry] = []
    for name, value in keys:
        entries = store.index(kind, account, name, value)
        low, high = _bounds(entries, params.get("created"))
        if "ending_before" in params:
            cursor = _cursor(store, kind, account, params, "ending_before")
            low = max(low, bisect_left(entries, cursor))
            high = high if filtered else min(high, low + most + 1)
        else:
            if "starting_after" in params:
                cursor = _cursor(store, kind, account, params, "starting_after")
                high = min(high, bisect_right(entries, cursor))
            low = low if filtered else max(low, high - most - 1)
        found += entries[low:high]
    return sorted(found)


def whole(data: list[Obj], url: str, **more: Any) -> Obj:
    """A list shown inside another object, complete."""
    return {"object": "list", "data": data, "has_more": False, **more, "url": url}


def _smallest(store: Store, kind: str, account: str, wanted: list[tuple[str, Any]]) -> list[Entry]:
    if not wanted:
        return store.index(kind, account)
    return min((store.index(kind, account, name, value) for name, value in wanted), key=len)


def _collect(
    entries: list[Entry],
    positions: range,
    table: dict[str, Row],
    fits: Callable[[Row], bool],
    most: int,
) -> list[Obj]:
    found: list[Obj] = []
    for position in positions:
        row = table[entries[position][2]]
        if fits(row):
            found.append(row.obj)
            if len(found) == most:
                break
    return found


def _bounds(entries: list[Entry], created: Any) -> tuple[int, int]:
    """The slice of entries whose creation lies in the range."""
    if created is None:
        return 0, len(entries)
    if isinstance(created, int):
        created = {"gte": created, "lte": created}
    low, high = 0, len(entries)
    if "gte" in created:
        low = max(low, bisect_left(entries, (created["gte"], 0, "")))
    if "gt" in created:
        low = max(low, bisect_right(entries, (created["gt"], _END, "")))
    if "lt" in created:
        high = min(high, bisect_left(entries, (created["lt"], 0, "")))
    if "lte" in created:
        high = min(high, bisect_right(entries, (created["lte"], _END, "")))
    return low, high


def _cursor(store: Store, kind: str, account: str, params: Mapping[str, Any], name: str) -> Entry:
    id = params[name]
    row = store.tables[kind].get(id)
    if row is None or row.account != account:
        raise no_such(row_noun(store, kind), id, param=name, status=400)
    return (*row.order, row.id)


def row_noun(store: Store, kind: str) -> str:
    known = store.kinds[kind]
    return known.noun or known.name
