"""GET_SUBSCRIPTION and LIST_SUBSCRIPTIONS."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from common.bookings import documents
from common.bookings.view import booking_as_json
from common.context import Answer, Context
from common.http.command import Command, Id
from common.http.cursor import decode, encode
from common.store import collections
from common.store.store import Filter
from common.subscriptions.access import subscription_for
from common.subscriptions.model import Status, as_json

#: Paid periods that are shown with a subscription; LIST_BOOKINGS has them all.
NEWEST_PERIODS = 24


class GetRequest(Command):
    """Which subscription."""

    subscription_id: Id


class ListRequest(Command):
    """Whose subscriptions: those one has, or those to what one offers."""

    role: Literal["customer", "provider"] = "customer"
    status: Status | None = Field(default=None, strict=False)
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=400)


def get(command: GetRequest, context: Context) -> Answer:
    """One subscription and its newest paid periods, each a booking that can be refunded."""
    context.notes["subscriptionId"] = command.subscription_id
    key = collections.subscription(command.subscription_id)
    doc = subscription_for(context, context.read(key)[key])
    found = context.services.store.query(
        "bookings",
        [("subscriptionId", "==", command.subscription_id)],
        order=(("createdAt", "DESCENDING"),),
        limit=NEWEST_PERIODS,
    )
    return {
        "subscriptionId": command.subscription_id,
        "subscription": as_json(command.subscription_id, doc),
        "periods": [booking_as_json(documents.load(snapshot)) for snapshot in found],
    }


def listing(command: ListRequest, context: Context) -> Answer:
    """The caller's subscriptions, newest first."""
    whose = "customerId" if command.role == "customer" else "providerId"
    where: list[Filter] = [(whose, "==", context.caller.uid)]
    if command.status is not None:
        where.append(("status", "==", str(command.status)))
    found = context.services.store.query(
        "subscriptions",
        where,
        order=(("createdAt", "DESCENDING"), ("__name__", "DESCENDING")),
        limit=command.limit + 1,
        after=None if command.cursor is None else decode(command.cursor),
    )
    page = found[: command.limit]
    more = len(found) > command.limit
    last = page[-1] if page else None
    return {
        "subscriptions": [as_json(one.key.id, one.require()) for one in page],
        "nextCursor": encode(last.require()["createdAt"], last.key.id) if more and last else None,
    }
