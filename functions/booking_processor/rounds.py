"""How a maintenance run goes through what is due: page by page, each item in a unit of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from common import logs
from common.context import Context
from common.store.store import Filter, Snapshot

T = TypeVar("T")
#: Items of one page, and pages of one kind in one run.
PAGE, MOST_PAGES = 200, 10


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a run.

    Attributes:
        counted: The field of the answer that counts what was done.
        due: What is to be done now.
        work: Does one item; True if that changed something.
    """

    counted: str
    due: Callable[[Context], Iterable[Any]]
    work: Callable[[Context, Any], bool]


def each(
    context: Context, items: Iterable[T], work: Callable[[Context, T], bool]
) -> tuple[int, int]:
    """Do ``work`` for every item, each in a unit of its own.

    Returns:
        How many were done, and how many failed and wait for the next run.
    """
    done = failed = 0
    for item in items:
        own = replace(context.apart(), notes={})
        try:
            done += work(own, item)
        except Exception as error:  # one poison item must not stop the others
            failed += 1
            logs.logger().warning(
                "maintenance.item_failed", work=work.__name__, why=type(error).__name__
            )
    return done, failed


def pages(context: Context, collection: str, where: list[Filter], by: str) -> Iterator[Snapshot]:
    """What matches, in order of one field, page by page: items that stay do not hide the others."""
    after: list[Any] | None = None
    for _ in range(MOST_PAGES):
        page = context.services.store.query(
            collection,
            where,
            order=((by, "ASCENDING"), ("__name__", "ASCENDING")),
            limit=PAGE,
            after=after,
        )
        yield from page
        if len(page) < PAGE:
            return
        after = [page[-1].require()[by], page[-1].key.id]
