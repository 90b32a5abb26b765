"""GET_TAX_SUMMARY: a provider's year as a tax form asks for it, from totals kept by its commits.

Source: contract, section 3; docs/reporting.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from pydantic import Field

from common.accounts.providers import profile_of
from common.context import Answer, Context
from common.http.command import Command, Id
from common.http.cursor import decode_id, encode_id
from common.money import to_major
from common.store.store import Document, Filter

#: Currencies that one provider may have been paid in and still be read in one page.
_CURRENCIES = 200


class Request(Command):
    """Which UTC year, and whose; an operator who names nobody gets every provider, by pages."""

    year: int = Field(ge=2000, le=2200)
    provider_id: Id | None = None
    limit: int = Field(default=200, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=400)


def handle(command: Request, context: Context) -> Answer:
    """Gross, refunds, fees and net of each provider, per currency."""
    caller = context.caller
    provider_id = command.provider_id if caller.operator else command.provider_id or caller.uid
    if provider_id is None:
        return _everybody(command, context)
    profile_of(context, provider_id)
    found = context.services.store.query(
        "yearlyTotals",
        [("providerId", "==", provider_id), ("year", "==", command.year)],
        limit=_CURRENCIES,
    )
    one = _provider(provider_id, [snapshot.require() for snapshot in found])
    return {"year": command.year, **one, "providers": [one], "nextCursor": None}


def _everybody(command: Request, context: Context) -> Answer:
    """One page of all providers; nobody's currencies are torn apart by its end."""
    where: list[Filter] = [("year", "==", command.year)]
    if command.cursor is not None:
        where.append(("providerId", ">", decode_id(command.cursor)))
    room = command.limit + _CURRENCIES
    found = context.services.store.query(
        "yearlyTotals", where, order=(("providerId", "ASCENDING"),), limit=room
    )
    docs = [snapshot.require() for snapshot in found]
    groups = [(uid, list(of)) for uid, of in groupby(docs, lambda doc: str(doc["providerId"]))]
    if len(found) == room:
        groups.pop()  # there may be more of this one
    page = groups[: command.limit]
    more = sum(len(of) for _, of in page) < len(found)
    return {
        "year": command.year,
        "providers": [_provider(uid, of) for uid, of in page],
        "nextCursor": encode_id(page[-1][0]) if more else None,
    }


def _provider(provider_id: str, docs: Sequence[Document]) -> dict[str, Any]:
    by_currency = {doc["currency"]: _year(doc) for doc in docs}
    return {"providerId": provider_id, "byCurrency": dict(sorted(by_currency.items()))}


def _year(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Fees are the commission that the platform kept: net of what refunds gave back."""
    code = str(doc["currency"])
    gross, refunds, fees = (doc.get(name, 0) for name in ("gross", "refunded", "commission"))
    return {
        "gross": to_major(gross, code),
        "refunds": to_major(refunds, code),
        "fees": to_major(fees, code),
        "net": to_major(gross - refunds - fees, code),
        "transactionCount": doc.get("payments", 0),
    }
