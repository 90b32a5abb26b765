"""RELEASE_HOLD: an operator has looked into a review or a fraud warning, and the earnings are free.

Each release is kept in ``holdReleases`` with who decided it, when and why. Disputes have an end of
their own (the bank's decision, RESOLVE_REFUND_DISPUTE).
Source: contract, section 4 (holds until ``review.closed`` or an operator's decision).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from common import logs
from common.bookings import documents
from common.bookings.access import booking_for
from common.bookings.model import Booking
from common.bookings.view import booking_as_json
from common.context import Answer, Context
from common.http.command import Command, Id, Text
from common.store import collections
from common.store.store import Create


class Request(Command):
    """Which holds of which booking (all of a kind), and what was found."""

    booking_id: Id
    kind: Literal["review", "fraud_warning"]
    note: Annotated[Text, Field(min_length=1, max_length=2000)]


def handle(command: Request, context: Context) -> Answer:
    """The booking without the hold; a second call finds it so."""
    context.notes.update(bookingId=command.booking_id, hold=command.kind)
    return context.until_settled(lambda: _release(command, context))


def _release(command: Request, context: Context) -> Answer:
    key = collections.booking(command.booking_id)
    was = context.read(key)[key]
    booking, _ = booking_for(context, was)
    if not booking.is_held(command.kind):
        return _answer(booking, command.kind)
    gone = {n: id_ for n, id_ in booking.holds.items() if n.partition(":")[0] == command.kind}
    free = replace(booking, holds={n: i for n, i in booking.holds.items() if n not in gone})
    record = Create(
        collections.hold_release(booking.id, booking.version),
        {
            "bookingId": booking.id,
            "providerId": booking.provider_id,
            "kind": command.kind,
            "objectIds": sorted(gone.values()),
            "note": command.note,
            "by": context.caller.actor,
            "at": context.now,
            "requestId": context.request_id,
        },
    )
    answer = _answer(free, command.kind)
    context.finish([*documents.change(was, free), record], answer)
    logs.logger().info("hold.released", bookingId=booking.id, hold=command.kind)
    return answer


def _answer(booking: Booking, kind: str) -> Answer:
    shown = booking_as_json(booking)
    return {
        "bookingId": booking.id,
        "kind": kind,
        "holds": shown["payment"]["holds"],
        "booking": shown,
    }
