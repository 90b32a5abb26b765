"""GET_BOOKING and LIST_BOOKINGS.

Source: contract, section 3.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from common.auth.caller import Role
from common.bookings import documents
from common.bookings.access import booking_for
from common.bookings.status import Status
from common.bookings.view import booking_as_json, deadline_as_json
from common.context import Answer, Context
from common.http.command import Command, Id
from common.http.cursor import decode, encode
from common.store import collections
from common.store.store import Filter
from functions.booking_processor import check_in


class GetRequest(Command):
    """Which booking."""

    booking_id: Id


class ListRequest(Command):
    """Whose bookings: those one has made, or those made with one."""

    role: Literal["customer", "provider"] = "customer"
    status: Status | None = Field(default=None, strict=False)
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=400)


def get(command: GetRequest, context: Context) -> Answer:
    """One booking."""
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    booking, role = booking_for(context, context.read(key)[key])
    shown = booking_as_json(booking)
    if role is Role.CUSTOMER:  # the code proves that the customer came: nobody else may see it
        shown["checkIn"] = check_in.code_for(booking, context)
    else:
        shown["payoutDeadline"] = deadline_as_json(booking)
    return {"bookingId": booking.id, "booking": shown}


def listing(command: ListRequest, context: Context) -> Answer:
    """The caller's bookings, newest first."""
    whose = "customerId" if command.role == "customer" else "providerId"
    where: list[Filter] = [(whose, "==", context.caller.uid)]
    if command.status is not None:
        where.append(("status", "==", str(command.status)))
    after = None if command.cursor is None else decode(command.cursor)
    found = context.services.store.query(
        "bookings",
        where,
        order=(("createdAt", "DESCENDING"), ("__name__", "DESCENDING")),
        limit=command.limit + 1,
        after=after,
    )
    page = [documents.load(snapshot) for snapshot in found[: command.limit]]
    more = len(found) > command.limit
    return {
        "bookings": [booking_as_json(booking) for booking in page],
        "nextCursor": encode(page[-1].created_at, page[-1].id) if more else None,
    }
