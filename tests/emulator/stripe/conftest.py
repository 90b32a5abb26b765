"""One Stripe emulator for the run, in a thread; each test begins with an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, Marketplace, Receiver, running


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    clock_file = tmp_path_factory.mktemp("clock") / "clock.json"
    with running(clock_file=clock_file) as emulator:
        yield emulator


@pytest.fixture
def emulator(_server: Emulator) -> Iterator[Emulator]:
    """The emulator, empty; when the test is over nothing in it may have failed."""
    _server.clear()
    yield _server
    failures = _server.state()["failures"]
    _server.clear()
    assert failures == []


@pytest.fixture
def stripe(emulator: Emulator) -> StripeClient:
    """The official client of the platform; every answer is held against Stripe's OpenAPI."""
    return emulator.client()


@pytest.fixture
def market(emulator: Emulator) -> Marketplace:
    """Short ways to accounts and payments."""
    return Marketplace(emulator)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server that keeps the webhooks it is sent."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def clock_file(_server: Emulator) -> Path:
    assert _server.clock_file is not None
    return _server.clock_file
