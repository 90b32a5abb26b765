"""Invoice items: prorations that wait for the next invoice of their subscription."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emulator.stripe.events import emit
from emulator.stripe.lists import page
from emulator.stripe.params import LIST, RANGE, boolean, text
from emulator.stripe.resources.common import retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World


def _terms(item: Obj) -> list[tuple[str, Any]]:
    if item["invoice"] is None:
        return [("pending", True), ("waiting", item["_subscription"])]
    return [("pending", False)]


KINDS = [
    Kind("invoiceitem", "ii", noun="invoice item", indexes=("customer", "invoice"), terms=_terms)
]


def unit_amount(amount: int, quantity: int) -> str:
    """What one unit comes to, as Stripe's decimal strings write it."""
    if quantity == 0:
        return "0"
    text = f"{(Decimal(amount) / quantity).quantize(Decimal('1.000000000000')):f}"
    return text.rstrip("0").rstrip(".") or "0"


def prorated(
    world: World,
    subscription: Obj,
    item: Obj,
    amount: int,
    description: str,
    period: tuple[int, int],
    credited: Obj | None,
) -> Obj:
    """
    A proration of one subscription item, waiting for an invoice.

    Args:
        amount: Minor units; negative for time that was paid for and will not be used.
        period: Unix seconds, from the change to the end of what is prorated.
        credited: The debit that a credit belongs to, as ``proration_details`` shows it.
    """
    price, quantity = item["price"], item["quantity"]
    made: Obj = {
        "id": world.ids.new("ii"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": price["currency"],
        "customer": subscription["customer"],
        "customer_account": None,
        "date": world.now,
        "description": description,
        "discountable": False,
        "discounts": [],
        "frozen_fields": [],
        "invoice": None,
        "invoicing_rules": [],
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": {
            "subscription_details": {
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
            "type": "subscription_details",
        },
        "period": {"end": period[1], "start": period[0]},
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": unit_amount(amount, quantity),
        },
        "proration": True,
        "proration_details": {"credited_items": credited, "discount_amounts": []},
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": [],
        "test_clock": subscription["test_clock"],
        "_subscription": subscription["id"],
    }
    account = world.store.rows[subscription["id"]].account
    world.store.insert("invoiceitem", made, account, world.now)
    emit(world, "invoiceitem.created", made)
    return made


def waiting(world: World, subscription: Obj) -> list[Obj]:
    """The items that wait for the next invoice of a subscription, oldest first."""
    account = world.store.rows[subscription["id"]].account
    return world.store.matching("invoiceitem", account, "waiting", subscription["id"])


def take(world: World, subscription: Obj) -> tuple[list[Obj], list[Obj]]:
    """The waiting items, to be changed, and an invoice line for each (see ``put_on``)."""
    held = [world.store.edit("invoiceitem", item["id"]) for item in waiting(world, subscription)]
    return held, [_line(world, item) for item in held]


def put_on(invoice: Obj, items: list[Obj], lines: list[Obj]) -> None:
    """Note on taken items which invoice, and which of its lines, they have become."""
    for item, line in zip(items, lines, strict=True):
        item["invoice"], item["_line"] = invoice["id"], line["id"]


def _line(world: World, item: Obj) -> Obj:
    credited = (item["proration_details"]["credited_items"] or {}).get("invoice_line_item_details")
    same = (
        "amount", "currency", "description", "discountable", "discounts", "livemode", "metadata",
        "period", "pricing", "quantity", "quantity_decimal",
    )  # fmt: skip
    return {
        "id": world.ids.new("il"),
        "object": "line_item",
        **{name: item[name] for name in same},
        "discount_amounts": [],
        "invoice": None,
        "parent": {
            "invoice_item_details": {
                "invoice_item": item["id"],
                "proration": True,
                "proration_details": {"credited_items": credited},
                "subscription": item["_subscription"],
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        "pretax_credit_amounts": [],
        "subscription": item["_subscription"],
        "subtotal": item["amount"],
        "taxes": [],
    }


def _list(call: Call) -> Obj:
    p = call.params
    filters = {name: p.get(name) for name in ("customer", "invoice", "pending")}
    return page(call.world.store, "invoiceitem", call.account, p, filters, call.path)


OPERATIONS = [
    Operation(
        "GET",
        "/v1/invoiceitems",
        _list,
        {**LIST, "created": RANGE, "customer": text(), "invoice": text(), "pending": boolean()},
        note="only prorations make them",
    ),
    retrieving("invoiceitem", "/v1/invoiceitems/{id}"),
]
