"""The sweep: every action, once for each of its external calls and each fault, then healed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import simplejson
from flask import Request as FlaskRequest
from werkzeug.test import EnvironBuilder

from common import bootstrap
from common.clock import Clock
from common.settings import load
from emulator.stack.handle import RunningStack
from functions.booking_processor.main import booking_processor
from functions.payout_manager.main import payout_manager
from functions.refund_processor.main import refund_processor
from functions.stripe_connect.main import stripe_connect
from tests.support.market import Market
from tests.support.tokens import unsigned_token
from tests.sweep.actions import SCENES, Request, Scene, Sets
from tests.sweep.faults import MODES, Crash, Faults, FaultyGateway, FaultyStore

ENTRY_POINTS: dict[str, Any] = {
    "booking-processor": booking_processor,
    "payout-manager": payout_manager,
    "refund-processor": refund_processor,
    "stripe-connect": stripe_connect,
}
#: Longer than the lease of a request or an operation that died.
AFTER_THE_LEASE_SECONDS = 10
HEALERS = ("the same request", "the maintenance run")


@dataclass(frozen=True)
class Row:
    """One run: where the fault struck, and what healed it."""

    action: str
    call: str
    mode: str
    healed_by: str


class Sweep:
    """Runs actions in this process against a stack, with faults."""

    def __init__(self, stack: RunningStack, market: Market) -> None:
        self.stack, self.market, self.sets = stack, market, Sets(market)
        self.faults = Faults()
        self.settings = load(
            {
                "GOOGLE_CLOUD_PROJECT": stack.project,
                "STRIPE_SECRET_KEY": stack.stripe_key,
                "STRIPE_API_BASE": stack.stripe,
                "APP_URL": stack.functions,
                "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099",
                "LOG_LEVEL": "ERROR",
            }
        )
        self.services = replace(
            bootstrap.build(self.settings),
            store=FaultyStore(self.settings, self.faults),
            stripe=FaultyGateway(self.settings, self.faults),
            clock=StackClock(market),
        )

    @contextmanager
    def in_this_process(self) -> Iterator[None]:
        """The functions of this process, with faulty ways out and the stack's clock."""
        before, bootstrap._services = bootstrap._services, self.services
        try:
            yield
        finally:
            bootstrap._services = before

    def calls_of(self, name: str) -> list[str]:
        """The external calls that an action makes when nothing goes wrong."""
        scene = SCENES[name](self.sets)
        self.faults.at, self.faults.calls = None, []
        answer = self._here(scene.request, uuid4().hex)
        calls = list(self.faults.calls)
        self.market.control.idle()
        scene.holds(answer)
        return calls

    def run(self, name: str, at: int, mode: str, healer: str) -> Row:
        """One fault, healed by one of the healers; what must hold holds after it."""
        scene, key = SCENES[name](self.sets), uuid4().hex
        self.faults.at, self.faults.mode, self.faults.calls = at, mode, []
        with suppress(Crash, Lost):  # what the fault is about: nobody got an answer
            self._here(scene.request, key)
        # A commit that had to be tried again in the first run may not be there in this one.
        call = self.faults.calls[at] if at < len(self.faults.calls) else "(not reached)"
        self.faults.at = None
        self._heal(scene, key, healer)
        return Row(name, call, mode, healer)

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
        token = unsigned_token(request.uid, project=self.stack.project, admin=request.admin)
        builder = EnvironBuilder(
            method="POST",
            data=simplejson.dumps(request.body, use_decimal=True),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
        )
        with self.in_this_process():
            response = ENTRY_POINTS[request.processor](FlaskRequest(builder.get_environ()))
        answer: dict[str, Any] = json.loads(response.get_data(), parse_float=Decimal)
        if response.status_code != 200:
            raise Lost(response.status_code, answer)
        return answer

    def _there(self, request: Request, key: str) -> dict[str, Any]:
        """The same request over HTTP, to a function that is alive."""
        caller = self.market.api.as_user(request.uid, admin=request.admin)
        fields = {name: value for name, value in request.body.items() if name != "action"}
        return caller.post(
            request.processor, request.body["action"], idempotency_key=key, **fields
        ).ok()


class Lost(Exception):
    """The function answered, but not with what was asked for."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__(f"{status}: {answer}")
        assert status == 503, f"a lost outcome must be a 503, not {status}: {answer}"


class StackClock(Clock):
    """The stack's clock, asked over HTTP."""

    def __init__(self, market: Market) -> None:
        super().__init__()
        self._market = market

    def now(self) -> datetime:
        return self._market.control.now()


def every(sweep: Sweep, name: str) -> Iterator[tuple[int, str, str]]:
    """(call, fault, healer) of every run of an action."""
    for at in range(len(sweep.calls_of(name))):
        for mode in MODES:
            for healer in HEALERS:
                yield at, mode, healer
