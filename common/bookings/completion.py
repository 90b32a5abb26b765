"""The end of a service: the provider has earned their part."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from common.bookings import documents, postings
from common.bookings.model import Booking
from common.bookings.status import Status
from common.errors import WrongState
from common.ledger.posting import post
from common.store.store import Snapshot, Write


def completed(booking: Booking, *, hold_hours: int, now: datetime, by: str, why: str) -> Booking:
    """The booking done. Its earnings may be paid out once ``hold_hours`` have passed.

    Raises:
        WrongState: the table has no way from the booking's status to COMPLETED, or all of it is
            being given back.
    """
    if booking.giving_back:
        raise WrongState("All of this booking is being refunded", str(booking.status))
    done = booking.moved(Status.COMPLETED, at=now, by=by, why=why)
    due = done.with_money(due=booking.money.provider_share)
    eligible = now if not hold_hours else None  # the maintenance run sets it when the hold is over
    return replace(due, completed_at=now, earned_at=now, eligible_at=eligible)


def writes(was: Snapshot, booking: Booking, now: datetime) -> list[Write]:
    """The writes of a completion: the booking and what it means in the ledger."""
    earning = postings.earning(booking)
    return [*documents.change(was, booking), *(post({}, earning, now) if earning else [])]


def hold_over(booking: Booking, hold_hours: int, now: datetime) -> bool:
    """Whether a completed booking's earnings have waited long enough."""
    return booking.completed_at is not None and (
        booking.completed_at + timedelta(hours=hold_hours) <= now
    )
