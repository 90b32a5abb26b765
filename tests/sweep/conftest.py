"""A stack of the sweep's own, so that its books can be judged as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client as FirestoreClient
from stripe import StripeClient

from emulator.stack.handle import RunningStack, running_stack
from emulator.stack.ports import free_base
from tests.support.api import Api
from tests.support.market import Market
from tests.support.stripe_control import StripeControl
from tests.sweep.sweeping import Sweep


@pytest.fixture(scope="package")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    logs = tmp_path_factory.mktemp("sweep")
    options = ["--port-base", str(free_base()), "--logs", str(logs)]
    with (logs / "up.log").open("wb") as progress, running_stack(options, progress=progress) as up:
        yield up


@pytest.fixture(scope="session")
def full_sweep() -> bool:
    """Whether every run is wanted, and not a choice of them."""
    return os.environ.get("SWEEP") == "full"


@pytest.fixture(scope="package")
def sweep(own_stack: RunningStack) -> Iterator[Sweep]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", own_stack.firestore)
        patch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099")
        db = FirestoreClient(project=own_stack.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
        stripe = StripeClient(own_stack.stripe_key, base_addresses={"api": own_stack.stripe})
        api = Api(own_stack.functions, own_stack.project)
        yield Sweep(own_stack, Market(api, StripeControl(own_stack.stripe), stripe, db))
