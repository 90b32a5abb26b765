"""Requests to book: authorised, then accepted by the provider (captured) or declined. Pure.

``Booking.request`` holds: ``blocks`` (whether it keeps its place while unanswered),
``authorizedAt``, ``captureBefore`` (when the bank gives the money back by itself), ``acceptedAt``,
``declineReason``; of one further ahead than an authorisation lives see ``saved_requests``.
Source: contract, sections 3 and 5 (``bookingMode``);
https://docs.stripe.com/payments/place-a-hold-on-a-payment-method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from common.bookings.model import Booking
from common.bookings.payment import charge_facts
from common.bookings.status import UNPAID, Status
from common.clock import from_unix
from common.errors import WrongState

#: The provider's longest time for an answer.
ANSWER_WITHIN = timedelta(days=6)
#: After a start that went by unanswered the provider may still say that the customer came.
AFTER_START = timedelta(days=1)
#: An authorisation online lives this long where Stripe does not say.
AUTHORIZATION_LIVES = timedelta(days=7)
#: Nobody captures in an authorisation's last hours: a lost answer must still be found in time.
CAPTURE_MARGIN = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Authorized:
    """A payment intent whose amount a bank has set aside for us.

    Attributes:
        amount: What may be captured, minor units.
        charge: See ``payment.charge_facts``.
        capture_before: When the bank gives it back; None where Stripe does not say.
    """

    intent_id: str
    amount: int
    currency: str
    charge: Mapping[str, Any]
    capture_before: datetime | None


def is_request(booking: Booking) -> bool:
    """Whether the provider must accept this booking first."""
    return booking.mode == "REQUEST"


def authorized(intent: Mapping[str, Any]) -> Authorized | None:
    """The authorisation in Stripe's object with its charge expanded; None unless it stands."""
    if intent["status"] != "requires_capture":
        return None
    charge = intent["latest_charge"]
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    until = card.get("capture_before")
    return Authorized(
        intent_id=intent["id"],
        amount=intent["amount_capturable"],
        currency=str(intent["currency"]).upper(),
        charge=charge_facts(charge),
        capture_before=None if until is None else from_unix(until),
    )


def matches(booking: Booking, authorization: Authorized) -> bool:
    """Whether exactly this booking's price is set aside."""
    return (authorization.amount, authorization.currency) == (
        booking.money.total,
        booking.money.currency,
    )


def answer_by(booking: Booking, now: datetime, capture_before: datetime) -> datetime:
    """Until when the provider may answer a request authorised ``now``.

    The earliest of six days, a day after the start and the end, and always before the bank's own
    limit. A request that does not keep its place must be answered before its start: the place is
    taken when it is accepted, and no place is taken in the past.
    """
    latest = booking.start + AFTER_START if booking.keeps_place else booking.start
    return min(now + ANSWER_WITHIN, latest, booking.end, capture_before - CAPTURE_MARGIN)


def requested(
    booking: Booking, authorization: Authorized, *, now: datetime, by: str, why: str
) -> Booking:
    """The booking authorised, waiting for its provider."""
    lapses = authorization.capture_before or now + AUTHORIZATION_LIVES
    known = {
        **booking.payment,
        "intentId": authorization.intent_id,
        "intentStatus": "requires_capture",
        "lastFailure": None,
        **authorization.charge,
    }
    waiting = replace(
        booking,
        payment=known,
        hold_until=answer_by(booking, now, lapses),
        request={**booking.request, "authorizedAt": now, "captureBefore": lapses},
    )
    return waiting.moved(Status.REQUESTED, at=now, by=by, why=why)


def accepting(booking: Booking, now: datetime) -> Booking:
    """The booking that its provider wants; it is CONFIRMED once the money is captured.

    Raises:
        WrongState: it waits for no answer, or the time for one is over.
    """
    if booking.status is not Status.REQUESTED:
        raise WrongState("This booking waits for no answer", str(booking.status))
    if booking.hold_until is not None and booking.hold_until <= now:
        raise WrongState("The time to answer this request is over", str(booking.status))
    return replace(booking, request={**booking.request, "blocks": True, "acceptedAt": now})


def declined(booking: Booking, *, reason: str | None, now: datetime, by: str) -> Booking:
    """The booking that its provider does not want.

    Raises:
        WrongState: it waits for no answer, or it was accepted.
    """
    if booking.status is Status.REQUESTED and booking.request.get("acceptedAt"):
        raise WrongState("This request was accepted; cancel the booking instead", "REQUESTED")
    over = booking.moved(Status.DECLINED, at=now, by=by, why="DECLINE_BOOKING")
    told = {**booking.request, "declineReason": reason}
    return replace(over, hold_until=None, request=told)


def is_over(booking: Booking, now: datetime) -> bool:
    """Whether an unpaid booking's time, to be paid or answered, has run out."""
    by = booking.hold_until
    return booking.status in UNPAID and by is not None and by <= now


def lapsed(booking: Booking, *, now: datetime, by: str, why: str) -> Booking:
    """The booking whose time is over, or whose authorisation is gone."""
    over = booking.moved(Status.EXPIRED, at=now, by=by, why=why)
    if not booking.payment.get("intentId"):
        return over
    return replace(over, payment={**booking.payment, "intentStatus": "canceled"})
