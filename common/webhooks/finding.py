"""From a Stripe object to the booking it belongs to, by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.context import Context
from common.ids import is_document_id
from common.store import collections


def named(thing: Mapping[str, Any], name: str) -> str | None:
    """An id of ours in an object's metadata; what is not one is nobody's."""
    value = (thing.get("metadata") or {}).get(name)
    return value if isinstance(value, str) and is_document_id(value) else None


def id_of(value: Any) -> str | None:
    """The id in a field that may be expanded."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and value else None


def booking_id(thing: Mapping[str, Any], context: Context) -> str | None:
    """The booking that an object's metadata names, or its payment intent leads to."""
    direct = named(thing, "bookingId")
    if direct is not None:
        return direct
    intent = id_of(thing.get("payment_intent"))
    if intent is None:
        return None
    key = collections.payment_intent(intent)
    found = context.read(key)[key].data
    return None if found is None else str(found["bookingId"])
