"""RUN_MAINTENANCE: whatever was left half done is finished, whatever is over is ended.

Every part is a bounded page; what one item meets does not stop the others, and the next run takes
what this one left.
Source: contract, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from common.accounts import leaving, recall
from common.bookings import attendance, completion, documents
from common.bookings.status import Status
from common.context import Answer, Context
from common.disputes import deadlines
from common.http.command import Command
from common.operations import runner
from common.payouts import execution
from common.payouts.model import Payout, PayoutStatus
from common.store import collections
from common.store.store import Filter, Snapshot
from common.stripe_gateway.gateway import Refused
from common.webhooks import missed, on_payouts
from functions.booking_processor import hold_limits, lapsed_holds, mark_no_show
from functions.booking_processor.rounds import Part, each, pages


class Request(Command):
    """Nothing to say."""


def handle(command: Request, context: Context) -> Answer:
    """Counts of what was expired, completed, recovered …, and of what could not be done."""
    recovered, failed = missed.replay(context)
    counts = {**{part.counted: 0 for part in PARTS}, "recovered": recovered}
    for part in PARTS:
        done, broke = each(context, part.due(context), part.work)
        counts[part.counted] += done
        failed += broke
    return {**counts, "failed": failed}


def _ended(context: Context) -> Iterator[Snapshot]:
    where: list[Filter] = [("status", "==", str(Status.CONFIRMED)), ("end", "<=", context.now)]
    return pages(context, "bookings", where, "end")


def _waiting(context: Context) -> Iterator[Snapshot]:
    """Completed bookings whose earnings wait for the hold to pass."""
    hours = context.services.settings.payout_hold_hours
    where: list[Filter] = [
        ("eligibleAt", "==", None),
        ("status", "==", str(Status.COMPLETED)),
        ("completedAt", "<=", context.now - timedelta(hours=hours)),
    ]
    return pages(context, "bookings", where, "completedAt")


def _operations(context: Context) -> Iterator[str]:
    """Operations that somebody left, and those whose time to go on has come."""
    for state, field in (("OPEN", "leaseUntil"), ("WAITING", "wakeAt")):
        where: list[Filter] = [("state", "==", state), (field, "<=", context.now)]
        yield from (one.key.id for one in pages(context, "operations", where, field))


def _due_payouts(context: Context) -> Iterator[str]:
    where: list[Filter] = [("status", "==", "SCHEDULED"), ("scheduledDate", "<=", context.now)]
    return (one.key.id for one in pages(context, "payouts", where, "scheduledDate"))


def _arrived(context: Context) -> Iterator[Snapshot]:
    """Payouts that should be there by now and of which nothing was heard."""
    where: list[Filter] = [("status", "==", "PROCESSING"), ("arrivalDate", "<=", context.now)]
    return pages(context, "payouts", where, "arrivalDate")


def _unanswered(context: Context) -> Iterator[Snapshot]:
    """Card disputes whose deadline is near and to which nothing was submitted."""
    return pages(context, "disputes", [("warnAt", "<=", context.now)], "warnAt")


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


#: In this order: what was left open first, and money only after what it may hang on.
PARTS = (
    Part("recovered", missed.failed_events, missed.retry),
    Part("recovered", _operations, _recover),
    Part("expired", lapsed_holds.lapsed, lapsed_holds.expire),
    Part("completed", _ended, _complete),
    Part("released", _waiting, _release),
    Part("payoutsStarted", _due_payouts, _start_payout),
    Part("recovered", _arrived, _follow),
    Part("recovered", recall.to_bring_home, recall.bring_home),
    Part("redated", hold_limits.elsewhere, hold_limits.redate),
    Part("warned", hold_limits.due, hold_limits.warn),
    Part("acted", hold_limits.due, hold_limits.act),
    Part("evidenceWarnings", _unanswered, deadlines.warn),
)
