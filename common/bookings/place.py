"""Whether a place can be had: the calendar's answer, with lapsed holds looked through.

A claim whose hold has run out stands until its booking leaves PENDING. Only where such claims are
what makes a place full are their bookings read, by key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.bookings import claims, deadlines, documents, requests
from common.bookings.calendar import Claim, Verdict, check
from common.bookings.model import Booking
from common.bookings.status import UNPAID
from common.context import Context
from common.services.model import Service
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot

#: Lapsed holds looked at in one decision; the rest wait for the maintenance run.
MOST_LAPSED = 50


@dataclass(frozen=True, slots=True)
class Place:
    """The verdict, and the bookings whose lapsed holds it counts as free."""

    verdict: Verdict
    claims: tuple[Claim, ...]
    lapsed: tuple[tuple[Snapshot, Booking], ...] = ()


def find(
    context: Context,
    service: Service,
    start: datetime,
    end: datetime,
    group_size: int,
    docs: Mapping[Key, Snapshot],
    *,
    without: str | None = None,
) -> Place:
    """Whether ``group_size`` can come from ``start`` to ``end``.

    Args:
        docs: The days read, absent ones included.
        without: A booking whose own claim does not count.
    """
    standing = tuple(c for c in claims.standing(docs, service.id) if c.booking_id != without)
    until = ends_by(context, service)
    verdict = check(service, start, end, group_size, context.now, standing, until)
    if verdict.reason != "full":
        return Place(verdict, standing)
    doubtful = [c for c in verdict.blocking if c.hold_until and c.hold_until <= context.now]
    if not doubtful:
        return Place(verdict, standing)
    found = context.read(*(collections.booking(c.booking_id) for c in doubtful[:MOST_LAPSED]))
    lapsed = tuple(
        (snapshot, booking)
        for snapshot in found.values()
        if snapshot.data is not None
        and _has_lapsed(booking := documents.load(snapshot), context.now)
    )
    gone = {booking.id for _, booking in lapsed}
    left = tuple(claim for claim in standing if claim.booking_id not in gone)
    return Place(check(service, start, end, group_size, context.now, left, until), left, lapsed)


def ends_by(context: Context, service: Service) -> datetime:
    """Until when a service that is booked now must end: its money may not be held any longer.
    A request's is captured when it is accepted, which looks again."""
    settings = context.services.settings
    answer = requests.ANSWER_WITHIN if service.booking_mode == "REQUEST" else timedelta(0)
    return deadlines.latest_end(
        settings.platform_country,
        wait=timedelta(hours=settings.payout_hold_hours),
        captured=context.now + answer,
    )


def _has_lapsed(booking: Booking, now: datetime) -> bool:
    unpaid = booking.status in UNPAID
    return unpaid and booking.hold_until is not None and booking.hold_until <= now
