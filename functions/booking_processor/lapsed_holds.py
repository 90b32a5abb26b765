"""The maintenance run's part for unpaid holds and unanswered requests that have lapsed."""

from __future__ import annotations

from collections.abc import Iterator

from common.bookings import apply_authorization, apply_payment, claims, documents, payment, requests
from common.bookings.model import Booking
from common.bookings.payment_operations import payment_id
from common.bookings.status import UNPAID, Status
from common.context import Context
from common.operations import runner
from common.store import collections
from common.store.store import Filter, Snapshot
from common.stripe_gateway.calls import Call
from common.stripe_gateway.gateway import Refused
from functions.booking_processor.rounds import pages


def lapsed(context: Context) -> Iterator[Snapshot]:
    """Bookings whose time to pay, or to answer, is over."""
    for status in sorted(UNPAID):
        where: list[Filter] = [("status", "==", str(status)), ("holdUntil", "<=", context.now)]
        yield from pages(context, "bookings", where, "holdUntil")


def expire(context: Context, snapshot: Snapshot) -> bool:
    """Ask Stripe to forget the payment; only what was truly not paid expires."""
    booking = documents.load(snapshot)
    intent_id = booking.payment.get("intentId")
    if not intent_id:
        made = runner.resume(context, payment_id(booking.id))
        if made is None:
            return False
        key = collections.booking(booking.id)
        booking = documents.load(context.read(key)[key])
        intent_id = booking.payment.get("intentId")
    if intent_id and _asked_after_all(context, booking, str(intent_id)):
        return False
    if intent_id and _paid_after_all(context, booking, str(intent_id)):
        return False
    return context.until_settled(lambda: _end_hold(context, booking.id))


def _asked_after_all(context: Context, booking: Booking, intent_id: str) -> bool:
    """Whether a request was authorised without a word to us: it waits for its provider now."""
    if booking.status is not Status.PENDING or not requests.is_request(booking):
        return False
    authorization = requests.authorized(context.services.stripe.payment_intent(intent_id))
    if authorization is None:
        return False
    apply_authorization.apply(context, booking.id, authorization, context.action)
    return True


def _paid_after_all(context: Context, booking: Booking, intent_id: str) -> bool:
    """Cancel the payment intent; if it was paid, or may still be, the booking does not expire."""
    stripe = context.services.stripe
    key = f"void-{intent_id}-{context.now:%Y%m%d%H%M%S}"  # cancelling twice does no harm
    params = {"cancellation_reason": "abandoned"}
    try:
        stripe.perform(Call("void", "payment_intents.cancel", params, key, target=intent_id))
        return False
    except Refused:
        intent = stripe.payment_intent(intent_id)
    paid = payment.paid(intent)
    if paid is not None:
        apply_payment.apply(context, booking.id, paid, context.action)
        return True
    return bool(intent["status"] != "canceled")


def _end_hold(context: Context, booking_id: str) -> bool:
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    booking = documents.load(was)
    if booking.status not in UNPAID:
        return False
    why = "hold_lapsed" if booking.status is Status.PENDING else "request_unanswered"
    expired = requests.lapsed(booking, now=context.now, by=context.caller.actor, why=why)
    context.commit([*documents.change(was, expired), *claims.release(expired)])
    return True
