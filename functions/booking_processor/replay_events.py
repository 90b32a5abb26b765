"""REPLAY_EVENTS: an operator lets events of Stripe have their effect (again)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common.context import Answer, Context
from common.http.command import Command, Id
from common.webhooks import replays


class Request(Command):
    """Which: by id, all of an account that were never heard of, or all that failed."""

    event_ids: Annotated[tuple[Id, ...], Field(max_length=replays.MOST, strict=False)] = ()
    account_id: Id | None = None


def handle(command: Request, context: Context) -> Answer:
    """What became of each event; one that was handled before is a ``duplicate``."""
    return {"events": replays.replay(context, command.event_ids, command.account_id)}
