"""Subscriptions: created, paid, renewed, past due, cancelled."""

from __future__ import annotations

from typing import Any

from emulator.stripe.errors import no_such, not_imitated, parameter_error, refused
from emulator.stripe.events import emit, remember
from emulator.stripe.lists import page, whole
from emulator.stripe.params import (
    LIST,
    RANGE,
    Param,
    Params,
    boolean,
    either,
    integer,
    many,
    merged_metadata,
    metadata,
    nested,
    one_of,
    opaque,
    text,
    timestamp,
)
from emulator.stripe.resources import billing, pausing, subscription_changes, subscription_invoices
from emulator.stripe.resources.customers import current
from emulator.stripe.resources.periods import DAY
from emulator.stripe.resources.products import PRICE_DATA, price_of
from emulator.stripe.resources.subscription_objects import blank_item, blank_subscription
from emulator.stripe.resources.test_clocks import time_of
from emulator.stripe.routes import Call, Operation
from emulator.stripe.search import metadata_terms, searching
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World


def _items(world: World, subscription: Obj) -> Obj:
    held = [world.store.get("subscription_item", id) for id in subscription["_items"]]
    return whole(
        held, f"/v1/subscription_items?subscription={subscription['id']}", total_count=len(held)
    )


KINDS = [
    Kind(
        "subscription",
        "sub",
        indexes=("customer", "status", "test_clock"),
        terms=metadata_terms,
        included={"items": _items},
    ),
    Kind("subscription_item", "si", noun="subscription item"),
    Kind("plan", "plan", listed=False),
]
ENDED = ("canceled", "incomplete_expired")
_STATUSES = (
    "active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused",
    "trialing", "unpaid",
)  # fmt: skip
_ITEM: Param = nested(
    id=text(), price=text(), price_data=PRICE_DATA, quantity=integer(0), metadata=metadata(),
    deleted=boolean(),
)  # fmt: skip
_DETAILS = nested(
    comment=text().clearable(),
    feedback=one_of(
        "customer_service", "low_quality", "missing_features", "other", "switched_service",
        "too_complex", "too_expensive", "unused",
    ).clearable(),
)  # fmt: skip
_SHARED: Params = {
    "cancel_at_period_end": boolean(),
    "cancel_at": timestamp().clearable(),
    "default_payment_method": text().clearable(),
    "description": text(500).clearable(),
    "items": many(_ITEM, 20),
    "metadata": metadata(),
    "off_session": boolean(),
    "payment_behavior": one_of(
        "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"
    ),
    "payment_settings": nested(
        save_default_payment_method=one_of("off", "on_subscription"),
        payment_method_options=opaque(),
    ),
    "proration_behavior": one_of("always_invoice", "create_prorations", "none"),
}
_CREATE: Params = {
    **_SHARED,
    "customer": text().needed(),
    "items": many(_ITEM, 20).needed(),
    "collection_method": one_of("charge_automatically"),
    "currency": text(3),
    "billing_mode": nested(type=one_of("classic", "flexible").needed()),
    "trial_end": either(timestamp(), one_of("now")),
    "trial_period_days": integer(1, 730),
}
_UPDATE: Params = {
    **_SHARED,
    "cancellation_details": _DETAILS,
    "pause_collection": pausing.PAUSE,
    "proration_date": timestamp(),
}


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    customer = current(call, p["customer"])
    with world.clock.showing(time_of(world, customer["test_clock"])):
        return _create(call, customer)


def _create(call: Call, customer: Obj) -> Obj:
    world, p = call.world, call.params
    if p.get("billing_mode", {}).get("type") == "classic":
        raise not_imitated("the classic billing mode")
    if p.get("payment_behavior") == "pending_if_incomplete":
        raise parameter_error(
            "payment_behavior=pending_if_incomplete is for updates of subscriptions only.",
            "payment_behavior",
        )
    prices = _prices(call, p["items"])
    first = prices[0]
    trial_end = _trial_end(world, p)
    subscription = blank_subscription(world, customer, first, trial_end)
    world.store.insert("subscription", subscription, call.account, world.now)
    _apply(call, subscription)
    start, end = billing.first_period(subscription, first["recurring"])
    for given, price in zip(p["items"], prices, strict=True):
        item = blank_item(world, subscription, price, given, start, end)
        world.store.insert("subscription_item", item, call.account, world.now)
        subscription["_items"].append(item["id"])
    _plan_end(call, subscription)
    if customer["currency"] is None:
        world.store.edit("customer", customer["id"])["currency"] = first["currency"]
    behavior = p.get("payment_behavior", "allow_incomplete")
    billing.begin(world, subscription, behavior, p.get("off_session", False))
    return subscription


def _prices(call: Call, items: list[dict[str, Any]]) -> list[Obj]:
    """The price of each item: recurring, and all of one currency and interval."""
    if not items:
        raise parameter_error("You must pass at least one item.", "items", "parameter_missing")
    prices = [price_of(call, item, f"items[{n}]") for n, item in enumerate(items)]
    for n, price in enumerate(prices):
        if price["recurring"] is None:
            raise refused(
                "The price specified is set to `type=one_time` but this field only accepts prices "
                "with `type=recurring`.",
                param=f"items[{n}][price]",
            )
        if any(price["id"] == other["id"] for other in prices[:n]):
            raise refused(
                f"Cannot add multiple subscription items with the same plan: {price['id']}",
                param="items",
            )
        same = ("currency", "recurring")
        if any(price[name] != prices[0][name] for name in same):
            raise refused(
                "All items of a subscription must have the same currency and billing interval.",
                param="items",
            )
    return prices


