"""EXPORT_TRANSACTIONS: the ledger as lines of a file, page by page.

Source: contract, section 3; docs/reporting.md.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from common.accounts.providers import profile_of
from common.context import Answer, Context
from common.http.command import Command, Id, Instant
from common.http.cursor import decode, encode
from common.reporting import rows
from common.reporting.windows import Window
from common.store.store import Filter


class Request(Command):
    """Which time and format; a provider's own transactions, an operator's choice of provider."""

    from_: Instant = Field(alias="from")
    to: Instant
    format: Literal["csv", "jsonl"]
    provider_id: Id | None = None
    limit: int = Field(default=500, ge=1, le=1000)
    cursor: str | None = Field(default=None, max_length=400)


def handle(command: Request, context: Context) -> Answer:
    """Lines, oldest first; those of all pages, one after another, are the file.

    A CSV file's header stands on the first page only.
    """
    window = Window.of(command.from_, command.to)
    caller = context.caller
    provider_id = command.provider_id if caller.operator else command.provider_id or caller.uid
    where: list[Filter] = [("createdAt", ">=", window.start), ("createdAt", "<", window.end)]
    if provider_id is not None:
        profile_of(context, provider_id)
        where.insert(0, ("providerId", "==", provider_id))
    found = context.services.store.query(
        "transactions",
        where,
        order=(("createdAt", "ASCENDING"), ("__name__", "ASCENDING")),
        limit=command.limit + 1,
        after=None if command.cursor is None else decode(command.cursor),
    )
    page = found[: command.limit]
    if command.format == "jsonl":
        lines = [rows.json_line(one) for one in page]
    else:
        head = [rows.csv_header()] if command.cursor is None else []
        lines = [*head, *(rows.csv_line(one) for one in page)]
    last = page[-1] if len(found) > command.limit else None
    return {
        "format": command.format,
        "rows": lines,
        "nextCursor": encode(last.require()["createdAt"], last.key.id) if last else None,
    }
