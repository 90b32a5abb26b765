"""I11: no instant at which a service is booked beyond its capacity, and claims that say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.simulation.evidence import Evidence

_KEEPS = {"PENDING", "REQUESTED", "CONFIRMED", "COMPLETED", "DISPUTED"}


def _keeps(doc: dict[str, Any]) -> bool:
    """Whether a booking has its place: a request may leave it to others until it is accepted, and a
    period of a subscription takes none."""
    if doc["mode"] == "SUBSCRIPTION":
        return False
    unanswered = doc["status"] in ("PENDING", "REQUESTED")
    return doc["status"] in _KEEPS and not (unanswered and doc["request"].get("blocks") is False)


def capacity(seen: Evidence) -> Iterator[str]:
    """At every start of a booking, what overlaps it fits."""
    by_service: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for id_, doc in seen.all("bookings").items():
        if _keeps(doc):
            by_service[doc["serviceId"]].append((id_, doc))
    for service_id, booked in by_service.items():
        service = seen.all("services")[service_id]
        seats = service.get("capacityMode") == "SEATS"
        for id_, doc in booked:
            there = [
                other for _, other in booked
                if other["start"] <= doc["start"]
                < other["end"] + timedelta(minutes=other["bufferMinutes"])
            ]  # fmt: skip
            used = sum(other["groupSize"] for other in there) if seats else len(there)
            if used > (service["capacity"] if seats else 1):
                yield f"I11 service {service_id}: {used} at the start of booking {id_}"


def claims(seen: Evidence) -> Iterator[str]:
    """A claim in the calendar for every booking that keeps its place, and no other."""
    claimed: dict[str, set[str]] = defaultdict(set)
    for key, doc in seen.all("calendars").items():
        service_id, _, day = key.rpartition("_")
        for booking_id, claim in doc["claims"].items():
            claimed[booking_id].add(day)
            booking = seen.all("bookings").get(booking_id)
            if booking is None or not _keeps(booking):
                status = None if booking is None else booking["status"]
                yield f"I11 calendar {key} claims for booking {booking_id}, which is {status}"
            elif booking["serviceId"] != service_id or claim["size"] != booking["groupSize"]:
                yield f"I11 calendar {key} has a wrong claim of booking {booking_id}"
            elif booking["status"] not in ("PENDING", "REQUESTED") and claim["holdUntil"]:
                yield f"I11 calendar {key}: the claim of {booking_id} could lapse, it is firm"
    for id_, doc in seen.all("bookings").items():
        last = doc["end"] + timedelta(minutes=doc["bufferMinutes"], microseconds=-1)
        days = {doc["start"].strftime("%Y-%m-%d"), last.strftime("%Y-%m-%d")}
        if _keeps(doc) and claimed[id_] != days:
            yield f"I11 booking {id_} ({doc['status']}) has claims on {claimed[id_]}, not {days}"
