"""Until when Stripe lets a booking's money lie where it is, and when we warn and act. Pure.

Three clocks: a request's authorisation lapses after days, captured money may be held on the
platform's balance, and transferred money in a connected account on manual payouts, only so long.
Which country decides, and why these margins: docs/decisions/0009-hold-limits.md.
Sources: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method;
https://docs.stripe.com/connect/manual-payouts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from common.bookings.status import Status

if TYPE_CHECKING:
    from common.bookings.model import Booking

#: How long money may be held, by country, and everywhere else. Two years are 731 days at times:
#: the shorter count is the safe one.
HOLD_LIMITS: Mapping[str, timedelta] = {"US": timedelta(days=730), "TH": timedelta(days=10)}
OTHER_HOLD_LIMIT = timedelta(days=90)

#: Before the limit: a payout that bounces is told of within five business days, and the second one
#: must leave in time, too.
ACT_MARGIN = timedelta(days=7)
#: Before acting: two weeks in which people can mend an account or end a dispute.
WARN_MARGIN = timedelta(days=14)
#: Before a request's time to answer ends, which is when its authorisation is let go
#: (``requests.answer_by``): the provider keeps most of that time undisturbed.
ANSWER_WARN_MARGIN = timedelta(days=1)
#: A window too short for these margins (Thailand's ten days) gives at most these tenths of itself.
ACT_TENTHS, WARN_TENTHS = 3, 2
#: Between two tries, and two reports, of what could not leave.
AGAIN = timedelta(days=1)

#: Why nothing can leave of what the provider owes us or the bank has no step for.
DEBT_OR_REMAINDER = "debt_or_remainder"

#: What a booking's entry in ``countries`` names.
PLATFORM, ACCOUNT = "platform", "account"


class Kind(StrEnum):
    """Which clock runs."""

    HOLD = "hold"  # captured, on the platform's balance
    CONNECTED = "connected_hold"  # transferred, in the connected balance
    AUTHORIZATION = "authorization"  # a request's, not captured


@dataclass(frozen=True, slots=True)
class Deadline:
    """One clock of a booking: ``warn_at < act_at < lapses_at``.

    Attributes:
        since: When it began.
    """

    kind: Kind
    since: datetime
    warn_at: datetime
    act_at: datetime
    lapses_at: datetime

    def as_document(self) -> dict[str, datetime]:
        """Its part of the booking's document."""
        return {"warnAt": self.warn_at, "actAt": self.act_at, "lapsesAt": self.lapses_at}


def hold_limit(country: str | None) -> timedelta:
    """How long money may be held; a country that nobody told has the common limit."""
    return HOLD_LIMITS.get(country or "", OTHER_HOLD_LIMIT)


def latest_end(country: str, *, wait: timedelta, captured: datetime) -> datetime:
    """The last instant at which a service may end whose payment is captured then.

    Args:
        country: The platform's.
        wait: How long earnings wait after completion.
    """
    limit = hold_limit(country)
    return captured + limit - _margin(ACT_MARGIN, limit, ACT_TENTHS) - wait


def of(booking: Booking) -> tuple[Deadline, ...]:
    """The clocks that run for a booking; none once its money is where it belongs."""
    return tuple(_running(booking))


def following(booking: Booking) -> Deadline | None:
    """The deadline that lapses first."""
    return min(of(booking), key=lambda one: one.lapses_at, default=None)


def next_look(booking: Booking) -> datetime | None:
    """When somebody must look at the booking for its deadlines' sake."""
    return min((_next(booking, one) for one in of(booking)), default=None)


def to_warn(booking: Booking, now: datetime) -> tuple[Deadline, ...]:
    """The deadlines to warn of, each of which nobody was warned of yet."""
    return tuple(d for d in of(booking) if d.warn_at <= now and not _warned(booking, d))


def to_act(booking: Booking, now: datetime) -> tuple[Deadline, ...]:
    """The deadlines to act on, each at most once in ``AGAIN`` where acting does not end it."""
    due = (d for d in of(booking) if d.act_at <= now and _warned(booking, d))
    return tuple(d for d in due if _next(booking, d) <= now)


def warned(booking: Booking, deadlines: tuple[Deadline, ...], now: datetime) -> Booking:
    """The booking with a note that these were warned of; a note is of one instant of lapsing."""
    notes = {str(d.kind): {"lapsesAt": d.lapses_at, "warnedAt": now} for d in deadlines}
    return replace(booking, notices={**_standing_notes(booking), **notes})


