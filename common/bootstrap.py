"""What one process is made of, built once and lazily: no client is made before its first use."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from common import logs
from common.auth.tokens import Tokens
from common.clock import Clock
from common.settings import Settings, load, serving
from common.store.store import Store
from common.stripe_gateway.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Services:
    """The ways out of the process, and its clock. Safe to share between threads."""

    settings: Settings
    store: Store
    stripe: Gateway
    tokens: Tokens
    clock: Clock


_lock = threading.Lock()
_services: Services | None = None


def services() -> Services:
    """The process's services.

    Raises:
        BadSettings: the environment is not one to start with.
    """
    global _services
    with _lock:
        if _services is None:
            _services = build(load())
        return _services


def build(settings: Settings) -> Services:
    """Services for these settings; nothing is contacted."""
    logs.configure(settings.log_level)
    return Services(
        settings=settings,
        store=Store(settings.project, settings.collections),
        stripe=Gateway(settings),
        tokens=Tokens(settings),
        clock=Clock(settings.clock_file),
    )


if serving():
    # A wrong environment stops the start, not the first request.
    services()
