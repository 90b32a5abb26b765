"""
``/search``: Stripe's query language over the indexes.

``field:"value"``, ``metadata["key"]:"value"``, ``amount>1000``, ``-field:"x"``, joined by AND or by
OR (never both). Terms on indexed fields choose the objects to look at, the rest only filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emulator.stripe.errors import parameter_error
from emulator.stripe.lists import row_noun
from emulator.stripe.params import integer, text
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Entry, Obj

_TERM = re.compile(
    r"""\s*(?P<not>-)?(?P<field>[a-z_.]+)(\[\s*["'](?P<key>[^"']*)["']\s*\])?\s*"""
    r"""(?P<op>:|~|<=|>=|<|>)\s*("(?P<quoted>(\\.|[^"\\])*)"|'(?P<single>(\\.|[^'\\])*)'|(?P<bare>[^\s"']+))\s*"""
)
_JOIN = re.compile(r"\s*(AND|OR)\s+")
_COMPARE = {
    ">": lambda have, want: have > want,
    "<": lambda have, want: have < want,
    ">=": lambda have, want: have >= want,
    "<=": lambda have, want: have <= want,
}


@dataclass(frozen=True)
class Term:
    field: str
    key: str | None
    op: str
    value: str
    negated: bool

    def matches(self, obj: Obj) -> bool:
        held: Any = obj
        for part in self.field.split("."):
            held = held.get(part) if isinstance(held, dict) else None
        if self.key is not None:
            held = held.get(self.key) if isinstance(held, dict) else None
        return self._compare(held) != self.negated

    def _compare(self, held: Any) -> bool:
        if self.value == "null":
            return held is None
        if held is None:
            return False
        if self.op == "~":
            return self.value.lower() in str(held).lower()
        if self.op == ":":
            shown = str(held).lower() if isinstance(held, bool) else str(held)
            return shown.lower() == self.value.lower()
        try:
            return bool(_COMPARE[self.op](held, int(self.value)))
        except (TypeError, ValueError):
            return False


def parse(query: str) -> tuple[list[Term], str]:
    """The terms and what joins them; raises Stripe's 400 for a query it could not read."""
    terms: list[Term] = []
    joins: set[str] = set()
    place = 0
    while True:
        match = _TERM.match(query, place)
        if match is None:
            raise parameter_error(
                "We were unable to parse your search query. Try using the format "
                '`metadata["key"]:"value"` to query for metadata or key:"value" to query for other '
                "fields.",
                "query",
            )
        quoted = match["quoted"] if match["quoted"] is not None else match["single"]
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else match["bare"]
        terms.append(Term(match["field"], match["key"], match["op"], value, bool(match["not"])))
        place = match.end()
        if place == len(query):
            break
        join = _JOIN.match(query, place)
        if join is None:
            joins.add("AND")  # terms that stand side by side
        else:
            joins.add(join[1])
            place = join.end()
    if len(joins) > 1:
        raise parameter_error("You cannot combine AND and OR in one search query.", "query")
    return terms, (joins or {"AND"}).pop()


def metadata_terms(obj: Obj) -> Iterable[tuple[str, Any]]:
    """Index terms for the metadata of an object."""
    return [
        (f"metadata.{key}", value.lower()) for key, value in (obj.get("metadata") or {}).items()
    ]


def _entries(call: Call, kind: str, terms: list[Term], join: str) -> list[Entry]:
    store = call.world.store
    indexed = store.kinds[kind].indexes
    best = store.index(kind, call.account)
    if join == "OR":
        return best
    for term in terms:
        if term.negated or term.op != ":" or term.value == "null":
            continue
        if term.field == "metadata" and term.key is not None:
            found = store.index(kind, call.account, f"metadata.{term.key}", term.value.lower())
        elif term.key is None and term.field in indexed:
            found = store.index(kind, call.account, term.field, term.value)
        else:
            continue
        best = min(best, found, key=len)
    return best


def searching(kind: str, path: str) -> Operation:
    """A search operation; ``page`` is the place the next page begins at."""

    def run(call: Call) -> Obj:
        terms, join = parse(call.params["query"])
        test = all if join == "AND" else any
        store = call.world.store
        start = _place(call)
        limit = call.params.get("limit", 10)
        found: list[Obj] = []
        for entry in reversed(_entries(call, kind, terms, join)):
            obj = store.get(kind, entry[2])
            if (start is None or entry < start) and test(term.matches(obj) for term in terms):
                found.append(obj)
                if len(found) > limit:
                    break
        more = len(found) > limit
        return {
            "object": "search_result",
            "data": found[:limit],
            "has_more": more,
            "next_page": found[limit - 1]["id"] if more else None,
            "url": path,
        }

    def _place(call: Call) -> Entry | None:
        if "page" not in call.params:
            return None
        row = call.world.store.tables[kind].get(call.params["page"])
        if row is None:
            raise parameter_error(
                f"Invalid page for {row_noun(call.world.store, kind)} search", "page"
            )
        return (*row.order, row.id)

    params = {"query": text().needed(), "limit": integer(1, 100), "page": text()}
    return Operation("GET", path, run, params)
