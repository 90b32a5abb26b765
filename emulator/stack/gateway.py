"""One address for six functions: what Hosting and the load balancer do in the cloud.

A request goes out once, as it came in. It is never sent a second time: whether a function that
died had already acted is for the caller to find out, with the same idempotency key.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from emulator.stack.ports import HOST

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes: Cloud Run's own limit for a request. Smaller limits are the functions' business."""

LONGEST_ANSWER_SECONDS = 300.0

IDLE_CONNECTION_SECONDS = 1.0
"""Below gunicorn's 2 s, so that it never closes a connection that we are about to use."""

HOP_BY_HOP = {
    "connection",
    "content-length",  # set anew from the body, which is passed whole
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
SET_BY_CLIENT = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Upstream(Protocol):
    """What the gateway has to know of a function's server."""

    @property
    def url(self) -> str: ...

    @property
    def ready(self) -> bool: ...


def client_session() -> aiohttp.ClientSession:
    """The pooled connections to the function servers."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_CONNECTION_SECONDS)
    session = aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=SET_BY_CLIENT,
        timeout=aiohttp.ClientTimeout(total=LONGEST_ANSWER_SECONDS),
    )
    # aiohttp sends a GET again on a broken pooled connection, and has no public switch for it.
    session._retry_connection = False
    return session


def application(
    servers: Mapping[str, Upstream], session: aiohttp.ClientSession, index: Handler
) -> web.Application:
    """The gateway over ``servers`` (by processor name); ``index`` answers ``GET /``."""

    async def forward(request: web.Request) -> web.StreamResponse:
        name = request.match_info["processor"]
        server = servers.get(name)
        if server is None:
            known = ", ".join(servers)
            return error(request, 404, "not_found", f"No function '{name}' here; there are {known}")
        if not server.ready:
            return unavailable(request, f"{name} is being started")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            problem = f"The body is larger than {LARGEST_BODY} bytes"
            return error(request, 413, "body_too_large", problem)
        try:
            return await _send(session, server, request, body)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return unavailable(request, f"{name} ended before it answered")

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        return error(request, 404, "not_found", f"Nothing answers at {request.path}")

    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_get("/", index)
    app.router.add_route("*", r"/{api:(?:api/)?}{processor:[a-z-]+}{rest:(?:/.*)?}", forward)
    app.router.add_route("*", "/{path:.*}", elsewhere)
    return app


async def listen(app: web.Application, port: int) -> web.AppRunner:
    """Serve the application on loopback; bodies arrive as they were sent, compressed or not."""
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, HOST, port, backlog=1024).start()
    return runner


def upstream_path(raw_path: str, processor: str) -> str:
    """What the function sees: the rest after its name, as at its own address in the cloud, and
    the whole path under ``/api/``, as through Hosting."""
    if raw_path.startswith("/api/"):
        return raw_path
    rest = raw_path.removeprefix("/" + processor)
    return rest if rest.startswith("/") else "/" + rest


async def _send(
    session: aiohttp.ClientSession, server: Upstream, request: web.Request, body: bytes
) -> web.Response:
    path = upstream_path(request.raw_path, request.match_info["processor"])
    async with session.request(
        request.method,
        URL(server.url + path, encoded=True),
        headers=_passed_on(request.headers),
        data=io.BytesIO(body) if body or request.method in {"POST", "PUT", "PATCH"} else None,
        allow_redirects=False,
    ) as answer:
        content = await answer.read()
        headers = _passed_on(answer.headers)
        if request.method == "HEAD" and "Content-Length" in answer.headers:
            headers["Content-Length"] = answer.headers["Content-Length"]
        return web.Response(
            status=answer.status, reason=answer.reason, headers=headers, body=content or None
        )


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers without those that concern one connection only (RFC 9110, 7.6.1)."""
    named = {part.strip().lower() for part in headers.get("Connection", "").split(",")}
    gone = HOP_BY_HOP | named
    return CIMultiDict([(k, v) for k, v in headers.items() if k.lower() not in gone])


def unavailable(request: web.Request, why: str) -> web.Response:
    """The contract's 503: the outcome is open, the same request may be sent again."""
    response = error(
        request, 503, "unavailable", f"{why}; send the same request with the same key again"
    )
    response.headers["Retry-After"] = "1"
    return response


def error(request: web.Request, code: int, kind: str, sentence: str) -> web.Response:
    """An error in the shape all functions use (contract, section 1)."""
    request_id = request.headers.get("X-Request-Id") or str(uuid.uuid4())
    body = {"error": sentence, "code": code, "type": kind, "requestId": request_id}
    return web.json_response(body, status=code, headers={"X-Request-Id": request_id})
