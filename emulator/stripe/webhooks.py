"""Sends events to webhook endpoints: signed, in order, with retries, and with modes for tests."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from typing import Any

import aiohttp

from emulator.stripe.errors import StripeError
from emulator.stripe.events import plan_delivery
from emulator.stripe.store import Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

MODES = ("normal", "hold", "drop", "duplicate", "reverse")
ATTEMPT_SECONDS = 30
"""How long an endpoint may take to answer (real time)."""
HEAD_OF_LINE_SECONDS = 1.0
"""The next event of an endpoint is sent once the one before is answered, or after this long."""
RETRY_SECONDS = (10, 60, 3600, 6 * 3600, 12 * 3600, 24 * 3600, 24 * 3600)
"""Delays between attempts by the emulator's clock; none begins later than three days after."""
GIVE_UP_SECONDS = 3 * 86400


def signature(payload: bytes, secret: str, timestamp: int) -> str:
    """The ``Stripe-Signature`` header: HMAC-SHA256 of ``{timestamp}.{payload}`` with the secret."""
    signed = f"{timestamp}.".encode() + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Webhooks:
    """The deliveries of one world. Lives in the event loop; only HTTP is awaited."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mode = "normal"
        self.held: list[str] = []
        self._newest_first = False
        self.in_flight = 0
        self._queues: dict[str, deque[str]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._sends: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.changed = asyncio.Event()

    # -- what tests steer ---------------------------------------------------------------------

    def take(self, deliveries: list[str]) -> None:
        """Deliveries that a commit made, in order of creation."""
        for id in deliveries:
            delivery = self.world.store.find("_delivery", id)
            if delivery is None:
                continue
            if delivery["attempt"] > 0 or self.mode in ("normal", "duplicate"):
                self._queue(delivery["endpoint"], id)
            else:
                self.held.append(id)
                self._newest_first = self._newest_first or self.mode == "reverse"
        self.changed.set()

    def set_mode(self, mode: str) -> None:
        """``duplicate`` doubles, ``drop`` discards, ``hold`` and ``reverse`` keep until release."""
        self.mode = mode

    def drop_held(self) -> None:
        """Mode ``drop``: what a commit made is thrown away. Call within a transaction."""
        for id in self.held:
            if self.world.store.find("_delivery", id) is not None:
                self.world.store.delete("_delivery", id)
        self.held = []

    def release(self, order: list[str] | None) -> int:
        """Send what is held: the given events first and in that order, then the rest."""
        held = self.held[::-1] if self._newest_first else self.held[:]
        by_event: dict[str, list[str]] = {}
        for id in held:
            by_event.setdefault(self.world.store.get("_delivery", id)["event"], []).append(id)
        for event_id in order or []:
            if event_id not in by_event:
                raise StripeError(400, f"No held delivery of event '{event_id}'", param="order")
        self.held, self._newest_first = [], False
        first = [id for event_id in dict.fromkeys(order or []) for id in by_event[event_id]]
        rest = [id for id in held if id not in set(first)]
        for id in first + rest:
            self._queue(self.world.store.get("_delivery", id)["endpoint"], id)
        return len(held)

    def redeliver(self, event_id: str) -> int:
        """Send one event once more to every endpoint that listens; within a transaction."""
        from emulator.stripe.events import listens

        event = self.world.store.get("event", event_id)
        endpoints = [e for e in self.world.store.all("webhook_endpoint") if listens(e, event)]
        for endpoint in endpoints:
            plan_delivery(self.world, event_id, endpoint["id"])
            self.world.store.edit("_delivery", self.world.outbox[-1])["again"] = True
        return len(endpoints)

    def busy(self) -> bool:
        return self.in_flight > 0 or any(self._queues.values())

    def resume(self) -> None:
        """After a restart: what was on its way goes out again."""
        for row in list(self.world.store.tables["_delivery"].values()):
            if row.obj["state"] == "queued":
                self._queue(row.obj["endpoint"], row.id)

    def forget(self) -> None:
        """Everything queued or held is gone (the objects were reset)."""
        self._queues.clear()
        self.held, self._newest_first = [], False
        self.mode = "normal"

    async def close(self) -> None:
        for task in [*self._workers.values(), *self._sends]:
            task.cancel()
        if self._session is not None:
            await self._session.close()

    # -- sending ------------------------------------------------------------------------------

    def _queue(self, endpoint_id: str, id: str) -> None:
        self._queues.setdefault(endpoint_id, deque()).append(id)
        worker = self._workers.get(endpoint_id)
        if worker is None or worker.done():
            self._workers[endpoint_id] = asyncio.create_task(self._work(endpoint_id))

    async def _work(self, endpoint_id: str) -> None:
        """Sends in order; a slow answer holds up the next event for a moment only."""
        queue = self._queues[endpoint_id]
        while queue:
            self.in_flight += 1
            task = asyncio.create_task(self._attempt(queue.popleft()))
            self._sends.add(task)
            task.add_done_callback(self._landed)
            await asyncio.wait({task}, timeout=HEAD_OF_LINE_SECONDS)
        if self._queues.get(endpoint_id) is queue:
            del self._queues[endpoint_id]

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._sends.discard(task)
        self.in_flight -= 1
        self.changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.world.failures.append(f"delivery: {error!r}")

    async def _attempt(self, id: str) -> None:
        store = self.world.store
        delivery = store.find("_delivery", id)
        if delivery is None:
            return
        endpoint = store.find("webhook_endpoint", delivery["endpoint"])
        event = store.find("event", delivery["event"])
        if endpoint is None or event is None or endpoint["status"] != "enabled":
            with self.world.transaction():
                store.delete("_delivery", id)
            return
        payload = json.dumps(self.world.show(event)).encode()
        times = 2 if self.mode == "duplicate" and not delivery.get("again") else 1
        delivered = False
        for _ in range(times):
            delivered = await self._post(endpoint, payload) or delivered
        if store.find("_delivery", id) is not None:
            with self.world.transaction():
                self._conclude(store.edit("_delivery", id), event["id"], delivered)

    async def _post(self, endpoint: Obj, payload: bytes) -> bool:
        """One attempt; only a 2xx counts."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ATTEMPT_SECONDS)
            # A connection that is kept may be closed by its other end in the very moment it is
            # used again, and an attempt would fail that the endpoint never saw.
            connector = aiohttp.TCPConnector(force_close=True, limit=0)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        # Receivers check the signature against their real clock, wherever the emulated one is.
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Accept": "*/*; q=0.5, application/xml",
            "Stripe-Signature": signature(payload, endpoint["_secret"], int(time.time())),
        }
        try:
            async with self._session.post(
                endpoint["url"], data=payload, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    def _conclude(self, delivery: Obj, event_id: str, delivered: bool) -> None:
        """Record the outcome of an attempt: done, tried again later, or given up."""
        store = self.world.store
        event = store.edit("event", event_id)
        if delivered:
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
            store.delete("_delivery", delivery["id"])
            return
        event["_failed"] += 1
        attempt = delivery["attempt"]
        due = self.world.now + RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
        if attempt >= len(RETRY_SECONDS) or due > event["created"] + GIVE_UP_SECONDS:
            store.delete("_delivery", delivery["id"])
            return
        delivery["attempt"] = attempt + 1
        delivery["state"] = "waiting"
        self.world.timers.at(due, "webhook_retry", {"delivery": delivery["id"]})


@timer("webhook_retry")
def retry(world: World, args: dict[str, Any]) -> None:
    """The wait before another attempt is over."""
    if world.store.find("_delivery", args["delivery"]) is not None:
        world.store.edit("_delivery", args["delivery"])["state"] = "queued"
        world.outbox.append(args["delivery"])
