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
)
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
    over = requests.lapsed(booking, now=context.now, by="stripe", why="authorization_lapsed")
    context.commit([*documents.change(was, over), *claims.release(over)])
    return True


def payment_failed(intent: Json, event: Json, context: Context) -> bool:
    """Remember why; the customer may try again as long as the hold lasts."""
    return _change(intent, context, failed=True)


def moved(intent: Json, event: Json, context: Context) -> bool:
    """Remember where the payment stands."""
    return _change(intent, context, failed=False)


def _change(intent: Json, context: Context, *, failed: bool) -> bool:
    booking_id = named(intent, "bookingId")
    if booking_id is None:
        return False
    context.notes["bookingId"] = booking_id
    return context.until_settled(lambda: _once(intent, booking_id, context, failed))


def _once(intent: Json, booking_id: str, context: Context, failed: bool) -> bool:
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    if was.data is None:
        return False
    booking = documents.load(was)
    if not _current(booking, intent):
        return False
    if failed:
        after = payment.failed(booking, intent, context.now)
    else:
        known = {**booking.payment, "intentId": intent["id"], "intentStatus": intent["status"]}
        after = replace(booking, payment=known)
    context.commit(documents.change(was, after))
    return True


def _current(booking: Booking, intent: Json) -> bool:
    """Whether the event may still say something new of this booking's payment."""
    known = booking.payment
    same = known.get("intentId") in (None, intent["id"])
    return same and booking.status is Status.PENDING and known.get("intentStatus") not in _FINAL
