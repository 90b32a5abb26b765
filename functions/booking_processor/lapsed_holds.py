"""The maintenance run's part for unpaid holds and unanswered requests that have lapsed."""

from __future__ import annotations

from collections.abc import Iterator

from common.bookings import (
    apply_authorization,
    apply_payment,
    apply_saved,
    claims,
    documents,
    payment,
    payment_operations,
    requests,
    saved_requests,
)
from common.bookings.charge_operation import charge_id
from common.bookings.model import Booking
from common.bookings.payment_operations import payment_id
from common.bookings.setup_operation import setup_id
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
    wanted = _unfinished(booking)
    if wanted is not None:
        if runner.resume(context, wanted) is None:
            return False
        key = collections.booking(booking.id)
        booking = documents.load(context.read(key)[key])
    if not requests.is_over(booking, context.now) or _asked_after_all(context, booking):
        return False
    intent_id = booking.payment.get("intentId")
    if intent_id and _paid_after_all(context, booking, str(intent_id)):
        return False
    return context.until_settled(lambda: _end_hold(context, booking.id))


def _unfinished(booking: Booking) -> str | None:
    """The operation that first has to tell what there is to pay with; None where that is known."""
    if booking.payment.get("intentId"):
        return None
    if not saved_requests.is_saved(booking):
        return payment_id(booking.id)
    if booking.request.get("acceptedAt"):
        return charge_id(booking.id)
    return None if booking.request.get("setupIntentId") else setup_id(booking.id)


def _asked_after_all(context: Context, booking: Booking) -> bool:
    """Whether a request can be paid without a word to us: it waits for its provider now."""
    if booking.status is not Status.PENDING or not requests.is_request(booking):
        return False
    stripe, asked = context.services.stripe, booking.request.get("setupIntentId")
    if asked:
        saved = saved_requests.saved(stripe.setup_intent(str(asked)))
        if saved is not None:
            apply_saved.apply(context, booking.id, saved, context.action)
        return saved is not None
    intent_id = booking.payment.get("intentId")
    authorization = requests.authorized(stripe.payment_intent(intent_id)) if intent_id else None
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
    if not requests.is_over(booking, context.now):
        return False
    why = "hold_lapsed" if booking.status is Status.PENDING else "request_unanswered"
    why = "request_unpaid" if saved_requests.awaits_payment(booking) else why
    expired = requests.lapsed(booking, now=context.now, by=context.caller.actor, why=why)
    forgotten = payment_operations.forget_later(
        expired, now=context.now, action=context.action, request_id=context.request_id
    )
    context.commit([*documents.change(was, expired), *claims.release(expired), *forgotten])
    return True
