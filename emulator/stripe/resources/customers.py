"""Customers of an account."""

from __future__ import annotations

from emulator.stripe.errors import no_such
from emulator.stripe.events import emit
from emulator.stripe.ids import base62
from emulator.stripe.params import (
    ADDRESS,
    Params,
    email,
    many,
    merged_metadata,
    metadata,
    nested,
    one_of,
    text,
)
from emulator.stripe.resources.common import deleted, listing
from emulator.stripe.routes import Call, Operation
from emulator.stripe.search import metadata_terms, searching
from emulator.stripe.store import Kind, Obj

KINDS = [
    Kind("customer", "cus", indexes=("email", "test_clock"), terms=metadata_terms),
]
_INVOICE_SETTINGS = nested(
    default_payment_method=text().clearable(),
    custom_fields=many(nested(name=text(40).needed(), value=text(140).needed()), 4).clearable(),
    footer=text().clearable(),
    rendering_options=nested(
        amount_tax_display=one_of("exclude_tax", "include_inclusive_tax").clearable(),
        template=text(),
    ).clearable(),
)
SHIPPING = nested(
    address=ADDRESS, name=text().clearable(), phone=text().clearable(), carrier=text(),
    tracking_number=text(),
)  # fmt: skip
_SHARED: Params = {
    "address": ADDRESS.clearable(),
    "description": text().clearable(),
    "email": email().clearable(),
    "invoice_prefix": text(12),
    "invoice_settings": _INVOICE_SETTINGS,
    "metadata": metadata(),
    "name": text(256).clearable(),
    "phone": text(20).clearable(),
    "preferred_locales": many(text()),
    "shipping": SHIPPING.clearable(),
    "tax_exempt": one_of("exempt", "none", "reverse").clearable(),
}
_CREATE: Params = {**_SHARED, "payment_method": text(), "test_clock": text()}


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    id = world.ids.new("cus", 14)
    if p.get("test_clock"):
        call.own("test_helpers.test_clock", p["test_clock"], param="test_clock")
    customer: Obj = {
        "id": id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": base62(id, 8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": p.get("test_clock"),
    }
    world.store.insert("customer", customer, call.account, world.now)
    _apply(customer, p)
    if p.get("payment_method"):
        from emulator.stripe.resources.payment_methods import attach, resolve

        attach(world, resolve(call, p["payment_method"]), customer)
    emit(world, "customer.created", customer)
    return customer


def _apply(customer: Obj, p: Obj) -> None:
    for name in _SHARED:
        if name in p and name not in ("metadata", "invoice_settings", "shipping", "address"):
            customer[name] = p[name] if name != "tax_exempt" else p[name] or "none"
    for name in ("shipping", "address"):
        if name in p:
            customer[name] = full_address(p[name]) if name == "address" else shipping(p[name])
    customer["invoice_settings"].update(p.get("invoice_settings", {}))
    if "metadata" in p:
        customer["metadata"] = merged_metadata(customer["metadata"], p["metadata"])


def full_address(given: Obj | None) -> Obj | None:
    """Every member of an address, null where it was not given."""
    if given is None:
        return None
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: given.get(name) for name in names}


def shipping(given: Obj | None) -> Obj | None:
    if given is None:
        return None
    return {
        **{name: given.get(name) for name in ("name", "phone", "carrier", "tracking_number")},
        "address": full_address(given.get("address", {})),
    }


def update(call: Call) -> Obj:
    customer = call.edit("customer")
    p = call.params
    default = p.get("invoice_settings", {}).get("default_payment_method")
    if default:
        method = call.own("payment_method", default, "invoice_settings[default_payment_method]")
        if method["customer"] != customer["id"]:
            raise no_such(
                "PaymentMethod",
                default,
                param="invoice_settings[default_payment_method]",
                status=400,
            )
    _apply(customer, p)
    emit(call.world, "customer.updated", customer)
    return customer


def delete(call: Call) -> Obj:
    customer = call.edit("customer")
    from emulator.stripe.resources.payment_methods import detach_all

    _end_subscriptions(call, customer)
    detach_all(call.world, customer)
    emit(call.world, "customer.deleted", customer)
    gone = deleted(customer)
    for name in [name for name in customer if name not in gone]:
        del customer[name]
    customer.update(gone)
    return customer


def _end_subscriptions(call: Call, customer: Obj) -> None:
    from emulator.stripe.resources import billing
    from emulator.stripe.resources.test_clocks import time_of

    world = call.world
    for held in world.store.matching("subscription", call.account, "customer", customer["id"]):
        if held["ended_at"] is None:
            with world.clock.showing(time_of(world, held["test_clock"])):
                subscription = world.store.edit("subscription", held["id"])
                billing.end(world, subscription, "cancellation_requested")


def current(call: Call, id: str, param: str = "customer") -> Obj:
    """A customer named in a parameter; deleted ones do not count."""
    customer = call.own("customer", id, param)
    if customer.get("deleted"):
        raise no_such("customer", id, param=param, status=400)
    return customer


OPERATIONS = [
    Operation("POST", "/v1/customers", create, _CREATE),
    listing("customer", "/v1/customers", email=text(512), test_clock=text()),
    searching("customer", "/v1/customers/search"),
    Operation("GET", "/v1/customers/{id}", lambda call: call.own("customer")),
    Operation("POST", "/v1/customers/{id}", update, _SHARED),
    Operation("DELETE", "/v1/customers/{id}", delete),
]
