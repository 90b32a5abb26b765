"""Requests carried out in this process, so that a fault may strike at any commit and any call.

The functions' code, Firestore and Stripe are the stack's own; webhooks and whatever is repeated go
to the stack's processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random

import simplejson

from tests.simulation.town import Stack
from tests.support.api import Answer
from tests.support.tokens import unsigned_token
from tests.sweep.faults import COMMIT_MODES, MODES, STRIPE_MODES, Crash, Faults
from tests.sweep.here import Here, emulators

#: External calls of one request: a fault planned beyond them does not strike.
_POINTS = 4


def drawn(random: Random) -> Faults | None:
    """A request's fault, or none."""
    at, mode = random.randrange(_POINTS), random.choice((*MODES, *COMMIT_MODES, *STRIPE_MODES))
    return Faults(at, mode) if random.random() < 0.6 else None


class Inside:
    """Sends requests to the functions of this process."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._here = Here(stack.running, stack.control.now)

    def post(
        self, caller: str, processor: str, body: dict[str, object], key: str | None, faults: Faults
    ) -> Answer | None:
        """The answer; None where the process died before it could give one."""
        operator = caller == "operator"
        token = unsigned_token(caller, project=self._stack.running.project, admin=operator)
        headers = {"Authorization": f"Bearer {token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        sent = simplejson.dumps(body, use_decimal=True).encode()
        try:
            response = self._here.answer(processor, sent, headers, faults)
        except Crash:
            return None
        text = response.get_data(as_text=True)
        told = json.loads(text, parse_float=Decimal)
        return Answer(response.status_code, told, response.headers, text)


@contextmanager
def inside(stack: Stack) -> Iterator[Inside]:
    """The functions of this process, on a stack."""
    with emulators(stack.running):
        one = Inside(stack)
        assert one._here.services.store.client is not None  # made while the address is known
        with one._here.installed():
            yield one
