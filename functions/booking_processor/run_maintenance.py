"""RUN_MAINTENANCE: whatever was left half done is finished, whatever is over is ended.

Every part is a bounded page; what one item meets does not stop the others, and the next run takes
what this one left.
Source: contract, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from common import logs
from common.accounts import leaving, recall
from common.bookings import (
    apply_authorization,
    apply_payment,
    attendance,
    claims,
    completion,
    documents,
    payment,
    requests,
)
from common.bookings.model import Booking
from common.bookings.payment_operations import payment_id
from common.bookings.status import UNPAID, Status
from common.context import Answer, Context
from common.http.command import Command
from common.operations import runner
from common.payouts import execution
from common.payouts.model import Payout, PayoutStatus
from common.store import collections
from common.store.store import Filter, Snapshot
from common.store.unit import Unit
from common.stripe_gateway.calls import Call
from common.stripe_gateway.gateway import Refused
from common.webhooks import missed, on_payouts
from functions.booking_processor import mark_no_show

T = TypeVar("T")
#: Items of one page, and pages of one kind in one run.
PAGE, MOST_PAGES = 200, 10


class Request(Command):
    """Nothing to say."""


def handle(command: Request, context: Context) -> Answer:
    """Counts of what was expired, completed and recovered, and of what could not be done."""
    events = missed.replay(context)
    retried = each(context, missed.failed_events(context), missed.retry)
    recovered = each(context, _operations(context), _recover)
    expired = each(context, _lapsed(context), _expire)
    completed = each(context, _ended(context), _complete)
    released = each(context, _waiting(context), _release)
    payouts = each(context, _due_payouts(context), _start_payout)
    arrived = each(context, _arrived(context), _follow)
    home = each(context, recall.to_bring_home(context), recall.bring_home)
    parts = (events, retried, recovered, expired, completed, released, payouts, arrived, home)
    return {
        "expired": expired[0],
        "completed": completed[0],
        "recovered": recovered[0] + events[0] + retried[0] + arrived[0] + home[0],
        "released": released[0],
        "payoutsStarted": payouts[0],
        "failed": sum(part[1] for part in parts),
    }


def each(
    context: Context, items: Iterable[T], work: Callable[[Context, T], bool]
) -> tuple[int, int]:
    """Do ``work`` for every item, each in a unit of its own.

    Returns:
        How many were done, and how many failed and wait for the next run.
    """
    done = failed = 0
    for item in items:
        own = replace(context, unit=Unit(context.services.store), record=None, notes={})
        try:
            done += work(own, item)
        except Exception as error:  # one poison item must not stop the others
            failed += 1
            logs.logger().warning(
                "maintenance.item_failed", work=work.__name__, why=type(error).__name__
            )
    return done, failed


def _pages(context: Context, collection: str, where: list[Filter], by: str) -> Iterator[Snapshot]:
    """What matches, in order of one field, page by page: items that stay do not hide the others."""
    after: list[Any] | None = None
    for _ in range(MOST_PAGES):
        page = context.services.store.query(
            collection,
            where,
            order=((by, "ASCENDING"), ("__name__", "ASCENDING")),
            limit=PAGE,
            after=after,
        )
        yield from page
        if len(page) < PAGE:
            return
        after = [page[-1].require()[by], page[-1].key.id]


def _standing(context: Context, status: Status, field: str) -> Iterator[Snapshot]:
    where: list[Filter] = [("status", "==", str(status)), (field, "<=", context.now)]
    return _pages(context, "bookings", where, field)


def _lapsed(context: Context) -> Iterator[Snapshot]:
    for status in sorted(UNPAID):
        yield from _standing(context, status, "holdUntil")


def _ended(context: Context) -> Iterator[Snapshot]:
    return _standing(context, Status.CONFIRMED, "end")


def _waiting(context: Context) -> Iterator[Snapshot]:
    """Completed bookings whose earnings wait for the hold to pass."""
    hours = context.services.settings.payout_hold_hours
    where: list[Filter] = [
        ("eligibleAt", "==", None),
        ("status", "==", str(Status.COMPLETED)),
        ("completedAt", "<=", context.now - timedelta(hours=hours)),
    ]
    return _pages(context, "bookings", where, "completedAt")


def _operations(context: Context) -> Iterator[str]:
    """Operations that somebody left, and those whose time to go on has come."""
    for state, field in (("OPEN", "leaseUntil"), ("WAITING", "wakeAt")):
        where: list[Filter] = [("state", "==", state), (field, "<=", context.now)]
        yield from (one.key.id for one in _pages(context, "operations", where, field))


def _due_payouts(context: Context) -> Iterator[str]:
    where: list[Filter] = [("status", "==", "SCHEDULED"), ("scheduledDate", "<=", context.now)]
    return (one.key.id for one in _pages(context, "payouts", where, "scheduledDate"))


def _arrived(context: Context) -> Iterator[Snapshot]:
    """Payouts that should be there by now and of which nothing was heard."""
    where: list[Filter] = [("status", "==", "PROCESSING"), ("arrivalDate", "<=", context.now)]
    return _pages(context, "payouts", where, "arrivalDate")


def _follow(context: Context, snapshot: Snapshot) -> bool:
    """Ask Stripe; done if the payout has come to an end."""
    payout = Payout.load(snapshot)
    try:
        on_payouts.refresh(payout.id, str(payout.stripe_payout_id), payout.account_id, context)
    except Refused as refused:
        if refused.code != leaving.GONE:
            raise
        return False  # the account has left: Stripe shows us nothing of it any more
    now = Payout.load(context.services.store.read([payout.key])[payout.key])
    return now.status is not payout.status


def _recover(context: Context, operation_id: str) -> bool:
    operation = runner.resume(context, operation_id)
    return operation is not None and operation.settled


def _start_payout(context: Context, payout_id: str) -> bool:
    """Done if it left (or fell away): one whose provider cannot be paid goes on waiting."""
    payout = execution.start(context, payout_id)
    return payout is not None and payout.status is not PayoutStatus.SCHEDULED


def _expire(context: Context, snapshot: Snapshot) -> bool:
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


def _complete(context: Context, snapshot: Snapshot) -> bool:
    booking_id = snapshot.key.id
    ended = context.until_settled(lambda: _end(context, booking_id))
    return ended or mark_no_show.missed(context, booking_id)


def _end(context: Context, booking_id: str) -> bool:
    key = collections.booking(booking_id)
    was = context.read(key)[key]
    booking = documents.load(was)
    if booking.status is not Status.CONFIRMED or context.now < booking.end or booking.giving_back:
        return False
    if attendance.is_missed(booking):
        return False
    done = completion.completed(
        booking,
        hold_hours=context.services.settings.payout_hold_hours,
        now=context.now,
        by=context.caller.actor,
        why=context.action,
    )
    context.commit(completion.writes(was, done, context.now))
    return True


def _release(context: Context, snapshot: Snapshot) -> bool:
    booking = documents.load(snapshot)
    if not completion.hold_over(booking, context.services.settings.payout_hold_hours, context.now):
        return False
    context.commit(documents.change(snapshot, replace(booking, eligible_at=context.now)))
    return True
