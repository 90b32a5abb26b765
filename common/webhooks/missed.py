"""Events that never arrived: Stripe keeps them for 30 days, and the maintenance run asks.

Source: https://docs.stripe.com/webhooks/process-undelivered-events.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from common import logs
from common.context import Context
from common.errors import Unavailable
from common.store import collections
from common.store.store import Replace, WriteConflict
from common.stripe_gateway.calls import Json
from common.webhooks.dispatch import process
from common.webhooks.events import PLATFORM_EVENTS
from common.webhooks.marker import FAILED

#: Events are looked at again for this long, since one may become visible late.
OVERLAP = timedelta(minutes=10)
#: Without a memory of an earlier run: as far back as Stripe keeps events.
FIRST_LOOK = timedelta(days=30)
#: Time is gone through in slices, the oldest first, so that a long silence is caught up in order.
SLICE = timedelta(hours=6)
MOST_SLICES = 16
_CHUNK = 100
_SECOND = timedelta(seconds=1)


def replay(context: Context) -> tuple[int, int]:
    """Let platform events that were missed have their effect, the oldest first.

    Each slice of time that was gone through is remembered: what breaks in one event is kept with
    that event, and only silence of Stripe or Firestore ends the run early.

    Returns:
        How many had an effect, and how many failed.
    """
    key = collections.cursor("stripe-events")
    was = context.services.store.read([key])[key]
    since = was.data["until"] - OVERLAP if was.data else context.now - FIRST_LOOK
    done = failed = 0
    for begins, ends in slices(since, context.now):
        try:
            worked, broke = _slice(context, begins, ends)
        except Unavailable as error:
            logs.logger().warning("events.not_replayed", why=error.type)
            return done, failed + 1
        done, failed = done + worked, failed + broke
        _advance(context, min(ends, context.now))
    return done, failed


def slices(begins: datetime, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The time to go through, in order and without a gap: [begins, ends) each.

    The last one ends beyond the present second, which Stripe's times are cut down to.
    """
    length = max(SLICE, (now - begins) / MOST_SLICES)
    while begins < now:
        ends = begins + length
        if ends > now - _SECOND:
            ends = now + _SECOND
        yield begins, ends
        begins = ends


def _slice(context: Context, begins: datetime, ends: datetime) -> tuple[int, int]:
    stripe = context.services.stripe
    events = list(stripe.events_between(begins, ends, PLATFORM_EVENTS))
    done = failed = 0
    for event in unseen(context, events):
        try:
            done += process(context.services, event, context.request_id, {}) == "processed"
        except Unavailable:
            raise
        except Exception as error:  # the event keeps it; one that breaks must not stop the others
            failed += 1
            logs.logger().warning(
                "events.replay_failed", eventId=event["id"], why=type(error).__name__
            )
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


def unseen(context: Context, events: list[Json]) -> list[Json]:
    """Those of the events that nobody has handled, the oldest first."""
    left: list[Json] = []
    for first in range(0, len(events), _CHUNK):
        chunk = {str(event["id"]): event for event in events[first : first + _CHUNK]}
        marks = context.services.store.read(collections.event(id_) for id_ in chunk)
        left += [chunk[key.id] for key, mark in marks.items() if mark.data is None]
    return sorted(left, key=lambda event: int(event["created"]))


def _advance(context: Context, until: datetime) -> None:
    key = collections.cursor("stripe-events")
    was = context.services.store.read([key])[key]
    if was.data is not None and was.data["until"] >= until:
        return
    try:
        context.services.store.commit([Replace(was, {"until": until})])
    except WriteConflict:
        logs.logger().info("events.cursor_kept")  # another run has just moved it
