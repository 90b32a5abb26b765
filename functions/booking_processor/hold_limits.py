"""The maintenance run's part for the time that money may lie: warn of each limit, act before it.

What may leave leaves, whatever the provider's schedule, date or minimum says; what cannot is
reported, once a day, with the reason. Nothing is ever refunded for a limit's sake.
Source: docs/hold-limits.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from common import logs
from common.accounts.model import takes_payouts
from common.bookings import deadlines, documents
from common.bookings.deadlines import Deadline, Kind
from common.bookings.model import Booking
from common.clock import rfc3339
from common.context import Context
from common.errors import AppError, InsufficientEarnings, NotSetUp, Unavailable
from common.ids import derived
from common.payouts import execution
from common.payouts.execution import Wanted
from common.payouts.model import Payout, PayoutStatus
from common.store import collections
from common.store.collections import Key
from common.store.store import Filter, Snapshot
from functions.booking_processor.rounds import pages


def elsewhere(context: Context) -> Iterator[Snapshot]:
    """Bookings that hold money by the limit of a country that the platform is not in any more."""
    where: list[Filter] = [("limitCountry", "!=", context.services.settings.platform_country)]
    return pages(context, "bookings", where, "limitCountry")


def redate(context: Context, snapshot: Snapshot) -> bool:
    """Bring a booking under the limit of the platform's country."""
    booking = documents.load(snapshot)
    country = context.services.settings.platform_country
    countries = {**booking.countries, deadlines.PLATFORM: country}
    context.commit(documents.change(snapshot, replace(booking, countries=countries)))
    return True


def due(context: Context) -> Iterator[Snapshot]:
    """Bookings that somebody must look at for a deadline's sake."""
    where: list[Filter] = [("nextDeadlineAt", "<=", context.now)]
    return pages(context, "bookings", where, "nextDeadlineAt")


def warn(context: Context, snapshot: Snapshot) -> bool:
    """Warn of a booking's deadlines that are near. Whose note is committed has warned: of two runs
    at once, one."""
    booking, near = context.until_settled(lambda: _warned(context, snapshot.key))
    reason = deadlines.obstacle(booking)
    for one in near:
        logs.logger().warning("booking.deadline_near", **_told(booking, one), reason=reason)
    return bool(near)


def _warned(context: Context, key: Key) -> tuple[Booking, tuple[Deadline, ...]]:
    was = context.read(key)[key]
    booking = documents.load(was)
    near = deadlines.to_warn(booking, context.now)
    if near:
        context.commit(documents.change(was, deadlines.warned(booking, near, context.now)))
    return booking, near


def act(context: Context, snapshot: Snapshot) -> bool:
    """Let go what may go; note what could not, and say why.

    A request whose time to answer is over was ended by an earlier part of the run; one that still
    stands is only reported.

    Returns:
        Whether money was let go.
    """
    key = collections.booking(snapshot.key.id)
    booking = documents.load(context.read(key)[key])  # a payout of this run may have taken it along
    pressing = deadlines.to_act(booking, context.now)
    if not pressing:
        return False
    waits = any(one.kind is Kind.AUTHORIZATION for one in pressing)
    left, why = (False, None) if waits else _pay(context, booking)
    context.until_settled(lambda: _note(context, booking.id, why))
    return left


def _pay(context: Context, booking: Booking) -> tuple[bool, str | None]:
    """Send what the booking has earned: payouts that wait for a date leave now, and what is free
    leaves with all that its provider can be paid."""
    sent: list[Payout] = []
    why = deadlines.obstacle(booking)
    if booking.money.claimed:
        sent = [_leave(context, payout_id) for payout_id in _scheduled(context, booking)]
    if booking.available:
        try:
            sent.append(_request(context, booking))
        except Unavailable:
            raise
        except AppError as error:
            why = _REASONS.get(type(error), error.type)
    left = [payout for payout in sent if payout.status in _LEFT]
    for payout in sent:
        if payout.status is PayoutStatus.SCHEDULED:
            why = why or _why_it_waits(context, payout)
        elif payout not in left:
            why = why or payout.failure_code or f"payout_{payout.status}".lower()
    return bool(left), why


_LEFT = frozenset({PayoutStatus.PROCESSING, PayoutStatus.PAID})


#: What a payout's refusal means here.
_REASONS: dict[type[AppError], str] = {
    NotSetUp: "account_restricted",
    InsufficientEarnings: deadlines.DEBT_OR_REMAINDER,
}


def _scheduled(context: Context, booking: Booking) -> list[str]:
    """Payouts that have a part of the booking and wait for their date."""
    where: list[Filter] = [
        ("providerId", "==", booking.provider_id),
        ("status", "==", str(PayoutStatus.SCHEDULED)),
    ]
    order = (("createdAt", "DESCENDING"),)
    found = context.services.store.query("payouts", where, order=order, limit=200)
    waiting = (Payout.load(snapshot) for snapshot in found)
    return [
        payout.id
        for payout in waiting
        if any(line.booking_id == booking.id for line in payout.lines)
    ]


def _why_it_waits(context: Context, payout: Payout) -> str:
    key = collections.profile(payout.provider_id)
    return "payout_waits" if takes_payouts(context.read(key)[key].data) else _REASONS[NotSetUp]


def _leave(context: Context, payout_id: str) -> Payout:
    execution.start(context, payout_id)
    return _payout(context, payout_id)


def _request(context: Context, booking: Booking) -> Payout:
    """A payout of all that the provider can be paid, the oldest earnings first. Its id is made of
    the booking as it stands: a run that died, or one beside this, finds the same payout."""
    payout_id = derived("payout", "deadline", booking.id, str(booking.version))
    wanted = Wanted(payout_id, booking.provider_id, currency=booking.money.currency)
    execution.request(wanted, context)
    return _payout(context, payout_id)


def _payout(context: Context, payout_id: str) -> Payout:
    key = collections.payout(payout_id)
    return Payout.load(context.read(key)[key])


def _note(context: Context, booking_id: str, why: str | None) -> None:
    """Remember the look and report what did not leave; what is on its way is reported only once
    its limit has passed."""
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    booking = documents.load(was)
    open_ = deadlines.to_act(booking, context.now)
    if not open_:
        return
    if why is None and booking.available:
        # One payout could not carry all of it. The next run sends the rest in another, whose id
        # differs since this makes the booking's version another.
        context.commit(documents.change(was, booking))
        return
    noted = deadlines.looked_at(booking, open_, context.now)
    context.commit(documents.change(was, noted))
    for one in open_:
        reason = why or deadlines.obstacle(booking)
        if reason is None and context.now >= one.lapses_at:
            reason = "payout_under_way"
        if reason is not None:
            logs.logger().error("booking.deadline_blocked", **_told(booking, one), reason=reason)


def _told(booking: Booking, deadline: Deadline) -> dict[str, Any]:
    return {
        "bookingId": booking.id,
        "providerId": booking.provider_id,
        "status": str(booking.status),
        "kind": str(deadline.kind),
        "lapsesAt": rfc3339(deadline.lapses_at),
    }
