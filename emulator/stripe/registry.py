"""Every resource that the emulator imitates, gathered from their modules."""

from __future__ import annotations

from types import ModuleType

from emulator.stripe.idempotency import KEY
from emulator.stripe.resources import (
    account_links,
    accounts,
    balance,
    charges,
    customers,
    disputes,
    event_log,
    external_accounts,
    payment_intents,
    payment_methods,
    payouts,
    radar,
    refunds,
    transfers,
    webhook_endpoints,
)
from emulator.stripe.routes import Operation
from emulator.stripe.store import Kind
from emulator.stripe.timers import TIMER

RESOURCES: tuple[ModuleType, ...] = (
    accounts,
    external_accounts,
    account_links,
    balance,
    customers,
    payment_methods,
    payment_intents,
    charges,
    refunds,
    transfers,
    payouts,
    disputes,
    radar,
    event_log,
    webhook_endpoints,
)


def kinds() -> list[Kind]:
    """What the store must know, the emulator's own rows included."""
    found: list[Kind] = [KEY, TIMER]
    for module in RESOURCES:
        found += getattr(module, "KINDS", [])
    return found


def operations() -> list[Operation]:
    return [operation for module in RESOURCES for operation in module.OPERATIONS]
