"""The shapes of subscriptions and their items."""

from __future__ import annotations

from typing import Any

from emulator.stripe.params import merged_metadata
from emulator.stripe.store import Obj
from emulator.stripe.world import World


def blank_subscription(world: World, customer: Obj, price: Obj, trial_end: int | None) -> Obj:
    """A subscription before its first invoice: incomplete, or trialing."""
    return {
        "id": world.ids.new("sub"),
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or world.now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": world.now,
        },
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": world.now,
        "currency": price["currency"],
        "customer": customer["id"],
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "latest_invoice": None,
        "livemode": False,
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": world.now,
        "status": "trialing" if trial_end else "incomplete",
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": world.now if trial_end else None,
        "_items": [],
    }


def blank_item(
    world: World, subscription: Obj, price: Obj, given: dict[str, Any], start: int, end: int
) -> Obj:
    """One item of a subscription, with the price as it is now."""
    return {
        "id": world.ids.new("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now,
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": merged_metadata({}, given.get("metadata", {})),
        "plan": plan_of(price),
        "price": price,
        "quantity": given.get("quantity", 1),
        "subscription": subscription["id"],
        "tax_rates": [],
        "_debits": [],
    }


def plan_of(price: Obj) -> Obj:
    """The older shape of a recurring price."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
