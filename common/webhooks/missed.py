"""Events that never arrived: Stripe keeps them for 30 days, and the maintenance run asks.

Source: https://docs.stripe.com/webhooks/process-undelivered-events.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from common import logs
from common.context import Context
from common.errors import AppError
from common.store import collections
from common.store.store import Replace, WriteConflict
from common.webhooks.dispatch import process
from common.webhooks.events import PLATFORM_EVENTS
from common.webhooks.marker import FAILED

#: Events are looked at again for this long, since one may become visible late.
OVERLAP = timedelta(minutes=10)
FIRST_LOOK = timedelta(days=2)
MOST_EVENTS = 2_000
_CHUNK = 100


def replay(context: Context) -> tuple[int, int]:
    """Let platform events that were missed have their effect, the oldest first.

    Returns:
        How many had one, and how many failed and come again.
    """
    key = collections.cursor("stripe-events")
    store = context.services.store
    was = store.read([key])[key]
    since = was.data["until"] - OVERLAP if was.data else context.now - FIRST_LOOK
    try:
        found = context.services.stripe.events_since(int(since.timestamp()), PLATFORM_EVENTS)
        events = sorted(islice(found, MOST_EVENTS), key=lambda event: event["created"])
        unseen = _unseen(context, events)
    except AppError as error:
        logs.logger().warning("events.not_listed", why=error.type)
        return 0, 1
    done = failed = 0
    for event in unseen:
        try:
            done += process(context.services, event, context.request_id, {}) == "processed"
        except AppError as error:
            failed += 1
            logs.logger().warning("events.replay_failed", eventId=event["id"], why=error.type)
    if not failed and len(events) < MOST_EVENTS:
        _advance(context, key.id)
    return done, failed


def failed_events(context: Context) -> list[tuple[str, str | None]]:
    """Events whose handlers broke: their ids and accounts."""
    found = context.services.store.query("webhook_events", [("outcome", "==", FAILED)])
    return [(snapshot.key.id, snapshot.require()["account"]) for snapshot in found]


def retry(context: Context, event: tuple[str, str | None]) -> bool:
    """Let an event that failed try again, as Stripe has it."""
    told = context.services.stripe.event(*event)
    if event[1] is not None:
        told = {**told, "account": event[1]}
    return process(context.services, told, context.request_id, {}) == "processed"


def _unseen(context: Context, events: list[dict[str, object]]) -> list[dict[str, object]]:
    unseen = []
    for first in range(0, len(events), _CHUNK):
        chunk = {str(event["id"]): event for event in events[first : first + _CHUNK]}
        marks = context.services.store.read(collections.event(id_) for id_ in chunk)
        unseen += [chunk[key.id] for key, mark in marks.items() if mark.data is None]
    return sorted(unseen, key=lambda event: int(str(event["created"])))


def _advance(context: Context, name: str) -> None:
    key = collections.cursor(name)
    was = context.services.store.read([key])[key]
    try:
        context.services.store.commit([Replace(was, {"until": context.now})])
    except WriteConflict:
        logs.logger().info("events.cursor_kept")  # another run has just moved it
