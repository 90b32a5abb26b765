"""A subscription for somebody who may see it."""

from __future__ import annotations

from common.context import Context
from common.errors import Missing
from common.store.store import Document, Snapshot


def subscription_for(context: Context, snapshot: Snapshot) -> Document:
    """The subscription's record, if it is the caller's to act on by the action's row in the access
    table.

    Raises:
        Missing: there is none, or the caller may not know of it.
        Forbidden: the caller is a party and this is not theirs to do.
    """
    doc = snapshot.data
    if doc is None or "operationId" not in doc:
        raise Missing("subscription")
    context.act(
        customer_id=doc["customerId"],
        provider_id=doc["providerId"],
        what="subscription",
    )
    return doc
