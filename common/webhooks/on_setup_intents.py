"""setup_intent.*: whether a request's customer has saved what is to be charged later."""

from __future__ import annotations

from common.bookings import apply_saved, documents, saved_requests
from common.bookings.status import Status
from common.context import Context
from common.store import collections
from common.stripe_gateway.calls import Json
from common.webhooks.finding import named


def succeeded(setup: Json, event: Json, context: Context) -> bool:
    """Let the request wait for its provider, if Stripe says so still."""
    booking_id = named(setup, "bookingId")
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id
    saved = saved_requests.saved(context.services.stripe.setup_intent(setup["id"]))
    if saved is None:
        return False
    return apply_saved.apply(context, booking_id, saved, event["type"]) is not None


def failed(setup: Json, event: Json, context: Context) -> bool:
    """Remember why; the customer may try again as long as the hold lasts."""
    booking_id = named(setup, "bookingId")
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id
    return context.until_settled(lambda: _once(setup, booking_id, context))


def _once(setup: Json, booking_id: str, context: Context) -> bool:
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    if was.data is None:
        return False
    booking = documents.load(was)
    if booking.status is not Status.PENDING or not saved_requests.is_of(booking, setup["id"]):
        return False
    context.commit(documents.change(was, saved_requests.not_saved(booking, setup, context.now)))
    return True