def _trial_end(world: World, p: dict[str, Any]) -> int | None:
    if "trial_period_days" in p and "trial_end" in p:
        raise parameter_error(
            "You may only specify one of these parameters: trial_end, trial_period_days.",
            "trial_end",
        )
    if "trial_period_days" in p:
        return int(world.now + p["trial_period_days"] * DAY)
    end = p.get("trial_end", "now")
    if end == "now":
        return None
    if end <= world.now:
        raise parameter_error("The trial end must be in the future.", "trial_end")
    return int(end)


def _apply(call: Call, subscription: Obj) -> None:
    """What create and update share."""
    p = call.params
    if p.get("default_payment_method"):
        method = call.own("payment_method", p["default_payment_method"], "default_payment_method")
        if method["customer"] != subscription["customer"]:
            raise refused(
                f"The customer does not have a payment method with the ID {method['id']}. The "
                "payment method must be attached to the customer.",
                code="resource_missing",
                param="default_payment_method",
            )
    if "cancel_at_period_end" in p and p.get("cancel_at") is not None:
        raise parameter_error(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
            "cancel_at",
        )
    for name in ("default_payment_method", "description"):
        if name in p:
            subscription[name] = p[name]
    if "metadata" in p:
        subscription["metadata"] = merged_metadata(subscription["metadata"], p["metadata"])
    settings = p.get("payment_settings", {})
    if "save_default_payment_method" in settings:
        chosen = settings["save_default_payment_method"]
        subscription["payment_settings"]["save_default_payment_method"] = chosen


def _running(call: Call) -> Obj:
    subscription = call.edit("subscription")
    if subscription["status"] in ENDED:
        raise no_such("subscription", subscription["id"])
    return subscription


def update(call: Call) -> Obj:
    subscription = _running(call)
    remember(call.world, subscription)
    with call.world.clock.showing(time_of(call.world, subscription["test_clock"])):
        _apply(call, subscription)
        p = call.params
        if "items" in p:
            subscription_changes.change_items(call, subscription)
        if "pause_collection" in p:
            pausing.pause(call.world, subscription, p["pause_collection"])
        if "cancellation_details" in p:
            subscription["cancellation_details"].update(p["cancellation_details"])
        _plan_end(call, subscription)
        emit(call.world, "customer.subscription.updated", subscription)
    return subscription


def _plan_end(call: Call, subscription: Obj) -> None:
    """Apply ``cancel_at_period_end`` or ``cancel_at``."""
    world, p = call.world, call.params
    if "cancel_at_period_end" in p:
        end = billing.period_end(world, subscription) if p["cancel_at_period_end"] else None
        billing.cancel_later(world, subscription, end, at_period_end=True)
    elif "cancel_at" in p:
        at = p["cancel_at"]
        if at is not None and at <= world.now:
            raise parameter_error("The cancel_at timestamp must be in the future.", "cancel_at")
        end = billing.period_end(world, subscription)
        within = p.get("proration_behavior") == "none" and at is not None and at < end
        if at not in (None, end) and not within:
            raise not_imitated("an end within a period with prorations: cancel_at")
        billing.cancel_later(world, subscription, at, at_period_end=False)


def cancel(call: Call) -> Obj:
    p = call.params
    subscription = _running(call)
    subscription["cancellation_details"].update(p.get("cancellation_details", {}))
    with call.world.clock.showing(time_of(call.world, subscription["test_clock"])):
        subscription_changes.cancel(call, subscription)
    return subscription


def _list(call: Call) -> Obj:
    p = call.params
    status = p.get("status")
    filters = {
        "customer": p.get("customer"),
        "test_clock": p.get("test_clock"),
        "status": status if status not in (None, "all", "ended") else None,
    }

    def prices(subscription: Obj) -> set[str]:
        return {
            item["price"]["id"] for item in subscription_invoices.items_of(call.world, subscription)
        }

    def keep(subscription: Obj) -> bool:
        if status == "ended":
            return subscription["status"] in ENDED
        fits = status is not None or subscription["status"] != "canceled"
        return fits and ("price" not in p or p["price"] in prices(subscription))

    return page(call.world.store, "subscription", call.account, p, filters, call.path, keep)


def _item(call: Call) -> Obj:
    return call.own("subscription_item")


def _items_of(call: Call) -> Obj:
    subscription = call.own("subscription", call.params["subscription"], "subscription")
    limit = call.params.get("limit", 10)
    held = _items(call.world, subscription)["data"]
    return {**whole(held[:limit], call.path), "has_more": len(held) > limit}


_ID = "/v1/subscriptions/{id}"
OPERATIONS = [
    Operation(
        "POST", "/v1/subscriptions", create, _CREATE, note="flexible billing mode; no schedules"
    ),
    Operation(
        "GET",
        "/v1/subscriptions",
        _list,
        {
            **LIST,
            "created": RANGE,
            "customer": text(),
            "price": text(),
            "status": one_of(*_STATUSES),
            "test_clock": text(),
        },
    ),
    searching("subscription", "/v1/subscriptions/search"),
    Operation("GET", _ID, lambda call: call.own("subscription")),
    Operation("POST", _ID, update, _UPDATE, note="no change of the interval or the anchor"),
    Operation(
        "DELETE",
        _ID,
        cancel,
        {"cancellation_details": _DETAILS, "invoice_now": boolean(), "prorate": boolean()},
    ),
    Operation(
        "GET", "/v1/subscription_items", _items_of, {**LIST, "subscription": text().needed()}
    ),
    Operation("GET", "/v1/subscription_items/{id}", _item),
]
