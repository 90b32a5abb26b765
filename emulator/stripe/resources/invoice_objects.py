"""The shapes of invoices, their lines and their payments."""

from __future__ import annotations

from typing import Any

from emulator.stripe.lists import whole
from emulator.stripe.resources import customer_balances
from emulator.stripe.store import Obj
from emulator.stripe.world import World


def lines(world: World, invoice: Obj) -> Obj:
    """The ``lines`` list of an invoice."""
    held = invoice["_lines"]
    return whole(held, f"/v1/invoices/{invoice['id']}/lines", total_count=len(held))


def payments(world: World, invoice: Obj) -> Obj:
    payment = payment_of(world, invoice)
    return whole([payment] if payment else [], "/v1/invoice_payments")


def payment_of(world: World, invoice: Obj) -> Obj | None:
    account = world.store.rows[invoice["id"]].account
    held = world.store.matching("invoice_payment", account, "invoice", invoice["id"])
    return held[0] if held else None


def confirmation_secret(world: World, invoice: Obj) -> Obj | None:
    """What a client confirms the first payment with."""
    if not invoice["_payment_intent"]:
        return None
    intent = world.store.get("payment_intent", invoice["_payment_intent"])
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


def blank_invoice(world: World, customer: Obj, held: list[Obj], members: dict[str, Any]) -> Obj:
    """
    A draft invoice.

    Args:
        members: ``currency``, ``billing_reason``, ``period_start``, ``period_end``, ``parent``,
            ``_subscription``, and whatever else differs from the blank.
    """
    total = sum(line["amount"] for line in held)
    usable = customer_balances.applies_to(customer, members["currency"])
    balance = customer["balance"] if usable else 0
    asked, _ = customer_balances.due(total, balance, members["currency"])
    id = world.ids.new("in")
    for line in held:
        line["invoice"] = id
    return {
        "id": id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Marketplace",
        "account_tax_ids": None,
        "amount_due": asked,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": asked,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "collection_method": "charge_automatically",
        "created": world.now,
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer.get("address"),
        "customer_email": customer.get("email"),
        "customer_name": customer.get("name"),
        "customer_phone": customer.get("phone"),
        "customer_shipping": customer.get("shipping"),
        "customer_tax_exempt": customer.get("tax_exempt"),
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": balance,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": customer.get("test_clock"),
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": world.now,
        "_lines": held,
        "_payment_intent": None,
        "_subscription": None,
        **members,
    }


def subscription_line(
    world: World, subscription: Obj, item: Obj, start: int, end: int, trial: bool
) -> Obj:
    """One line of a subscription's invoice for one item and period."""
    price = item["price"]
    amount = 0 if trial else price["unit_amount"] * item["quantity"]
    product = world.store.get("product", price["product"])
    label = (
        f"Trial period for {product['name']}"
        if trial
        else (f"{item['quantity']} × {product['name']}")
    )
    return {
        "id": world.ids.new("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": label,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(subscription["metadata"]),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"end": end, "start": start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": "0" if trial else price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "quantity_decimal": str(item["quantity"]),
        "subscription": subscription["id"],
        "subtotal": amount,
        "taxes": [],
    }


def blank_payment(world: World, invoice: Obj, intent_id: str) -> Obj:
    """The ``invoice_payment`` that ties an invoice to the intent that is to pay it."""
    return {
        "id": world.ids.new("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": world.now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent_id, "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
        "_payment_intent": intent_id,
    }
