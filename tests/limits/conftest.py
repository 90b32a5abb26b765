"""A stack of its own for each country: their clocks move by years."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client as FirestoreClient
from stripe import StripeClient

from emulator.stack.handle import RunningStack, running_stack
from emulator.stack.ports import free_base
from tests.functions import acts
from tests.support.api import Api
from tests.support.market import Market
from tests.support.stripe_control import StripeControl


@dataclass(frozen=True)
class Platform:
    """A platform of one country, with its limit."""

    stack: RunningStack
    market: Market
    country: str
    limit: timedelta
    log: Path

    def run(self, days: float = 0) -> dict[str, int]:
        """A maintenance run, days later; nothing of it may have failed."""
        if days:
            self.market.control.advance(int(timedelta(days=days).total_seconds()))
        told = acts.maintenance(self.market)
        self.market.control.idle()
        assert told["failed"] == 0, told
        return told

    def logged(self, event: str, booking_id: str) -> list[dict[str, Any]]:
        """The log's lines of an event about a booking."""
        lines = (line for line in self.log.read_text().splitlines() if booking_id in line)
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [one for one in found if one["message"] == event]


PlatformIn = Callable[[str], Platform]


@contextmanager
def _platform(country: str, days: int, logs: Path) -> Iterator[Platform]:
    options = ["--port-base", str(free_base()), "--logs", str(logs)]
    options += ["--env", f"PLATFORM_COUNTRY={country}"]
    with (
        (logs / "up.log").open("wb") as progress,
        running_stack(options, progress=progress) as stack,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore)
        db = FirestoreClient(project=stack.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
        stripe = StripeClient(stack.stripe_key, base_addresses={"api": stack.stripe})
        market = Market(
            Api(stack.functions, stack.project), StripeControl(stack.stripe), stripe, db
        )
        log = logs / "booking-processor.log"
        yield Platform(stack, market, country, timedelta(days=days), log)


@pytest.fixture(scope="package")
def platform_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PlatformIn]:
    """A platform of a country, with a stack of its own that is started when first asked for."""
    limits, running = {"US": 730, "DE": 90, "TH": 10}, dict[str, Platform]()
    with ExitStack() as stacks:

        def platform(country: str) -> Platform:
            if country not in running:
                logs = tmp_path_factory.mktemp(f"platform-{country}")
                running[country] = stacks.enter_context(_platform(country, limits[country], logs))
            return running[country]

        yield platform


@pytest.fixture(params=["US", "DE", "TH"], scope="package")
def platform(request: pytest.FixtureRequest, platform_in: PlatformIn) -> Platform:
    """Platforms of countries with each of the limits."""
    return platform_in(request.param)
