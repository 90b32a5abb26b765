"""The invoices of subscriptions: of a period, and of changes that are billed at once."""

from __future__ import annotations

from typing import Any

from emulator.stripe.errors import StripeError, refused
from emulator.stripe.resources import invoice_items, invoices, pausing, prorations
from emulator.stripe.resources.invoice_objects import subscription_line
from emulator.stripe.store import Obj
from emulator.stripe.world import World


def items_of(world: World, subscription: Obj) -> list[Obj]:
    return [world.store.get("subscription_item", id) for id in subscription["_items"]]


def draft_of_period(world: World, subscription: Obj, reason: str, trial: bool = False) -> Obj:
    """A draft for the period the items are in, and the prorations that waited for it."""
    items = [world.store.edit("subscription_item", id) for id in subscription["_items"]]
    start, end = items[0]["current_period_start"], items[0]["current_period_end"]
    lines = [subscription_line(world, subscription, item, start, end, trial) for item in items]
    invoice = _draft(world, subscription, reason, start, lines)
    for item, line in zip(items, lines, strict=True):
        prorations.billed(item, line)
    return invoice


def invoice_now(world: World, subscription: Obj, options: dict[str, Any]) -> None:
    """
    Bill the prorations that wait at once, if there are any, and have them paid.

    Args:
        options: ``payment_behavior`` and ``off_session`` as given.

    Raises:
        StripeError: 402 with ``error_if_incomplete``, which leaves nothing behind.
    """
    if not invoice_items.waiting(world, subscription):
        return
    start = items_of(world, subscription)[0]["current_period_start"]
    invoice = _draft(world, subscription, "subscription_update", start, [])
    if pausing.hold(world, subscription, invoice):
        return
    invoices.finalize(world, invoice)
    behavior = options.get("payment_behavior", "allow_incomplete")
    if invoice["status"] == "open" and behavior != "default_incomplete":
        _collect(world, invoice, behavior == "error_if_incomplete", options)
    if invoice["status"] == "open" and subscription["status"] == "active":
        subscription["status"] = "past_due"


def _collect(world: World, invoice: Obj, or_nothing: bool, options: dict[str, Any]) -> None:
    method = invoices.payer(world, invoice)
    if method is None and not or_nothing:
        invoices.collect(world, invoice)
        return
    if method is None:
        raise no_method()
    try:
        invoices.attempt(world, invoice, method, options.get("off_session", False))
    except StripeError as exc:
        if or_nothing or not exc.keeps_effect:
            exc.keeps_effect = False
            raise
    if or_nothing and invoice["status"] == "open":
        raise StripeError(
            402,
            "This payment requires additional user action before it can be completed.",
            type="card_error",
            code="subscription_payment_intent_requires_action",
        )


def _draft(world: World, subscription: Obj, reason: str, start: int, lines: list[Obj]) -> Obj:
    customer = world.store.get("customer", subscription["customer"])
    taken, prorated = invoice_items.take(world, subscription)
    held = [*prorated, *lines]
    invoice = invoices.draft(
        world,
        customer,
        held,
        billing_reason=reason,
        currency=subscription["currency"],
        default_payment_method=None,
        description=subscription["description"],
        parent={
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
        period_end=world.now,
        period_start=subscription["start_date"] if reason == "subscription_create" else start,
        _subscription=subscription["id"],
    )
    invoice_items.put_on(invoice, taken, prorated)
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def no_method() -> StripeError:
    return refused(
        "This customer has no attached payment source or default payment method. Please consider "
        "adding a default payment method. For more information, visit "
        "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
        code="resource_missing",
    )
