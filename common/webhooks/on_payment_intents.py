"""payment_intent.*: what the customer's payment has come to."""

from __future__ import annotations

from dataclasses import replace

from common.bookings import (
    apply_authorization,
    apply_payment,
    claims,
    documents,
    payment,
    requests,
    saved_requests,
)
from common.bookings.attempts import failed_attempt
from common.bookings.model import Booking
from common.bookings.status import Status
from common.context import Context
from common.store import collections
from common.stripe_gateway.calls import Json
from common.webhooks.finding import named

#: Words after which a payment intent's status says nothing new.
_FINAL = frozenset({"succeeded", "canceled"})


def succeeded(intent: Json, event: Json, context: Context) -> bool:
    """Confirm the booking, or give the money back if it is over."""
    booking_id, paid = named(intent, "bookingId"), payment.paid(intent)
    if booking_id is None or paid is None:
        return False
    context.notes["bookingId"] = booking_id
    return apply_payment.apply(context, booking_id, paid, event["type"]) is not None


def capturable(intent: Json, event: Json, context: Context) -> bool:
    """Let the request wait for its provider, if the authorisation still stands at Stripe."""
    booking_id = named(intent, "bookingId")
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id
    authorization = requests.authorized(context.services.stripe.payment_intent(intent["id"]))
    if authorization is None:
        return False
    applied = apply_authorization.apply(context, booking_id, authorization, event["type"])
    return applied is not None


def canceled(intent: Json, event: Json, context: Context) -> bool:
    """End a request whose authorisation is gone; of another booking, remember it."""
    booking_id = named(intent, "bookingId")
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id
    return context.until_settled(lambda: _let_go(intent, booking_id, context)) or moved(
        intent, event, context
    )


def _let_go(intent: Json, booking_id: str, context: Context) -> bool:
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    if was.data is None:
        return False
    booking = documents.load(was)
    if booking.status is not Status.REQUESTED or booking.payment.get("intentId") != intent["id"]:
        return False
    if saved_requests.is_saved(booking):
        return False  # nothing was set aside; its customer may pay with another until it lapses
    over = requests.lapsed(booking, now=context.now, by="stripe", why="authorization_lapsed")
    context.commit([*documents.change(was, over), *claims.release(over)])
    return True


def payment_failed(intent: Json, event: Json, context: Context) -> bool:
    """Remember why, and that it was tried; the customer may try again as long as the hold lasts."""
    return _change(intent, context, failed=str(event["id"]))


def moved(intent: Json, event: Json, context: Context) -> bool:
    """Remember where the payment stands."""
    return _change(intent, context, failed=None)


def _change(intent: Json, context: Context, *, failed: str | None) -> bool:
    booking_id = named(intent, "bookingId")
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id
    return context.until_settled(lambda: _once(intent, booking_id, context, failed))


def _once(intent: Json, booking_id: str, context: Context, failed: str | None) -> bool:
    """``failed``: the id of the event that tells of a failure; None where it tells of none."""
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    if was.data is None:
        return False
    booking = documents.load(was)
    if booking.payment.get("intentId") not in (None, intent["id"]):
        return False
    tried = [] if failed is None else failed_attempt(failed, booking, intent, context.now)
    if not _current(booking):
        if tried:
            context.commit(tried)
        return bool(tried)
    if failed:
        after = payment.failed(booking, intent, context.now)
    else:
        known = {**booking.payment, "intentId": intent["id"], "intentStatus": intent["status"]}
        after = replace(booking, payment=known)
    context.commit([*documents.change(was, after), *tried])
    return True


def _current(booking: Booking) -> bool:
    """Whether an event may still say something new of this booking's payment."""
    known = booking.payment.get("intentStatus")
    waits = booking.status is Status.PENDING or saved_requests.awaits_payment(booking)
    return waits and known not in _FINAL
