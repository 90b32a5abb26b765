"""GET_STATEMENT: everything that one booking's money has done, in order.

Source: contract, section 3; docs/reporting.md.
"""

from __future__ import annotations

from typing import Any

from common.bookings.access import booking_for
from common.context import Answer, Context
from common.http.command import Command, Id
from common.money import to_major
from common.reporting.statement import lines_of
from common.store import collections
from common.store.store import Snapshot, Store

_PAGE = 300


class Request(Command):
    """Which booking."""

    booking_id: Id


def handle(command: Request, context: Context) -> Answer:
    """Every ledger transaction of the booking, and what is held of it after each."""
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    booking, _ = booking_for(context, context.read(key)[key])
    code = booking.money.currency
    found = _transactions(context.services.store, booking.id)
    lines = lines_of(found, booking.provider_id, code)
    return {
        "bookingId": booking.id,
        "status": str(booking.status),
        "currency": code,
        "transactions": lines,
        "held": lines[-1]["held"] if lines else to_major(0, code),
    }


def _transactions(store: Store, booking_id: str) -> list[Snapshot]:
    found: list[Snapshot] = []
    after: list[Any] | None = None
    order = (("createdAt", "ASCENDING"), ("__name__", "ASCENDING"))
    while True:
        page = store.query(
            "transactions", [("bookingId", "==", booking_id)], order=order, limit=_PAGE, after=after
        )
        found += page
        if len(page) < _PAGE:
            return found
        after = [page[-1].require()["createdAt"], page[-1].key.id]
