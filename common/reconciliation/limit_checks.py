"""Money that lies where it is for longer than Stripe allows. Pure.

Source: docs/hold-limits.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from common.bookings import deadlines
from common.bookings.model import Booking
from common.clock import rfc3339
from common.reconciliation.evidence import Mismatch


def overdue(booking: Booking, now: datetime) -> Iterator[Mismatch]:
    """A booking's deadlines that have passed."""
    for one in deadlines.of(booking):
        if one.lapses_at <= now:
            yield Mismatch(
                "booking.hold_overdue",
                "I15",
                f"its {one.kind} lapsed at {rfc3339(one.lapses_at)}: "
                f"{deadlines.obstacle(booking) or 'on its way'}",
                (booking.id,),
            )
