"""One local stack for the whole run, started when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client as FirestoreClient
from stripe import StripeClient

from emulator.stack.errors import StackError
from emulator.stack.handle import RunningStack, running_stack
from emulator.stack.ports import free_base
from tests.support.api import Api
from tests.support.market import Market
from tests.support.stripe_control import StripeControl


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The running stack's addresses and keys; its logs lie in pytest's temporary folder."""
    logs = tmp_path_factory.mktemp("stack")
    progress = logs / "up.log"
    options = ["--port-base", str(free_base()), "--logs", str(logs)]
    with progress.open("wb") as file:
        try:
            started = running_stack(options, progress=file)
            running = started.__enter__()
        except StackError as problem:
            pytest.fail(f"{problem}\n{progress.read_text()}", pytrace=False)
        try:
            yield running
        finally:
            started.__exit__(None, None, None)


@pytest.fixture(scope="session")
def api(stack: RunningStack) -> Api:
    """The functions: ``api.as_user(uid).post("booking-processor", "GET_BOOKING", …)``."""
    return Api(stack.functions, stack.project)


@pytest.fixture(scope="session")
def stripe(stack: RunningStack) -> StripeClient:
    """Stripe's official SDK on the stack's Stripe, as the platform; it retries nothing."""
    return StripeClient(
        stack.stripe_key,
        base_addresses={"api": stack.stripe, "files": stack.stripe},
        max_network_retries=0,
    )


@pytest.fixture(scope="session")
def db(stack: RunningStack) -> Iterator[FirestoreClient]:
    """Google's client on the stack's Firestore, with an administrator's rights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore)
        client = FirestoreClient(project=stack.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    yield client
    client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def control(stack: RunningStack) -> Iterator[StripeControl]:
    """The Stripe emulator's control API; faults and webhook modes end with the test."""
    control = StripeControl(stack.stripe)
    yield control
    control.release_faults()
    control.clear_faults()
    control.webhooks("normal")
    control.release_webhooks()
    control.idle()


@pytest.fixture
def market(api: Api, control: StripeControl, stripe: StripeClient, db: FirestoreClient) -> Market:
    """Builders of providers, services and bookings on the stack."""
    return Market(api, control, stripe, db)
