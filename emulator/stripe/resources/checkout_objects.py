"""The shapes of checkout sessions and their line items."""

from __future__ import annotations

from typing import Any

from emulator.stripe.params import merged_metadata
from emulator.stripe.store import Obj
from emulator.stripe.world import World


def line_item(world: World, price: Obj, given: dict[str, Any]) -> Obj:
    """One line of a checkout page."""
    quantity = given.get("quantity", 1)
    amount = price["unit_amount"] * quantity
    return {
        "id": world.ids.new("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": world.store.get("product", price["product"])["name"],
        "metadata": merged_metadata({}, given.get("metadata", {})),
        "price": price,
        "quantity": quantity,
    }


def blank_session(world: World, p: dict[str, Any], items: list[Obj], expires: int) -> Obj:
    """An open session. ``p`` are the parameters of the create operation."""
    id = world.ids.new("cs_test", 58)
    mode = p["mode"]
    hosted = p.get("ui_mode", "hosted_page") == "hosted_page"
    total = sum(item["amount_total"] for item in items) if items else None
    data = {"payment": "payment_intent_data", "setup": "setup_intent_data"}.get(
        mode, "subscription_data"
    )
    trial = p.get("subscription_data", {}).get("trial_period_days")
    return {
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "allowed_payment_method_types": None,
        "amount_subtotal": 0 if trial else total,
        "amount_total": 0 if trial else total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": p.get("cancel_url"),
        "client_reference_id": p.get("client_reference_id"),
        "client_secret": None if hosted else world.ids.secret(id),
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": world.now,
        "currency": items[0]["currency"] if items else p.get("currency"),
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": p.get("customer"),
        "customer_account": None,
        "customer_creation": p.get(
            "customer_creation", "if_required" if mode == "payment" else "always"
        )
        if "customer" not in p
        else None,
        "customer_details": None,
        "customer_email": p.get("customer_email"),
        "discounts": [],
        "expires_at": expires,
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": p.get("locale"),
        "metadata": merged_metadata({}, p.get("metadata", {})),
        "mode": mode,
        "optional_items": None,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always" if mode == "subscription" else "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        **({} if hosted else {"redirect_on_completion": "always", "return_url": p["return_url"]}),
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": p.get("submit_type"),
        "subscription": None,
        "success_url": p.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
        if items
        else None,
        "ui_mode": p.get("ui_mode", "hosted_page"),
        "url": f"{world.config.url}/c/pay/{id}" if hosted else None,
        "wallet_options": None,
        "_data": p.get(data, {}),
        "_line_items": items,
    }
