"""From a Stripe object to the booking it belongs to, by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.context import Context
from common.ids import is_document_id
from common.store import collections
from common.stripe_gateway.objects import id_of
from common.subscriptions import periods

__all__ = ["booking_id", "id_of", "named"]


def named(thing: Mapping[str, Any], name: str) -> str | None:
    """An id of ours in an object's metadata; what is not one is nobody's."""
    value = (thing.get("metadata") or {}).get(name)
    return value if isinstance(value, str) and is_document_id(value) else None


def booking_id(thing: Mapping[str, Any], context: Context) -> str | None:
    """The booking that an object's metadata names, or its payment intent leads to.

    A payment of a subscription's invoice bears no word of ours: its period is found, and made, by
    way of the invoice.
    """
    direct = named(thing, "bookingId")
    if direct is not None:
        return direct
    intent = id_of(thing.get("payment_intent"))
    if intent is None:
        return None
    key = collections.payment_intent(intent)
    found = context.read(key)[key].data
    return str(found["bookingId"]) if found is not None else periods.of_intent(intent, context)
