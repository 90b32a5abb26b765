"""A provider's bookings, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from common.context import Context
from common.store.store import Snapshot

_PAGE = 200


def of_provider(context: Context, provider_id: str) -> Iterator[Snapshot]:
    """All of a provider's bookings, the newest first."""
    after: list[Any] | None = None
    while True:
        page = context.services.store.query(
            "bookings",
            [("providerId", "==", provider_id)],
            order=(("createdAt", "DESCENDING"), ("__name__", "DESCENDING")),
            limit=_PAGE,
            after=after,
        )
        yield from page
        if len(page) < _PAGE:
            return
        after = [page[-1].require()["createdAt"], page[-1].key.id]
