"""How long the current request may still take, so that it ends itself before the platform ends it.

A function that is cut off at its time-out answers nothing that tells the client what to do; one
that gives up in time answers 503 with ``Retry-After``, and the same request then goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float | None] = ContextVar("deadline", default=None)
#: Where no request has begun (a script, a test): as long as a request has by default.
UNLIMITED_SECONDS = 50.0


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What runs inside may take this long from now on, real time; what follows it is free again."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def left() -> float:
    """Seconds that are left; 0 or less where it is over."""
    until = _until.get()
    return UNLIMITED_SECONDS if until is None else until - time.monotonic()
