"""The sweep: every action, once for each of its external calls and each fault, then healed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import simplejson

from emulator.stack.handle import RunningStack
from tests.functions.deliveries import signature
from tests.support.market import Market
from tests.support.tokens import unsigned_token
from tests.sweep.actions import SCENES, Request, Scene, Sets
from tests.sweep.faults import Crash, Faults, modes_of
from tests.sweep.here import Here

#: Longer than the lease of a request or an operation that died.
AFTER_THE_LEASE_SECONDS = 10
HEALERS = ("the same request", "the maintenance run")
BY_ITSELF = "itself"


@dataclass(frozen=True)
class Row:
    """One run: where the fault struck, and what healed it."""

    action: str
    at: int
    call: str
    mode: str
    healed_by: str


class Sweep:
    """Runs actions in this process against a stack, with faults."""

    def __init__(self, stack: RunningStack, market: Market) -> None:
        self.stack, self.market, self.sets = stack, market, Sets(market)
        self.faults = Faults()
        self.here = Here(stack, market.control.now)
        self.settings, self.services = self.here.settings, self.here.services

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Webhooks wait: their handlers' commits must not make this action's be tried again."""
        self.market.control.idle()
        self.market.control.webhooks("hold")
        try:
            yield
        finally:
            self.market.control.webhooks("normal")
            self.market.control.release_webhooks()

    def calls_of(self, name: str) -> list[str]:
        """The external calls that an action makes when nothing goes wrong."""
        scene = SCENES[name](self.sets)
        self.faults.at, self.faults.calls = None, []
        with self._undisturbed():
            answer = self._here(scene.request, uuid4().hex)
        calls = list(self.faults.calls)
        self.market.control.idle()
        scene.holds(answer)
        return calls

    def run(self, name: str, at: int, mode: str, healer: str) -> Row:
        """One fault, healed by one of the healers; what must hold holds after it."""
        scene, key = SCENES[name](self.sets), uuid4().hex
        self.faults.at, self.faults.mode, self.faults.calls = at, mode, []
        healed_by = healer
        # What the fault is about: nobody got an answer.
        with self._undisturbed(), suppress(Crash, Lost):
            self._here(scene.request, key)
            healed_by = BY_ITSELF
        assert at < len(self.faults.calls), f"{name} made only {self.faults.calls}"
        call = self.faults.calls[at]
        self.faults.at = None
        self._heal(scene, key, healer)
        return Row(name, at, call, mode, healed_by)

    def _heal(self, scene: Scene, key: str, healer: str) -> None:
        self.market.control.idle()
        self.market.control.advance(AFTER_THE_LEASE_SECONDS)
        if healer == "the maintenance run":
            self.market.api.as_operator().post("booking-processor", "RUN_MAINTENANCE").ok()
            self.market.control.idle()
        answer = self._there(scene.request, key)
        self.market.control.idle()
        scene.holds(answer)

    def _here(self, request: Request, key: str) -> dict[str, Any]:
        body, headers = self._sent(request, key)
        with self.here.installed():
            response = self.here.answer(request.processor, body, headers, self.faults)
        answer: dict[str, Any] = json.loads(response.get_data(), parse_float=Decimal)
        if response.status_code != 200:
            raise Lost(response.status_code, answer)
        return answer

    def _there(self, request: Request, key: str) -> dict[str, Any]:
        """The same request over HTTP, to a function that is alive."""
        body, headers = self._sent(request, key)
        sent = {"Content-Type": "application/json", **headers}
        return self.market.api.request(
            "POST", f"/{request.processor}", data=body, headers=sent
        ).ok()

    def _sent(self, request: Request, key: str) -> tuple[bytes, dict[str, str]]:
        """A caller's request with token and key, or an event as Stripe signs it."""
        body: bytes = simplejson.dumps(request.body, use_decimal=True).encode()
        if request.processor == "stripe-webhook":
            secret = self.stack.webhook_secrets["account" in request.body]
            return body, {"Stripe-Signature": signature(body, secret)}
        token = unsigned_token(request.uid, project=self.stack.project, admin=request.admin)
        return body, {"Authorization": f"Bearer {token}", "Idempotency-Key": key}


class Lost(Exception):
    """The function answered, but not with what was asked for."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__(f"{status}: {answer}")
        assert status == 503, f"a lost outcome must be a 503, not {status}: {answer}"


def every(calls: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """(call, fault, healer) of every run of an action that makes these calls."""
    for at, call in enumerate(calls):
        for mode in modes_of(call):
            for healer in HEALERS:
                yield at, mode, healer
