"""Starts emulators in threads and talks to them as their users do."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import http.server
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import stripe as sdk
from aiohttp import web
from stripe import StripeClient

from emulator.stripe import cli
from tests.emulator.stripe.clients import checked, official

sdk.enable_telemetry = False


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Emulator:
    """A running emulator and its control API."""

    def __init__(self, url: str, secret_key: str, publishable_key: str) -> None:
        self.url = url
        self.secret_key = secret_key
        self.publishable_key = publishable_key
        self.clock_file: Path | None = None

    def client(self, key: str | None = None, **options: Any) -> StripeClient:
        """An official client without retries of its own."""
        return official(key or self.secret_key, self.url, **options)

    def control(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """A call of the control API that must answer with ``status``."""
        answered, content = self.call(
            method, f"/_emulator{path}", json.dumps(body).encode() if body is not None else None
        )
        assert answered == status, (method, path, answered, content)
        return content

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Any request; the status and the decoded JSON."""
        status, _, content = self.raw(method, path, body, headers)
        return status, json.loads(content)

    def raw(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 20,
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def api(
        self, method: str, path: str, body: str = "", **headers: str
    ) -> tuple[int, Mapping[str, str], Any]:
        """A raw API request with the secret key, for tests of the wire itself."""
        sent = {"Authorization": f"Bearer {self.secret_key}"}
        if body:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        status, answered, content = self.raw(method, path, body.encode() or None, sent)
        answer = json.loads(content)
        checked(method, path, answer, status)
        return status, answered, answer

    def idle(self) -> None:
        self.control("GET", "/idle")

    def advance(self, seconds: int) -> None:
        self.control("POST", "/clock", {"advance_seconds": seconds})
        self.idle()

    def state(self) -> Any:
        return self.control("GET", "/state")

    def clear(self) -> None:
        self.control("POST", "/reset")
        for endpoint in self.client().v1.webhook_endpoints.list({"limit": 100}).data:
            self.client().v1.webhook_endpoints.delete(endpoint.id)


@contextmanager
def running(
    clock_file: Path | None = None, state: Path | None = None, *options: str
) -> Iterator[Emulator]:
    """An emulator in a thread of this process."""
    arguments = ["--port", str(free_port()), *options]
    if clock_file is not None:
        arguments += ["--clock-file", str(clock_file)]
    if state is not None:
        arguments += ["--state", str(state)]
    thread = _Thread(cli.parser().parse_args(arguments))
    thread.start()
    thread.ready.wait(10)
    config = thread.config
    emulator = Emulator(config.url, config.secret_key, config.publishable_key)
    emulator.clock_file = clock_file
    try:
        yield emulator
    finally:
        thread.stop()


class _Thread(threading.Thread):
    """An event loop with one emulator in it."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(daemon=True)
        self._options = options
        self.ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self.config: Any = None

    def run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        emulator = cli.build(self._options)
        self.config = emulator.world.config
        runner = web.ServerRunner(emulator.server(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, cli.HOST, self._options.port).start()
        emulator.start()
        self.ready.set()
        await self._ended.wait()
        await emulator.close()
        await runner.cleanup()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self.join(10)


class Receiver:
    """A web server for webhooks: keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append((body, self.headers["Stripe-Signature"]))
                status = outer.answers.pop(0) if outer.answers else 200
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Tests need no access log."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def events(self) -> list[Any]:
        return [json.loads(body) for body, _ in self.received]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


class Marketplace:
    """Accounts, payments and transfers in one line each."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.stripe = emulator.client()

    def account(self, ready: bool = True, **params: Any) -> Any:
        """A connected account as the marketplace makes them, onboarded unless told otherwise."""
        account = self.stripe.v1.accounts.create(
            {
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "country": "US",
                "settings": {"payouts": {"schedule": {"interval": "manual"}}},
                **params,
            }
        )
        if ready:
            self.emulator.control("POST", f"/accounts/{account.id}/onboarding", {})
        return self.stripe.v1.accounts.retrieve(account.id)

    def payment(
        self, amount: int = 200_00, card: str = "pm_card_visa", currency: str = "usd", **params: Any
    ) -> Any:
        """A succeeded payment intent whose charge has settled, ``latest_charge`` expanded."""
        intent = self.stripe.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "payment_method": card,
                "confirm": True,
                **params,
            }
        )
        self.emulator.idle()
        return self.stripe.v1.payment_intents.retrieve(
            intent.id, {"expand": ["latest_charge.balance_transaction"]}
        )

    def transfer(self, account: Any, amount: int, payment: Any = None, **params: Any) -> Any:
        source = {"source_transaction": payment.latest_charge.id} if payment is not None else {}
        return self.stripe.v1.transfers.create(
            {
                "amount": amount,
                "currency": "usd",
                "destination": account.id,
                **source,
                **params,
            }
        )

    def funds(self, account: Any = None, currency: str = "usd") -> tuple[int, int]:
        """(available, pending) of the platform or an account in one currency."""
        options = {"stripe_account": account.id} if account is not None else {}
        balance = self.stripe.v1.balance.retrieve(options=options)  # type: ignore[arg-type]
        available = sum(row.amount for row in balance.available if row.currency == currency)
        pending = sum(row.amount for row in balance.pending if row.currency == currency)
        return available, pending

    def events(self, account: Any = None) -> list[str]:
        """Types of the events so far, oldest first."""
        options = {"stripe_account": account.id} if account is not None else {}
        listed = self.stripe.v1.events.list({"limit": 100}, options)  # type: ignore[arg-type]
        return [event.type for event in listed.data][::-1]
