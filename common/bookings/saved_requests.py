"""Requests further ahead than an authorisation lives: accepted first, charged then. Pure.

No bank sets money aside for so long. The customer's payment method is saved instead, and charged
off session when the provider accepts; where the bank then wants its customer, they pay themselves.

``Booking.request`` holds besides (see ``requests``): ``saved`` (decided when it is booked),
``setupIntentId``, ``stripeCustomer``, ``paymentMethod``, ``savedAt``; where the charge failed
``payBy`` and ``paymentLink``.
Source: https://docs.stripe.com/payments/save-and-reuse;
https://docs.stripe.com/payments/setup-intents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from common.bookings import payment
from common.bookings.model import Booking
from common.bookings.requests import ANSWER_WITHIN, AUTHORIZATION_LIVES
from common.bookings.status import Status
from common.stripe_gateway.objects import id_of

#: How long the customer has whose bank did not let us charge what they had saved.
PAY_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Saved:
    """A payment method that its owner has let us charge later."""

    setup_id: str
    customer: str
    payment_method: str


def is_far(start: datetime, now: datetime) -> bool:
    """Whether a request booked now begins after an authorisation would have lapsed."""
    return start - now > AUTHORIZATION_LIVES


def is_saved(booking: Booking) -> bool:
    """Whether this request's payment method is saved first and charged when it is accepted."""
    return bool(booking.request.get("saved"))


def saved(setup: Mapping[str, Any]) -> Saved | None:
    """What Stripe's setup intent has saved; None unless it succeeded."""
    customer, method = id_of(setup["customer"]), id_of(setup["payment_method"])
    if setup["status"] != "succeeded" or customer is None or method is None:
        return None
    return Saved(setup["id"], customer, method)


def is_of(booking: Booking, setup_id: str) -> bool:
    """Whether a setup intent is this booking's; it may be told of before it is recorded."""
    known = booking.request.get("setupIntentId")
    return is_saved(booking) and known in (None, setup_id)


def asked(booking: Booking, setup_id: str, customer: str) -> Booking:
    """The booking with the setup intent that its customer is to confirm."""
    known = {**booking.request, "setupIntentId": setup_id, "stripeCustomer": customer}
    return replace(booking, request=known)


def answer_by(booking: Booking, now: datetime) -> datetime:
    """Until when the provider may answer: before the start, since nothing is paid by then."""
    return min(now + ANSWER_WITHIN, booking.start)


def requested(booking: Booking, what: Saved, *, now: datetime, by: str, why: str) -> Booking:
    """The booking that can be charged, waiting for its provider."""
    known = asked(booking, what.setup_id, what.customer).request
    waiting = replace(
        booking,
        payment={**booking.payment, "lastFailure": None},
        hold_until=answer_by(booking, now),
        request={**known, "paymentMethod": what.payment_method, "savedAt": now},
    )
    return waiting.moved(Status.REQUESTED, at=now, by=by, why=why)


def not_saved(booking: Booking, setup: Mapping[str, Any], now: datetime) -> Booking:
    """The booking after a payment method was refused; the customer may try another."""
    failure = payment.failure(setup.get("last_setup_error") or {}, now)
    return replace(booking, payment={**booking.payment, "lastFailure": failure})


def awaits_payment(booking: Booking) -> bool:
    """Whether it was accepted, its charge failed, and its customer is to pay it now."""
    return booking.status is Status.REQUESTED and booking.request.get("payBy") is not None


def unpaid(
    booking: Booking,
    intent: Mapping[str, Any],
    error: Mapping[str, Any],
    *,
    link: str,
    now: datetime,
) -> Booking:
    """The accepted booking whose charge failed: its customer has a day, and not after the start.

    Args:
        intent: Stripe's payment intent, to be paid on session; empty where none was made.
        error: Stripe's error, with ``code``, ``decline_code`` and ``message``.
        link: Where the customer pays.
    """
    pay_by = min(now + PAY_WITHIN, max(booking.start, now))
    known = {**booking.payment, "lastFailure": payment.failure(error, now)}
    if intent:
        same = known.get("intentId") == intent["id"]
        told = known.get("intentStatus") if same else None  # an event may have said more since
        known.update(intentId=intent["id"], intentStatus=told or intent["status"])
    request = {**booking.request, "payBy": pay_by, "paymentLink": link}
    return replace(booking, payment=known, hold_until=pay_by, request=request)
