"""The calendar: every booking that keeps its place has its claim, and no place is sold twice. Pure.

Source: invariant I11.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from common.bookings.calendar import Claim, days_of
from common.bookings.claims import of_booking
from common.bookings.model import Booking
from common.reconciliation.evidence import Evidence, Mismatch
from common.services.model import Service, ServiceMisconfigured, parse_service


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Claims against bookings, and each service's bookings against its capacity."""
    keeping: dict[str, list[Booking]] = defaultdict(list)
    for booking in evidence.bookings():
        if _placed(booking):
            keeping[booking.service_id].append(booking)
            yield from _claimed(booking, evidence)
    yield from _orphans(evidence)
    for service_id, bookings in sorted(keeping.items()):
        doc = evidence.document("services", service_id)
        if doc is not None:
            yield from _crowded(service_id, doc, bookings)


def _placed(booking: Booking) -> bool:
    return booking.keeps_place and booking.takes_time


def _claimed(booking: Booking, evidence: Evidence) -> Iterator[Mismatch]:
    claim = of_booking(booking)
    for day in days_of(claim.start, claim.end):
        name = f"{booking.service_id}_{day}"
        calendar = evidence.document("calendars", name)
        found = calendar["claims"].get(booking.id) if calendar is not None else None
        if found is None:
            yield Mismatch("place.claim_missing", "I11", "its place is free", (booking.id, name))
        elif (found["start"], found["end"], found["size"]) != (claim.start, claim.end, claim.size):
            yield Mismatch(
                "place.claim_wrong", "I11", "its claim is not its own", (booking.id, name)
            )


def _orphans(evidence: Evidence) -> Iterator[Mismatch]:
    keeping = {booking.id for booking in evidence.bookings() if _placed(booking)}
    for name, calendar in evidence.documents("calendars"):
        for booking_id in sorted(calendar["claims"]):
            if booking_id not in keeping:
                yield Mismatch(
                    "place.claim_orphan", "I11", "a claim whose booking is over", (booking_id, name)
                )


def _crowded(
    service_id: str, doc: Mapping[str, object], bookings: list[Booking]
) -> Iterator[Mismatch]:
    try:
        service = parse_service(service_id, doc)
    except ServiceMisconfigured:
        return  # its provider broke it after it was booked; nothing new can be booked
    claims = [of_booking(booking) for booking in bookings]
    for claim in claims:
        there = [other for other in claims if other.start <= claim.start < other.end]
        if _load(service, there) > _capacity(service):
            ids = tuple(other.booking_id for other in there)
            yield Mismatch("place.crowded", "I11", "more are booked than there is room", ids)


def _load(service: Service, claims: list[Claim]) -> int:
    return sum(claim.size for claim in claims) if service.capacity_mode == "SEATS" else len(claims)


def _capacity(service: Service) -> int:
    return service.capacity if service.capacity_mode == "SEATS" else 1
