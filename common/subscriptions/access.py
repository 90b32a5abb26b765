"""A subscription for somebody who may see it."""

from __future__ import annotations

from collections.abc import Collection

from common.auth.caller import Role
from common.bookings.access import PARTIES
from common.context import Context
from common.errors import Missing
from common.store.store import Document, Snapshot


def subscription_for(
    context: Context, snapshot: Snapshot, allowed: Collection[Role] = PARTIES
) -> Document:
    """The subscription's record.

    Raises:
        Missing: there is none, or the caller may not know of it.
        Forbidden: the caller is a party and this is not theirs to do.
    """
    doc = snapshot.data
    if doc is None or "operationId" not in doc:
        raise Missing("subscription")
    context.caller.act(
        allowed,
        customer_id=doc["customerId"],
        provider_id=doc["providerId"],
        what="subscription",
    )
    return doc
