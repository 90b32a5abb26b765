"""At the end of the run RECONCILE is asked about everything that the tests here checked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.firestore import Client as FirestoreClient
from stripe import StripeClient

from emulator.stack.handle import RunningStack
from tests.functions import books
from tests.support import subscriptions
from tests.support.api import Api
from tests.support.market import Market
from tests.support.stripe_control import StripeControl


@pytest.fixture(autouse=True)
def _subscriptions_end(stripe: StripeClient, stack: RunningStack) -> Iterator[None]:
    yield
    subscriptions.end_all(stripe, StripeControl(stack.stripe))


@pytest.fixture(scope="session", autouse=True)
def _reconciled(
    api: Api, stripe: StripeClient, db: FirestoreClient, stack: RunningStack
) -> Iterator[None]:
    yield
    books.reconciled(Market(api, StripeControl(stack.stripe), stripe, db))
