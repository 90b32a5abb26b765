"""CANCEL_BOOKING: release the place, give back what the policy says, let the rest be earned.

Source: contract, sections 3 and 4.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common.auth.caller import Role
from common.bookings.access import booking_for
from common.bookings.cancellation_plan import cancel
from common.bookings.status import Status
from common.context import Answer, Context
from common.disputes import card_dispute
from common.errors import WrongState
from common.http.command import Command, Id, Text
from common.store import collections
from common.store.collections import Key
from functions.booking_processor import calling_off
from functions.booking_processor.calling_off import Begun

_CANCELLABLE = frozenset({Status.PENDING, Status.REQUESTED, Status.CONFIRMED})


class Request(Command):
    """Which booking, and why."""

    booking_id: Id
    reason: Annotated[Text, Field(max_length=500)] | None = None


def handle(command: Request, context: Context) -> Answer:
    """The booking, cancelled; a second call finds it so and finishes what the first left open."""
    context.notes["bookingId"] = command.booking_id
    key = collections.booking(command.booking_id)
    begun = context.until_settled(lambda: _begin(command, context, key))
    return calling_off.carry_out(context, begun, key)


def _begin(command: Request, context: Context, key: Key) -> Begun:
    """Decide, as the booking now stands."""
    docs = context.read(key)
    booking, role = booking_for(context, docs[key])
    if booking.status is Status.CANCELLED:
        return calling_off.left_open(context, booking, docs)
    if booking.status not in _CANCELLABLE:
        why = card_dispute.no_refund_because(booking)
        raise WrongState("This booking can no longer be cancelled", str(booking.status), why)
    if not booking.takes_time:
        raise WrongState(
            "This is a period of a subscription; cancel that one, or refund the period",
            str(booking.status),
        )
    plan = cancel(booking, role, now=context.now, by=context.caller.actor)
    reason = command.reason or ("requested_by_customer" if role is Role.CUSTOMER else "provider")
    return calling_off.begin(context, docs[key], plan, reason)
