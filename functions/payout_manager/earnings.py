"""CALCULATE_EARNINGS: running totals and the bookings that may be paid out, never the history.

Source: guide, section 4; contract, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from common.accounts.providers import profile_of
from common.bookings.model import Booking
from common.clock import rfc3339
from common.context import Answer, Context
from common.http.command import Command, Id, currency_of
from common.money import to_major
from common.payouts.execution import Totals, chosen, eligible, totals_of

#: Eligible bookings listed; ``bookingCount`` counts all of them.
LISTED = 200


class Request(Command):
    """Whose earnings, in which currency."""

    provider_id: Id
    currency: str | None = None


def handle(command: Request, context: Context) -> Answer:
    """The guide's shape, with what is held and what is owed."""
    profile = profile_of(context, command.provider_id)
    all_totals = totals_of(context, command.provider_id)
    totals = chosen(all_totals, profile, currency_of(command.currency))
    found = eligible(context, command.provider_id, totals.currency, LISTED) if totals.count else []
    answer: Answer = {
        "providerId": command.provider_id,
        **_amounts(totals),
        "bookingCount": totals.count,
        "eligibleBookings": _bookings([booking for _, booking in found]),
        "currency": totals.currency,
    }
    if len(all_totals) > 1:
        answer["byCurrency"] = {one.currency: _amounts(one) for one in all_totals}
    return answer


def _amounts(totals: Totals) -> dict[str, Decimal]:
    return {
        "totalEarnings": to_major(totals.payable, totals.currency),
        "heldEarnings": to_major(totals.held, totals.currency),
        "scheduledEarnings": to_major(totals.claimed, totals.currency),
        "paidEarnings": to_major(totals.paid, totals.currency),
        "debt": to_major(totals.debt, totals.currency),
    }


def _bookings(bookings: Sequence[Booking]) -> list[Answer]:
    return [
        {
            "bookingId": booking.id,
            "amount": to_major(booking.available, booking.money.currency),
            "completedAt": rfc3339(booking.completed_at or booking.earned_at or booking.created_at),
        }
        for booking in bookings
    ]
