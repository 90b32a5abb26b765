"""booking-processor: from the question whether a place is free to the end of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.http.app import Action, Processor
from functions.booking_processor import (
    cancel_booking,
    check_availability,
    check_in,
    complete_booking,
    confirm_booking,
    create_booking,
    decline_booking,
    get_bookings,
    mark_no_show,
    release_hold,
    replay_events,
    run_maintenance,
)

if TYPE_CHECKING:
    from flask import Request, Response

PROCESSOR = Processor(
    "booking-processor",
    {
        "CREATE_BOOKING": Action(
            create_booking.Request,
            create_booking.handle,
            refill=create_booking.refill,
        ),
        "CONFIRM_BOOKING": Action(confirm_booking.Request, confirm_booking.handle),
        "CANCEL_BOOKING": Action(cancel_booking.Request, cancel_booking.handle),
        "DECLINE_BOOKING": Action(decline_booking.Request, decline_booking.handle),
        "CHECK_AVAILABILITY": Action(
            check_availability.Request,
            check_availability.handle,
        ),
        "CHECK_IN": Action(check_in.Request, check_in.handle),
        "MARK_NO_SHOW": Action(mark_no_show.Request, mark_no_show.handle),
        "COMPLETE_BOOKING": Action(
            complete_booking.Request,
            complete_booking.handle,
        ),
        "GET_BOOKING": Action(get_bookings.GetRequest, get_bookings.get),
        "LIST_BOOKINGS": Action(get_bookings.ListRequest, get_bookings.listing),
        "RELEASE_HOLD": Action(release_hold.Request, release_hold.handle),
        "REPLAY_EVENTS": Action(replay_events.Request, replay_events.handle),
        "RUN_MAINTENANCE": Action(
            run_maintenance.Request,
            run_maintenance.handle,
        ),
    },
)


def booking_processor(request: Request) -> Response:
    """The entry point."""
    return PROCESSOR(request)