def looked_at(booking: Booking, deadlines: tuple[Deadline, ...], now: datetime) -> Booking:
    """The booking with a note that what could be done for these was done."""
    notes = {str(d.kind): {**booking.notices.get(d.kind, {}), "lookedAt": now} for d in deadlines}
    return replace(booking, notices={**_standing_notes(booking), **notes})


def obstacle(booking: Booking) -> str | None:
    """Why a booking's money cannot leave, as far as the booking itself says; None: it can."""
    if not booking.money.captured:
        return "capture_under_way" if booking.request.get("acceptedAt") else "unanswered"
    if booking.available:
        return None
    if booking.giving_back or booking.money.reclaiming:
        return "refund_under_way"
    if booking.holds:
        return ",".join(sorted({name.partition(":")[0] for name in booking.holds}))
    if booking.status is Status.DISPUTED:
        return "dispute"
    if booking.earned_at is None:
        return "not_served"
    if booking.eligible_at is None:
        return "payout_hold"
    if booking.money.unreturned:
        return "refund_failed"
    return None if booking.money.claimed else DEBT_OR_REMAINDER


def held(booking: Booking) -> int:
    """What of a booking's captured money must still leave the platform's balance, minor units.

    The platform's own fee, once earned, is nobody else's money.
    """
    money = booking.money
    if booking.earned_at is None:
        return money.remaining + money.unreturned
    return max(0, money.due - money.transferred - money.netted) + money.unreturned


def _running(booking: Booking) -> Iterator[Deadline]:
    authorized = booking.request.get("captureBefore")  # not where a payment method was saved
    if booking.status is Status.REQUESTED and booking.hold_until is not None and authorized:
        yield _authorization(booking, booking.hold_until)
    if not booking.money.captured:
        return
    if held(booking):
        country = booking.countries.get(PLATFORM)
        yield _hold(Kind.HOLD, _captured_at(booking), country)
    since = _oldest_transfer(booking)
    if since is not None:
        yield _hold(Kind.CONNECTED, since, booking.countries.get(ACCOUNT))


def _captured_at(booking: Booking) -> datetime:
    """When the money came: a charge that was captured at once says so itself, and news may be
    days late; the charge of a request that was authorised is older than its capture."""
    heard = booking.paid_at or booking.created_at
    charged: datetime | None = booking.payment.get("chargedAt")
    at_once = booking.mode == "INSTANT" or bool(booking.request.get("saved"))
    return min(heard, charged) if charged is not None and at_once else heard


def _oldest_transfer(booking: Booking) -> datetime | None:
    """When the oldest money now in the connected balance came there: the first in leaves first."""
    there = booking.money.there
    if not there:
        return None
    gone = booking.money.transferred - there
    for one in booking.transfers:
        gone -= one["amount"] - one["reversed"]
        if gone < 0:
            since: datetime | None = one.get("at")
            return since or booking.earned_at or booking.created_at
    return booking.earned_at or booking.created_at


def _authorization(booking: Booking, answer_by: datetime) -> Deadline:
    since: datetime = booking.request["authorizedAt"]
    warn_at = answer_by - _margin(ANSWER_WARN_MARGIN, answer_by - since, WARN_TENTHS)
    lapses: datetime = booking.request["captureBefore"]
    return Deadline(Kind.AUTHORIZATION, since, warn_at, answer_by, lapses)


def _hold(kind: Kind, since: datetime, country: str | None) -> Deadline:
    limit = hold_limit(country)
    act_at = since + limit - _margin(ACT_MARGIN, limit, ACT_TENTHS)
    warn_at = act_at - _margin(WARN_MARGIN, limit, WARN_TENTHS)
    return Deadline(kind, since, warn_at, act_at, since + limit)


def _margin(wanted: timedelta, window: timedelta, tenths: int) -> timedelta:
    return min(wanted, window * tenths // 10)


def _note(booking: Booking, deadline: Deadline) -> Mapping[str, Any]:
    """What was done about exactly this deadline; one that moved is another."""
    note = booking.notices.get(deadline.kind, {})
    return note if note.get("lapsesAt") == deadline.lapses_at else {}


def _warned(booking: Booking, deadline: Deadline) -> bool:
    return bool(_note(booking, deadline))


def _next(booking: Booking, deadline: Deadline) -> datetime:
    note = _note(booking, deadline)
    if not note:
        return deadline.warn_at
    looked: datetime | None = note.get("lookedAt")
    return deadline.act_at if looked is None else looked + AGAIN


def _standing_notes(booking: Booking) -> dict[str, Mapping[str, Any]]:
    """The notes of the deadlines that still stand."""
    return {str(d.kind): _note(booking, d) for d in of(booking) if _note(booking, d)}
