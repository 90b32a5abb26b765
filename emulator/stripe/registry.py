"""Every resource that the emulator imitates, gathered from their modules."""

from __future__ import annotations

from types import ModuleType

from emulator.stripe.access import RESTRICTED_KEY
from emulator.stripe.idempotency import KEY
from emulator.stripe.resources import (
    account_links,
    account_sessions,
    accounts,
    application_fees,
    automatic_payouts,
    balance,
    capabilities,
    charges,
    checkout,
    customer_balances,
    customers,
    disputes,
    event_log,
    external_accounts,
    files,
    invoice_items,
    invoice_operations,
    invoices,
    payment_intents,
    payment_methods,
    payouts,
    persons,
    products,
    radar,
    refunds,
    setup_attempts,
    setup_intents,
    subscriptions,
    test_clocks,
    transfers,
    webhook_endpoints,
)
from emulator.stripe.routes import Operation
from emulator.stripe.store import Kind
from emulator.stripe.timers import TIMER

RESOURCES: tuple[ModuleType, ...] = (
    accounts,
    capabilities,
    persons,
    external_accounts,
    account_links,
    account_sessions,
    balance,
    customers,
    payment_methods,
    payment_intents,
    setup_intents,
    setup_attempts,
    charges,
    refunds,
    transfers,
    payouts,
    automatic_payouts,
    application_fees,
    files,
    disputes,
    radar,
    products,
    subscriptions,
    invoices,
    customer_balances,
    invoice_items,
    invoice_operations,
    checkout,
    test_clocks,
    event_log,
    webhook_endpoints,
)


def kinds() -> list[Kind]:
    """What the store must know, the emulator's own rows included."""
    found: list[Kind] = [KEY, RESTRICTED_KEY, TIMER]
    for module in RESOURCES:
        found += getattr(module, "KINDS", [])
    return found


def operations() -> list[Operation]:
    return [operation for module in RESOURCES for operation in getattr(module, "OPERATIONS", [])]
