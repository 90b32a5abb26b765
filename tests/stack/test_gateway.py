"""The gateway passes requests on as they are, once."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from emulator.stack import gateway
from emulator.stack.ports import free_base


@dataclass
class Upstream:
    """A function server that remembers what it got and answers as told."""

    url: str
    ready: bool = True
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[list[tuple[str, str]]] = field(default_factory=list)
    answer: Callable[[web.Request], web.StreamResponse] = lambda request: web.Response(text="ok")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.raw_path, await request.read()))
        self.headers.append(list(request.headers.items()))
        return self.answer(request)


Step = Callable[[aiohttp.ClientSession, str, Upstream], Awaitable[None]]


def through_a_gateway(step: Step, **upstream_fields: Any) -> None:
    """Run ``step(client, gateway's URL, upstream)`` with both servers up."""

    async def run() -> None:
        base = free_base()
        upstream = Upstream(f"http://127.0.0.1:{base + 1}", **upstream_fields)
        inner = web.Application(client_max_size=0)
        inner.router.add_route("*", "/{path:.*}", upstream.handle)

        async def index(request: web.Request) -> web.StreamResponse:
            return web.Response(text="index")

        async with gateway.client_session() as session, plain_client() as client:
            outer = gateway.application({"booking-processor": upstream}, session, index)
            runners = [
                await gateway.listen(inner, base + 1),
                await gateway.listen(outer, base),
            ]
            try:
                await step(client, f"http://127.0.0.1:{base}", upstream)
            finally:
                for runner in runners:
                    await runner.cleanup()

    asyncio.run(run())


def plain_client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        auto_decompress=False, skip_auto_headers=("Accept-Encoding", "User-Agent")
    )


@pytest.mark.parametrize(
    "body",
    [b"", b'{"a": 1.10}\r\n', bytes(range(256)), gzip.compress(b"x" * 1000), b"z" * 1_500_000],
    ids=["empty", "text", "every byte", "compressed", "large"],
)
def test_a_body_arrives_byte_for_byte(body: bytes) -> None:
    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        headers = {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
        async with client.post(
            url + "/booking-processor", data=io.BytesIO(body), headers=headers
        ) as got:
            assert got.status == 200
        assert upstream.seen == [("POST", "/", body)]

    through_a_gateway(step)


def test_a_body_sent_in_chunks_arrives_whole() -> None:
    async def chunks() -> Any:
        for _ in range(50):
            yield b"0123456789" * 1000

    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        async with client.post(url + "/booking-processor", data=chunks()) as got:
            assert got.status == 200
        assert upstream.seen[0][2] == b"0123456789" * 50_000

    through_a_gateway(step)


def test_headers_pass_both_ways_with_repeats_and_nothing_added() -> None:
    def answer(request: web.Request) -> web.StreamResponse:
        response = web.Response(status=207, body=b"\x00\xff", content_type="application/x")
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2")
        response.headers["X-Request-Id"] = "r1"
        return response

    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        sent = {"Authorization": "Bearer x", "Stripe-Signature": "t=1,v1=2", "X-Odd": "a, b;c=d"}
        async with client.post(url + "/booking-processor", data=b"1", headers=sent) as got:
            assert got.status == 207
            assert await got.read() == b"\x00\xff"
            assert got.headers.getall("Set-Cookie") == ["a=1", "b=2"]
            assert got.headers["X-Request-Id"] == "r1"
        arrived = dict(upstream.headers[0])
        assert {name: arrived[name] for name in sent} == sent
        allowed = {*sent, "Host", "Content-Length", "Content-Type", "Accept"}
        assert not set(arrived) - allowed
        assert arrived["Host"] == url.removeprefix("http://")

    through_a_gateway(step, answer=answer)


@pytest.mark.parametrize(
    ("path", "arrives"),
    [
        ("/booking-processor", "/"),
        ("/booking-processor?a=%2F&b", "/?a=%2F&b"),
        ("/booking-processor/", "/"),
        ("/booking-processor/health%20x", "/health%20x"),
        ("/api/booking-processor", "/api/booking-processor"),
        ("/api/booking-processor?x=1", "/api/booking-processor?x=1"),
    ],
)
def test_the_function_sees_the_path_it_would_see_in_the_cloud(path: str, arrives: str) -> None:
    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        async with client.get(URL(url + path, encoded=True)) as got:
            assert got.status == 200
        assert upstream.seen == [("GET", arrives, b"")]

    through_a_gateway(step)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_passed_on(method: str) -> None:
    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        async with client.request(method, url + "/booking-processor") as got:
            assert got.status == 200
        assert upstream.seen[0][0] == method

    through_a_gateway(step)


def test_a_redirect_is_the_clients_to_follow() -> None:
    def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        async with client.post(url + "/booking-processor", allow_redirects=False) as got:
            assert (got.status, got.headers["Location"]) == (302, "/elsewhere")
        assert len(upstream.seen) == 1

    through_a_gateway(step, answer=answer)


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/api", "/Upper", "/a.b/c"])
def test_what_is_no_function_is_a_404_in_the_contracts_shape(path: str) -> None:
    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        async with client.post(url + path, headers={"X-Request-Id": "mine"}) as got:
            told = json.loads(await got.read())
            assert got.status == told["code"] == 404
            assert told["type"] == "not_found"
            assert told["requestId"] == got.headers["X-Request-Id"] == "mine"
        assert upstream.seen == []

    through_a_gateway(step)


def test_a_server_that_is_being_started_is_a_503_and_gets_no_request() -> None:
    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        async with client.post(url + "/booking-processor", data=b"{}") as got:
            told = json.loads(await got.read())
            assert got.status == told["code"] == 503
            assert told["type"] == "unavailable"
            assert int(got.headers["Retry-After"]) > 0
            assert told["requestId"]
        assert upstream.seen == []

    through_a_gateway(step, ready=False)


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_request_whose_server_died_is_a_503_and_never_sent_again(method: str) -> None:
    def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        upstream.answer = lambda request: web.Response(text="ok")
        async with client.post(url + "/booking-processor") as warm:  # leaves a pooled connection
            assert warm.status == 200
        upstream.answer = hang_up
        async with client.request(method, url + "/booking-processor") as got:
            assert got.status == 503
            assert json.loads(await got.read())["type"] == "unavailable"
        assert [seen[0] for seen in upstream.seen] == ["POST", method]

    through_a_gateway(step)


def test_half_an_answer_is_a_503_and_not_passed_off_as_a_whole() -> None:
    def half(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        request.transport.close()
        return web.Response()

    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        async with client.post(url + "/booking-processor") as got:
            assert got.status == 503

    through_a_gateway(step, answer=half)


def test_a_body_beyond_cloud_runs_limit_is_a_413_in_the_contracts_shape() -> None:
    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        body = bytes(gateway.LARGEST_BODY + 1)
        async with client.post(url + "/booking-processor", data=io.BytesIO(body)) as got:
            assert got.status == 413
            assert json.loads(await got.read())["code"] == 413
        assert upstream.seen == []

    through_a_gateway(step)


def test_the_index_answers_at_the_root() -> None:
    async def step(client: aiohttp.ClientSession, url: str, upstream: Upstream) -> None:
        async with client.get(url + "/") as got:
            assert await got.text() == "index"

    through_a_gateway(step)
