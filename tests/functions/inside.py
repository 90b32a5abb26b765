"""The functions' own code in this process, on the running stack: for what interleavings show.

Nothing is replaced: store and Stripe are the stack's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from common import bootstrap
from common.audit.author import Author
from common.auth.caller import Caller, Role
from common.bootstrap import Services
from common.clock import Clock
from common.context import Context
from common.settings import load
from common.store.unit import Unit
from emulator.stack.handle import RunningStack
from tests.support.market import Market, fresh


class StackClock(Clock):
    """The stack's clock, asked over HTTP."""

    def __init__(self, market: Market) -> None:
        super().__init__()
        self._market = market

    def now(self) -> datetime:
        return self._market.control.now()


@contextmanager
def services_on(stack: RunningStack, market: Market) -> Iterator[Services]:
    """The services of a function, in this process."""
    environment = {
        "GOOGLE_CLOUD_PROJECT": stack.project,
        "STRIPE_SECRET_KEY": stack.stripe_key,
        "STRIPE_API_BASE": stack.stripe,
        "APP_URL": stack.functions,
        "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099",
        "LOG_LEVEL": "ERROR",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore)
        built = bootstrap.build(load(environment))
        assert built.store.client is not None  # made while the address is in the environment
        yield Services(**{**_fields(built), "clock": StackClock(market)})


def _fields(services: Services) -> dict[str, object]:
    return {name: getattr(services, name) for name in Services.__dataclass_fields__}


def a_context(services: Services, action: str, uid: str = "operator") -> Context:
    """A request of its own."""
    caller = Caller(uid, operator=True)
    now = services.clock.now()
    author = Author(caller.actor, action, fresh("req"), services.clock.now, role=Role.OPERATOR)
    return Context(
        services,
        Unit(services.store, author),
        caller,
        author,
        action,
        author.request_id,
        now,
        None,
        {},
    )
