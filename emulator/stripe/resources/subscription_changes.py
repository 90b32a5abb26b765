"""Other items, prices and quantities within a period, with or without prorations."""

from __future__ import annotations

from typing import Any

from emulator.stripe.errors import StripeError, not_imitated, parameter_error, refused
from emulator.stripe.params import merged_metadata
from emulator.stripe.resources import billing, prorations, subscription_invoices
from emulator.stripe.resources.products import price_of
from emulator.stripe.resources.subscription_objects import blank_item, plan_of
from emulator.stripe.routes import Call
from emulator.stripe.store import Obj


def change_items(call: Call, subscription: Obj) -> None:
    """Apply ``items`` to a subscription (an editable copy) and bill the change as it is told."""
    p = call.params
    behavior = p.get("proration_behavior", "create_prorations")
    if p.get("payment_behavior") == "pending_if_incomplete":
        raise not_imitated("pending updates: payment_behavior=pending_if_incomplete")
    if subscription["status"] in ("incomplete", "paused"):
        raise refused(
            f"The items of a subscription cannot be changed while it is {subscription['status']}.",
            param="items",
        )
    at = _when(call, subscription)
    prorated = behavior != "none" and subscription["status"] != "trialing"
    for n, given in enumerate(p["items"]):
        if given.get("id") is None:
            _add(call, subscription, given, n, at, prorated)
        else:
            _change(call, subscription, given, n, at, prorated)
    if not subscription["_items"]:
        raise refused("A subscription must have at least one item.", param="items")
    _check_alike(call, subscription)
    if prorated and behavior == "always_invoice":
        subscription_invoices.invoice_now(call.world, subscription, p)


def _when(call: Call, subscription: Obj) -> int:
    item = subscription_invoices.items_of(call.world, subscription)[0]
    at = int(call.params.get("proration_date", call.world.now))
    if not item["current_period_start"] <= at <= item["current_period_end"]:
        raise parameter_error(
            "The proration_date must be within the current period of the subscription.",
            "proration_date",
        )
    return at


def _change(
    call: Call, subscription: Obj, given: dict[str, Any], n: int, at: int, prorated: bool
) -> None:
    world = call.world
    if given["id"] not in subscription["_items"]:
        raise refused(
            f"No such subscription item: '{given['id']}'",
            code="resource_missing",
            param=f"items[{n}][id]",
        )
    item = world.store.edit("subscription_item", given["id"])
    if given.get("deleted"):
        if prorated:
            prorations.credit(world, subscription, item, at)
        subscription["_items"].remove(item["id"])
        world.store.delete("subscription_item", item["id"])
        return
    before = (item["price"]["id"], item["quantity"])
    price = item["price"]
    if "price" in given or "price_data" in given:
        price = _recurring(call, given, n, item["price"])
    after = (price["id"], given.get("quantity", item["quantity"]))
    if prorated and after != before:
        prorations.credit(world, subscription, item, at)
    item["price"], item["plan"], item["quantity"] = price, plan_of(price), after[1]
    if "metadata" in given:
        item["metadata"] = merged_metadata(item["metadata"], given["metadata"])
    if prorated and after != before:
        prorations.charge(world, subscription, item, at)


def _add(
    call: Call, subscription: Obj, given: dict[str, Any], n: int, at: int, prorated: bool
) -> None:
    if given.get("deleted"):
        raise parameter_error(f"Missing required param: items[{n}][id].", f"items[{n}][id]")
    world = call.world
    first = subscription_invoices.items_of(world, subscription)
    if not first:
        raise refused("A subscription must keep one of its items.", param=f"items[{n}]")
    price = _recurring(call, given, n, first[0]["price"])
    start, end = first[0]["current_period_start"], first[0]["current_period_end"]
    item = blank_item(world, subscription, price, given, start, end)
    world.store.insert("subscription_item", item, call.account, world.now)
    subscription["_items"].append(item["id"])
    if prorated:
        prorations.charge(world, subscription, item, at)


def _recurring(call: Call, given: dict[str, Any], n: int, like: Obj) -> Obj:
    """The price of an item, of the interval and currency that the subscription has."""
    price = price_of(call, given, f"items[{n}]")
    if price["recurring"] is None or price["currency"] != like["currency"]:
        raise refused(
            f"The price of an item must be recurring and in {like['currency']}.",
            param=f"items[{n}][price]",
        )
    if price["recurring"] != like["recurring"]:
        raise not_imitated("a change of the billing interval, or different intervals together")
    return price


def _check_alike(call: Call, subscription: Obj) -> None:
    prices = [
        item["price"]["id"] for item in subscription_invoices.items_of(call.world, subscription)
    ]
    for price in prices:
        if prices.count(price) > 1:
            raise refused(
                f"Cannot add multiple subscription items with the same plan: {price}", param="items"
            )


def cancel(call: Call, subscription: Obj) -> None:
    """End a subscription now, with credit and a last invoice where they are asked for."""
    world, p = call.world, call.params
    billable = subscription["status"] in ("active", "past_due", "unpaid")
    if p.get("prorate") and billable:
        for id in subscription["_items"]:
            item = world.store.edit("subscription_item", id)
            prorations.credit(world, subscription, item, world.now)
    billing.end(world, subscription, "cancellation_requested")
    if p.get("invoice_now"):
        try:
            subscription_invoices.invoice_now(world, subscription, {"off_session": True})
        except StripeError as exc:
            if not exc.keeps_effect:
                raise
