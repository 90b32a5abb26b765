"""The HTTP server: API, control API and pages on one port, in one event loop."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from typing import Any

from aiohttp import web

from emulator.stripe import pages
from emulator.stripe.api import Answer, Api, Request
from emulator.stripe.control import CONTROLS
from emulator.stripe.errors import StripeError
from emulator.stripe.faults import Fault, Faults, kill_peer
from emulator.stripe.known import KnownOperations
from emulator.stripe.registry import operations
from emulator.stripe.routes import Operation, Router
from emulator.stripe.webhooks import Webhooks
from emulator.stripe.wire import parse_form
from emulator.stripe.world import World

log = logging.getLogger("emulator.stripe")
LONGEST_SLEEP = 3600.0
MOST_BODY = 6 * 1024 * 1024
"""Files are the largest; Stripe takes 5 MB of evidence."""
_ROUTER = Router(operations())


class Emulator:
    """One world and everything around it that needs the event loop."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.api = Api(world, _ROUTER, KnownOperations())
        self.webhooks = Webhooks(world)
        self.faults = Faults()
        self.gate = asyncio.Event()
        self.held_requests = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._controls = Router(
            Operation(method, path, lambda call: {}) for method, path in CONTROLS
        )
        world.committed.append(self._after_commit)

    def start(self) -> None:
        """Pick up what an earlier run left: timers and deliveries."""
        self.api.keys.reload()
        self.world.timers.rebuild()
        self.webhooks.resume()
        self._arm()

    async def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        await self.webhooks.close()

    # -- time ---------------------------------------------------------------------------------

    def _after_commit(self, deliveries: list[str]) -> None:
        self.webhooks.take(deliveries)
        if self.webhooks.mode == "drop" and self.webhooks.held:
            asyncio.get_running_loop().call_soon(self._drop)
        self._arm()

    def _drop(self) -> None:
        with self.world.transaction():
            self.webhooks.drop_held()

    def _arm(self) -> None:
        """Wake up when the next timer is due."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self.world.timers.next_due()
        if due is not None:
            wait = min(LONGEST_SLEEP, max(0.0, due - self.world.clock.time()))
            self._alarm = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self.world.run_due(self.world.clock.time())
        self.webhooks.changed.set()
        self._arm()

    def advance(self, seconds: int) -> None:
        """Move the clock; what becomes due on the way runs at its own time, in order."""
        world = self.world
        if seconds < 0:
            with world.transaction():
                world.timers.shift_soon(seconds)
            world.timers.rebuild()
        else:
            world.run_due(world.clock.time() + seconds)
        world.move_clock(seconds)
        self._arm()

    def busy(self) -> bool:
        return self.webhooks.busy() or self.world.timers.busy()

    def reset(self) -> None:
        """Everything is gone but the keys and the webhook endpoints; time is real time again."""
        self.webhooks.forget()
        self.faults.clear()
        self.gate.set()
        self.gate = asyncio.Event()
        store = self.world.store
        with self.world.transaction():
            for kind, table in store.tables.items():
                if kind not in ("webhook_endpoint", "_restricted_key"):
                    for id in list(table):
                        store.delete(kind, id)
        self.world.move_clock(-self.world.clock.offset_seconds)
        self.world.settle_in(self.world.config.settlement)
        self.world.failures.clear()
        self.world.timers.rebuild()
        self.api.keys.reload()
        self._arm()

    def server(self) -> web.Server:
        """The HTTP server, with room for files; in the running event loop."""

        loop = asyncio.get_running_loop()
        return web.Server(
            self.handle,
            request_factory=lambda message, payload, protocol, writer, task: web.BaseRequest(
                message, payload, protocol, writer, task, loop, client_max_size=MOST_BODY
            ),
            access_log=None,
        )

    # -- HTTP ---------------------------------------------------------------------------------

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        try:
            if http.path.startswith("/v1/") or http.path.startswith("/v2/"):
                return await self._handle_api(http)
            if http.path.startswith("/_emulator/"):
                return await self._handle_control(http)
            return await pages.handle(self, http)
        except StripeError as exc:
            return _json(exc.status, json.dumps(exc.body()))
        except web.HTTPRequestEntityTooLarge:
            large = StripeError(413, f"The request is larger than {MOST_BODY} bytes.")
            return _json(413, json.dumps(large.body()))
        except web.HTTPException:
            raise
        except Exception:
            log.exception("%s %s failed", http.method, http.path)
            self.world.failures.append(f"{http.method} {http.path}")
            error = StripeError(500, "The emulator failed on this request.", type="api_error")
            return _json(500, json.dumps(error.body()))

    async def _handle_api(self, http: web.BaseRequest) -> web.StreamResponse:
        if http.method == "OPTIONS":
            return web.Response(status=204, headers=_CORS)
        request = Request(
            method=http.method,
            path=http.raw_path.partition("?")[0],
            query=http.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in http.headers.items()},
            body=await http.read(),
        )
        fault = self.faults.take(request.method, request.path)
        if fault is None and (file := self.api.download(request)) is not None:
            return web.Response(body=file.content, content_type=file.content_type)
        if fault is None:
            return _answer(self.api.handle(request))
        return await self._faulty(http, request, fault)

    async def _faulty(
        self, http: web.BaseRequest, request: Request, fault: Fault
    ) -> web.StreamResponse:
        if fault.before:
            if fault.kind == "error":
                return self._refusal(fault)
            if fault.kind in ("timeout", "kill"):
                return await self._break(http, fault)
            await self._hold(http, None)
            return _answer(self.api.handle(request))
        answer = self.api.handle(request)
        if fault.kind == "error":
            refusal = Answer(fault.status, json.dumps(fault.error().body()), dict(answer.headers))
            if answer.key_id is not None:
                self.api.replace_stored(answer.key_id, refusal)
            return _answer(refusal)
        if fault.kind == "hold":
            await self._hold(http, answer.key_id)
            return _answer(answer)
        return await self._break(http, fault)

    def _refusal(self, fault: Fault) -> web.StreamResponse:
        error = fault.error()
        headers = {"Request-Id": self.world.ids.new("req", 14)}
        if error.retry is not None:
            headers["Stripe-Should-Retry"] = "true" if error.retry else "false"
        return _answer(Answer(error.status, json.dumps(error.body()), headers))

    async def _hold(self, http: web.BaseRequest, key_id: str | None) -> None:
        """Wait for the release; a key is in flight as long as its caller still waits."""
        gate = self.gate
        self.held_requests += 1
        if key_id is not None:
            self.api.keys.in_flight.add(key_id)
        try:
            while not gate.is_set():
                if http.transport is None or http.transport.is_closing():
                    self.api.keys.in_flight.discard(key_id or "")
                try:
                    await asyncio.wait_for(gate.wait(), 0.05)
                except TimeoutError:
                    continue
        finally:
            self.held_requests -= 1
            self.api.keys.in_flight.discard(key_id or "")

    async def _break(self, http: web.BaseRequest, fault: Fault) -> web.StreamResponse:
        """End the connection without an answer: late, abruptly, or with the caller itself."""
        transport = http.transport
        if transport is None:
            return web.Response()
        if fault.kind == "timeout":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "kill":
            peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
            killed = await asyncio.to_thread(kill_peer, peer, own)
            log.info("fault %s killed process %s", fault.mode, killed)
        elif fault.kind == "reset":
            raw = transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return web.Response()

    async def _handle_control(self, http: web.BaseRequest) -> web.StreamResponse:
        found = self._controls.find(http.method, http.path)
        if found is None:
            raise StripeError(404, f"The control API has no {http.method} {http.path}.")
        operation, ids = found
        body: dict[str, Any] = parse_form(http.rel_url.raw_query_string)
        raw = await http.read()
        if raw:
            try:
                given = json.loads(raw)
            except ValueError as exc:
                raise StripeError(400, f"The body is not JSON: {exc}") from exc
            if not isinstance(given, dict):
                raise StripeError(400, "The body must be a JSON object.")
            body.update(given)
        control = CONTROLS[operation.method, operation.path]
        return _json(200, json.dumps(await control(self, ids, body)))


_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "authorization, content-type, stripe-version, stripe-account",
    "Access-Control-Expose-Headers": "Request-Id",
}


def _answer(answer: Answer) -> web.Response:
    return _json(answer.status, answer.body, {**_CORS, **answer.headers})


def _json(status: int, body: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)
