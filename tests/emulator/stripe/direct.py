"""The emulator's API without a network, on a clock that stands still."""

from __future__ import annotations

import json
from typing import Any

from emulator.stripe.api import Answer, Api, Request
from emulator.stripe.clock import Clock
from emulator.stripe.known import KnownOperations
from emulator.stripe.registry import kinds, operations
from emulator.stripe.routes import Router
from emulator.stripe.world import Config, World

KEY = "_".join(("sk", "test", "properties"))
ACCOUNT = "type=express&capabilities[transfers][requested]=true"
API = (Router(operations()), KnownOperations())


class StandingClock(Clock):
    """Time passes only when a test says so: the same history gives the same objects."""

    def main_time(self) -> float:
        return 1_900_000_000.0 + self.offset_seconds if self._frozen is None else self._frozen


class Direct:
    """The API without a network: requests go straight to it."""

    def __init__(self) -> None:
        config = Config(KEY, KEY.replace("sk", "pk"), "http://127.0.0.1:1", "seed")
        self.world = World(config, StandingClock(), kinds())
        self.api = Api(self.world, *API)

    def call(
        self,
        method: str,
        path: str,
        body: str = "",
        account: str | None = None,
        key: str | None = None,
    ) -> tuple[int, Any]:
        answer = self.answer(method, path, body, account, key)
        return answer.status, json.loads(answer.body)

    def answer(
        self, method: str, path: str, body: str = "", account: str | None = None,
        key: str | None = None,
    ) -> Answer:  # fmt: skip
        headers = {"authorization": f"Bearer {KEY}"}
        if account:
            headers["stripe-account"] = account
        if key:
            headers["idempotency-key"] = key
        path, _, query = path.partition("?")
        sent = body.encode() if method == "POST" else b""
        return self.api.handle(Request(method, path, query, headers, sent))

    def objects(self) -> dict[str, list[dict[str, Any]]]:
        """Everything but the events, each object with its account."""
        return {
            kind: [{**self.world.show(row.obj), "account": row.account} for row in table.values()]
            for kind, table in self.world.store.tables.items()
            if kind[0] != "_" and kind != "event" and table
        }

    def advance(self, seconds: float) -> None:
        self.world.run_due(self.world.clock.time() + seconds)
        self.world.clock.offset_seconds += max(1, int(seconds))
