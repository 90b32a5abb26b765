"""SCHEDULE_PAYOUT, INSTANT_PAYOUT, GET_PAYOUT_HISTORY and CANCEL_PAYOUT.

Source: guide, section 4; contract, sections 3 and 4.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from common.accounts.providers import profile_of
from common.context import Answer, Context
from common.errors import Missing, WrongState
from common.http.command import Amount, Command, Id, Instant, currency_of
from common.http.cursor import decode, encode
from common.ids import derived, fresh
from common.payouts import execution
from common.payouts.execution import Wanted
from common.payouts.model import Payout, PayoutStatus
from common.store import collections
from common.store.store import Filter

_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


def _date(value: Any) -> Any:
    """A day alone means its first instant, UTC."""
    return f"{value}T00:00:00Z" if isinstance(value, str) and _DAY.match(value) else value


class ScheduleRequest(Command):
    """How much, and when; nothing means everything, now. Without a currency: the profile's own, or
    else where most can be paid out."""

    provider_id: Id
    amount: Amount | None = None
    currency: str | None = None
    scheduled_date: Annotated[Instant, BeforeValidator(_date)] | None = None


class InstantRequest(Command):
    """How much; nothing means everything. The currency as for SCHEDULE_PAYOUT."""

    provider_id: Id
    amount: Amount | None = None
    currency: str | None = None


class HistoryRequest(Command):
    """Which of a provider's payouts."""

    provider_id: Id
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=400)
    status: PayoutStatus | None = Field(default=None, strict=False)


class CancelRequest(Command):
    """Which payout."""

    payout_id: Id


def schedule(command: ScheduleRequest, context: Context) -> Answer:
    """A payout for its date, or on its way at once."""
    return _request(command, command.scheduled_date, "standard", context)


def instant(command: InstantRequest, context: Context) -> Answer:
    """A payout that arrives within minutes, less Stripe's fee."""
    return _request(command, None, "instant", context)


def _request(
    command: ScheduleRequest | InstantRequest,
    date: datetime | None,
    method: str,
    context: Context,
) -> Answer:
    provider_id = command.provider_id
    context.act(provider_id=provider_id, what="provider")
    context.notes["providerId"] = provider_id
    record = context.record
    payout_id = (
        fresh("payout")
        if record is None
        else derived("payout", context.caller.uid, context.action, record.text)
    )
    wanted = Wanted(
        payout_id,
        provider_id,
        amount=command.amount,
        date=date,
        method=method,
        currency=currency_of(command.currency),
    )
    return execution.request(wanted, context)


def history(command: HistoryRequest, context: Context) -> Answer:
    """A provider's payouts, newest first."""
    profile_of(context, command.provider_id)
    where: list[Filter] = [("providerId", "==", command.provider_id)]
    if command.status is not None:
        where.append(("status", "==", str(command.status)))
    found = context.services.store.query(
        "payouts",
        where,
        order=(("createdAt", "DESCENDING"), ("__name__", "DESCENDING")),
        limit=command.limit + 1,
        after=None if command.cursor is None else decode(command.cursor),
    )
    page = [Payout.load(snapshot) for snapshot in found[: command.limit]]
    more = len(found) > command.limit
    return {
        "payouts": [payout.as_json() for payout in page],
        "nextCursor": encode(page[-1].created_at, page[-1].id) if more else None,
    }


def cancel(command: CancelRequest, context: Context) -> Answer:
    """A payout called off while it waits for its date; a second call finds it so."""
    context.notes["payoutId"] = command.payout_id
    return context.until_settled(lambda: _cancel(command, context))


def _cancel(command: CancelRequest, context: Context) -> Answer:
    key = collections.payout(command.payout_id)
    was = context.read(key)[key]
    if was.data is None:
        raise Missing("payout")
    payout = Payout.load(was)
    context.act(provider_id=payout.provider_id, what="payout")
    if payout.status is PayoutStatus.CANCELLED:
        return payout.as_json()
    if payout.status is not PayoutStatus.SCHEDULED:
        raise WrongState("This payout has left and cannot be cancelled", str(payout.status))
    writes = execution.cancel(context, payout, was)
    answer = payout.moved(PayoutStatus.CANCELLED).as_json()
    context.finish(writes, answer)
    return answer
