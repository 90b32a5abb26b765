"""PAUSE_PAYOUTS and RESUME_PAYOUTS: nothing is transferred or paid out in between.

Each turn is kept in ``payoutPauses`` with who made it, when and why.
Source: contract, section 3; docs/decisions/0010-pausing-payouts.md.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common import logs
from common.clock import rfc3339
from common.context import Answer, Context
from common.http.command import Command, Text
from common.payouts.pause import Switch
from common.store import collections
from common.store.store import Create, Replace

Reason = Annotated[Text, Field(min_length=1, max_length=500)]


class PauseRequest(Command):
    """Why; other operators read it."""

    reason: Reason


class ResumeRequest(Command):
    """Why not any more."""

    reason: Reason | None = None


def pause(command: PauseRequest, context: Context) -> Answer:
    """Payouts paused; where they are already, who paused them first is answered."""
    return context.until_settled(lambda: _turn(context, command.reason, paused=True))


def resume(command: ResumeRequest, context: Context) -> Answer:
    """Payouts go on: what waits leaves with the next maintenance run or scheduled run."""
    return context.until_settled(lambda: _turn(context, command.reason, paused=False))


def _turn(context: Context, reason: str | None, *, paused: bool) -> Answer:
    key = collections.payouts_switch()
    was = context.read(key)[key]
    before = Switch.load(was)
    after = before.turned(paused, reason=reason, by=context.caller.actor, at=context.now)
    answer = {
        "paused": after.paused,
        "since": None if after.since is None else rfc3339(after.since),
        "reason": after.reason,
        "by": after.by,
    }
    if after != before:
        document = after.to_document()
        record = Create(
            collections.payouts_change(after.changes),
            {**document, "requestId": context.request_id},
        )
        context.finish([Replace(was, document), record], answer)
        logs.logger().warning(
            "payouts.paused" if paused else "payouts.resumed", by=after.by, reason=reason
        )
    return answer
