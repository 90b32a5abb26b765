"""The functions in this process, on a running stack, with ways out that may fail."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from common import bootstrap
from common.clock import Clock
from common.settings import load
from emulator.stack.environment import CHECK_IN_KEY
from emulator.stack.handle import RunningStack
from functions.booking_processor.main import booking_processor
from functions.payout_manager.main import payout_manager
from functions.refund_processor.main import refund_processor
from functions.stripe_connect.main import stripe_connect
from functions.stripe_webhook.main import stripe_webhook
from tests.sweep.faults import CURRENT, Faults, FaultyGateway, FaultyStore

ENTRY_POINTS: dict[str, Callable[[Request], Response]] = {
    "booking-processor": booking_processor,
    "payout-manager": payout_manager,
    "refund-processor": refund_processor,
    "stripe-connect": stripe_connect,
    "stripe-webhook": stripe_webhook,
}


class Here:
    """Answers requests as the deployed functions do; the clock is the stack's."""

    def __init__(
        self, stack: RunningStack, now: Callable[[], datetime], request_seconds: int = 50
    ) -> None:
        platform, connect = stack.webhook_secrets
        self.settings = load(
            {
                "GOOGLE_CLOUD_PROJECT": stack.project,
                "STRIPE_SECRET_KEY": stack.stripe_key,
                "STRIPE_API_BASE": stack.stripe,
                "CHECK_IN_KEY": CHECK_IN_KEY,
                "APP_URL": stack.functions,
                "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099",
                "STRIPE_WEBHOOK_SECRET": platform,
                "STRIPE_CONNECT_WEBHOOK_SECRET": connect,
                "LOG_LEVEL": "CRITICAL",
                "REQUEST_DEADLINE_SECONDS": str(request_seconds),
            }
        )
        self.services = replace(
            bootstrap.build(self.settings),
            store=FaultyStore(self.settings),
            stripe=FaultyGateway(self.settings),
            clock=StackClock(now),
        )

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The functions of this process use these services."""
        before, bootstrap._services = bootstrap._services, self.services
        try:
            yield
        finally:
            bootstrap._services = before

    def answer(
        self, processor: str, body: bytes, headers: dict[str, str], faults: Faults
    ) -> Response:
        """One request's answer. Raises Crash where the process would have died."""
        builder = EnvironBuilder(
            method="POST", data=body, content_type="application/json", headers=headers
        )
        token = CURRENT.set(faults)
        try:
            return ENTRY_POINTS[processor](Request(builder.get_environ()))
        finally:
            CURRENT.reset(token)


class StackClock(Clock):
    """The stack's clock, asked over HTTP."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now

    def now(self) -> datetime:
        return self._now()


@contextmanager
def emulators(stack: RunningStack) -> Iterator[None]:
    """Google's clients of this process talk to the stack."""
    wanted = {
        "FIRESTORE_EMULATOR_HOST": stack.firestore,
        "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
