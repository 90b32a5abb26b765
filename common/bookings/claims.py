"""Claims on a service's time: one document per service and UTC day, a map of booking id -> claim.

Taking a place writes the day as it was read, so of two that race one must look again. Giving a
place back, or making it firm, changes only the booking's own field and waits for nobody.
A claim stands as long as its booking keeps its place: a lapsed hold is released only in the commit
that moves its booking out of PENDING
(docs/decisions/0005-calendar-per-service-and-day.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from common.bookings.calendar import Claim, days_of
from common.bookings.model import Booking
from common.store import collections
from common.store.collections import Key
from common.store.store import REMOVE, Create, Patch, Snapshot, Write, path

Documents = Mapping[Key, Snapshot]


def keys(service_id: str, start: datetime, end: datetime) -> list[Key]:
    """The days that an interval touches."""
    return [collections.calendar(service_id, day) for day in days_of(start, end)]


def of_booking(booking: Booking) -> Claim:
    """The time and size that a booking takes."""
    return Claim(
        booking.id, booking.start, booking.occupied_until, booking.group_size, booking.hold_until
    )


def standing(docs: Documents, service_id: str) -> list[Claim]:
    """Every claim in the days that were read, each once."""
    prefix = f"{service_id}_"
    found = {}
    for key, snapshot in docs.items():
        if key.collection == "calendars" and key.id.startswith(prefix) and snapshot.data:
            for booking_id, claim in snapshot.data["claims"].items():
                found[booking_id] = Claim(
                    booking_id, claim["start"], claim["end"], claim["size"], claim["holdUntil"]
                )
    return list(found.values())


def take(docs: Documents, booking: Booking, lapsed: Collection[Claim] = ()) -> list[Write]:
    """The writes that claim a booking's time in days that were read, and drop lapsed claims.

    They fail if anybody else claimed in one of these days meanwhile.
    """
    mine = _as_document(of_booking(booking))
    own = keys(booking.service_id, booking.start, booking.occupied_until)
    gone = {
        key: [claim.booking_id for claim in lapsed]
        for claim in lapsed
        for key in keys(booking.service_id, claim.start, claim.end)
    }
    writes: list[Write] = []
    for key in dict.fromkeys([*own, *gone]):
        if (
            key not in docs
        ):  # a day that only lapsed claims touch: they leave it, whoever else is there
            writes += [Patch(key, _removed(booking.service_id, key, lapsed))]
            continue
        data = docs[key].data
        if data is None:
            writes.append(Create(key, {"claims": {booking.id: mine}}))
            continue
        fields: dict[str, Any] = {
            path("claims", id_): REMOVE for id_ in gone.get(key, ()) if id_ in data["claims"]
        }
        if key in own:
            fields[path("claims", booking.id)] = mine
        if fields:
            writes.append(Patch(key, fields, version=docs[key].version))
    return writes


def _removed(service_id: str, key: Key, lapsed: Collection[Claim]) -> dict[str, Any]:
    return {
        path("claims", claim.booking_id): REMOVE
        for claim in lapsed
        if key in keys(service_id, claim.start, claim.end)
    }


def release(booking: Booking) -> list[Write]:
    """The writes that give a booking's time back, if it took any."""
    return _patches(booking, {path("claims", booking.id): REMOVE})


def until(booking: Booking) -> list[Write]:
    """The writes that let a claim stand until the booking's hold runs out."""
    return _patches(booking, {path("claims", booking.id, "holdUntil"): booking.hold_until})


def firm(booking: Booking) -> list[Write]:
    """The writes that make a held claim one that does not lapse."""
    return _patches(booking, {path("claims", booking.id, "holdUntil"): None})


def _patches(booking: Booking, fields: Mapping[str, Any]) -> list[Write]:
    if not (booking.claims_place and booking.takes_time):
        return []
    days = keys(booking.service_id, booking.start, booking.occupied_until)
    return [Patch(key, fields) for key in days]


def _as_document(claim: Claim) -> dict[str, Any]:
    return {
        "start": claim.start,
        "end": claim.end,
        "size": claim.size,
        "holdUntil": claim.hold_until,
    }
