"""RUN_SCHEDULED_PAYOUTS: pay every provider whose day it is, once, however often it runs.

A provider's payout of a run has an id made of the run, the provider and the currency: a second run
for the same date finds it there.
Source: guide, section 4; contract, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator

from common import logs
from common.accounts.model import takes_payouts
from common.context import Answer, Context
from common.errors import AppError, InsufficientEarnings, PayoutsPaused
from common.http.command import Command
from common.ids import derived
from common.payouts import execution
from common.payouts.execution import Wanted
from common.payouts.model import Payout, PayoutStatus
from common.payouts.pause import Switch
from common.payouts.schedule import parse
from common.store import collections
from common.store.store import Replace, Snapshot, WriteConflict

_PAGE = 200


def _day(value: str) -> str:
    if not re.match(r"\d{4}-\d\d-\d\d\Z", value):
        raise ValueError("must be a date such as 2024-12-01")
    date.fromisoformat(value)
    return value


class Request(Command):
    """Which day's run; today's where nothing is said."""

    date: Annotated[str, AfterValidator(_day)] | None = None


def handle(command: Request, context: Context) -> Answer:
    """How many providers' payouts were begun, and how many providers were passed over.

    While payouts are paused everybody is; a run for the same day after that pays them.
    """
    day = date.fromisoformat(command.date) if command.date else context.now.date()
    run_id = f"run-{day.isoformat()}"
    context.notes["runId"] = run_id
    counts = {"queued": 0, "skipped": 0, "failed": 0}
    switch = collections.payouts_switch()
    paused = Switch.load(context.services.store.read([switch])[switch]).paused
    for totals in _earning(context):
        counts["skipped" if paused else _pay(context, totals, day, run_id)] += 1
    for snapshot in _due(context):
        counts["skipped" if paused else _start(context, snapshot.key.id)] += 1
    _remember(context, run_id, day, counts)
    return {"runId": run_id, "date": day.isoformat(), **counts, "paused": paused}


def _earning(context: Context) -> Iterator[dict[str, Any]]:
    """Running totals with something to pay out, page by page."""
    after: list[Any] | None = None
    while True:
        page = context.services.store.query(
            "earnings",
            [("available", ">", 0)],
            order=(("available", "ASCENDING"), ("__name__", "ASCENDING")),
            limit=_PAGE,
            after=after,
        )
        yield from (snapshot.require() for snapshot in page)
        if len(page) < _PAGE:
            return
        after = [page[-1].require()["available"], page[-1].key.id]


def _due(context: Context) -> list[Snapshot]:
    return context.services.store.query(
        "payouts",
        [("status", "==", "SCHEDULED"), ("scheduledDate", "<=", context.now)],
        order=(("scheduledDate", "ASCENDING"),),
        limit=_PAGE,
    )


def _pay(context: Context, totals: dict[str, Any], day: date, run_id: str) -> str:
    provider_id, code = totals["providerId"], totals["currency"]
    own = replace(context.apart(), notes={})
    payout_id = derived("payout", run_id, provider_id, code)
    keys = collections.profile(provider_id), collections.payout(payout_id)
    docs = own.read(*keys)
    profile = docs[keys[0]].data
    schedule = parse((profile or {}).get("payoutSchedule"))
    known = docs[keys[1]].data is not None
    if known or not schedule.due(day) or not takes_payouts(profile):
        return "skipped"
    wanted = Wanted(
        payout_id, provider_id, currency=code, run_id=run_id, least=schedule.least(code)
    )
    return _tried(lambda: execution.request(wanted, own), provider_id)


def _start(context: Context, payout_id: str) -> str:
    own = replace(context.apart(), notes={})
    return _tried(lambda: execution.start(own, payout_id), payout_id)


def _tried(work: Any, what: str) -> str:
    """Do one payout's work; what it meets does not stop the others."""
    try:
        made = work()
        waits = isinstance(made, Payout) and made.status is PayoutStatus.SCHEDULED
        return "skipped" if waits else "queued"
    except (InsufficientEarnings, PayoutsPaused):
        return "skipped"  # below the provider's minimum, or eaten by their debt; or paused just now
    except (AppError, WriteConflict) as error:
        logs.logger().warning("payout.not_made", about=what, why=type(error).__name__)
        return "failed"


def _remember(context: Context, run_id: str, day: date, counts: dict[str, int]) -> None:
    key = collections.payout_run(run_id)

    def once() -> None:
        was = context.read(key)[key]
        known = was.data or {"date": day.isoformat(), "startedAt": context.now, "queued": 0}
        context.commit(
            [
                Replace(
                    was,
                    {
                        **known,
                        "queued": known["queued"] + counts["queued"],
                        "skipped": counts["skipped"],
                        "failed": counts["failed"],
                        "lastRunAt": context.now,
                    },
                )
            ]
        )

    context.until_settled(once)
