"""Events that an operator wants handled: those kept as failed, some by id, or an account's.

Source: contract, section 3 (poison events are kept); docs/reliability.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from common import logs
from common.context import Context
from common.errors import Unavailable
from common.stripe_gateway.calls import Json
from common.stripe_gateway.gateway import Refused
from common.webhooks.dispatch import process
from common.webhooks.events import CONNECT_EVENTS
from common.webhooks.marker import FAILED
from common.webhooks.missed import FIRST_LOOK, failed_events, unseen

#: Events in one request; more are found by asking again.
MOST = 100


def replay(
    context: Context, event_ids: Sequence[str], account_id: str | None
) -> list[dict[str, Any]]:
    """Let events have their effect; one that breaks again is kept and does not stop the others.

    Args:
        event_ids: Which; none: the account's that were never heard of, or without an account all
            that are kept as failed.
        account_id: The connected account that they are of; None for the platform's.

    Returns:
        eventId and outcome of each: ``processed``, ``duplicate``, ``ignored``, ``failed`` (with the
        error's kind) or ``unknown`` (Stripe has no such event).
    """
    if event_ids:
        return [_one(context, id_, account_id) for id_ in event_ids]
    if account_id is None:
        return [_one(context, id_, account) for id_, account in failed_events(context)[:MOST]]
    return [_told(context, event) for event in _never_heard(context, account_id)]


def _never_heard(context: Context, account_id: str) -> Iterator[Json]:
    begins = context.now - FIRST_LOOK
    found = context.services.stripe.events_between(begins, context.now, CONNECT_EVENTS, account_id)
    for event in unseen(context, list(found))[:MOST]:
        yield {**event, "account": account_id}


def _one(context: Context, event_id: str, account_id: str | None) -> dict[str, Any]:
    try:
        event = context.services.stripe.event(event_id, account_id)
    except Refused:
        return {"eventId": event_id, "outcome": "unknown"}
    return _told(context, event if account_id is None else {**event, "account": account_id})


def _told(context: Context, event: Json) -> dict[str, Any]:
    told = {"eventId": event["id"], "type": event["type"]}
    try:
        return {**told, "outcome": process(context.services, event, context.request_id, {})}
    except Unavailable:
        raise
    except Exception as error:  # kept with the event; one that breaks must not stop the others
        logs.logger().warning("events.replay_failed", eventId=event["id"], why=type(error).__name__)
        return {**told, "outcome": FAILED, "error": type(error).__name__}
