"""Products and prices: what subscriptions and checkout sell."""

from __future__ import annotations

from typing import Any

from emulator.stripe.errors import StripeError, missing, no_such, parameter_error, refused
from emulator.stripe.events import emit
from emulator.stripe.params import (
    Param,
    Params,
    boolean,
    integer,
    many,
    merged_metadata,
    metadata,
    nested,
    one_of,
    text,
)
from emulator.stripe.params import currency as currency_param
from emulator.stripe.resources.common import deleted, listing, retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.search import metadata_terms, searching
from emulator.stripe.store import Kind, Obj

KINDS = [
    Kind("product", "prod", indexes=("active",), terms=metadata_terms),
    Kind(
        "price",
        "price",
        indexes=("product", "active", "type", "currency", "lookup_key"),
        terms=metadata_terms,
    ),
]
_LONGEST_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}
RECURRING: Param = nested(
    interval=one_of("day", "week", "month", "year").needed(), interval_count=integer(1)
)
_PRODUCT: Params = {
    "name": text(),
    "active": boolean(),
    "description": text(40000).clearable(),
    "images": many(text(), 8),
    "marketing_features": many(nested(name=text(80).needed()), 15),
    "metadata": metadata(),
    "shippable": boolean(),
    "statement_descriptor": text(22),
    "unit_label": text(12).clearable(),
    "url": text().clearable(),
}
_PRICE: Params = {
    "currency": currency_param().needed(),
    "product": text(),
    "product_data": nested(name=text().needed(), metadata=metadata(), active=boolean()),
    "unit_amount": integer(0),
    "recurring": RECURRING,
    "active": boolean(),
    "lookup_key": text(200),
    "metadata": metadata(),
    "nickname": text(),
    "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
    "billing_scheme": one_of("per_unit"),
}
PRICE_DATA: Param = nested(
    currency=currency_param().needed(),
    product=text(),
    product_data=nested(name=text().needed(), metadata=metadata(), description=text()),
    unit_amount=integer(0).needed(),
    recurring=RECURRING,
    tax_behavior=one_of("exclusive", "inclusive", "unspecified"),
)


def new_product(call: Call, p: dict[str, Any]) -> Obj:
    world = call.world
    product: Obj = {
        "id": p.get("id") or world.ids.new("prod", 14),
        "object": "product",
        "active": p.get("active", True),
        "created": world.now,
        "default_price": None,
        "description": p.get("description"),
        "images": p.get("images", []),
        "livemode": False,
        "marketing_features": p.get("marketing_features", []),
        "metadata": merged_metadata({}, p.get("metadata", {})),
        "name": p["name"],
        "package_dimensions": None,
        "shippable": p.get("shippable"),
        "statement_descriptor": p.get("statement_descriptor"),
        "tax_code": None,
        "type": "service",
        "unit_label": p.get("unit_label"),
        "updated": world.now,
        "url": p.get("url"),
    }
    if product["id"] in world.store.rows:
        raise refused("Product already exists.", code="resource_already_exists", param="id")
    world.store.insert("product", product, call.account, world.now)
    emit(world, "product.created", product)
    return product


def new_price(call: Call, p: dict[str, Any]) -> Obj:
    """A price of the create operation's parameters or of ``price_data``."""
    world = call.world
    recurring = p.get("recurring")
    if recurring is not None:
        count = recurring.get("interval_count", 1)
        if count * _LONGEST_DAYS[recurring["interval"]] > 3 * 366:
            raise refused(
                "The interval of a price cannot be longer than three years.",
                param="recurring[interval_count]",
            )
        recurring = {
            "interval": recurring["interval"],
            "interval_count": count,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
    if "unit_amount" not in p:
        raise missing("unit_amount")
    price: Obj = {
        "id": world.ids.new("price"),
        "object": "price",
        "active": p.get("active", True),
        "billing_scheme": "per_unit",
        "created": world.now,
        "currency": p["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": p.get("lookup_key"),
        "metadata": merged_metadata({}, p.get("metadata", {})),
        "nickname": p.get("nickname"),
        "product": _product_of(call, p),
        "recurring": recurring,
        "tax_behavior": p.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": p["unit_amount"],
        "unit_amount_decimal": str(p["unit_amount"]),
    }
    world.store.insert("price", price, call.account, world.now)
    emit(world, "price.created", price)
    return price


def _product_of(call: Call, p: dict[str, Any]) -> str:
    if ("product" in p) == ("product_data" in p):
        raise parameter_error(
            "You must specify either `product` or `product_data` when creating a price.", "product"
        )
    if "product" in p:
        return str(existing_product(call, p["product"])["id"])
    return str(new_product(call, p["product_data"])["id"])


def existing_product(call: Call, id: str) -> Obj:
    product = call.own("product", id, "product")
    if product.get("deleted"):
        raise no_such("product", id, param="product", status=400)
    return product


def price_of(call: Call, item: dict[str, Any], where: str) -> Obj:
    """The price an item names or describes; it must be active."""
    if ("price" in item) == ("price_data" in item):
        raise parameter_error(
            f"You must specify either `price` or `price_data` for {where}.", f"{where}[price]"
        )
    if "price_data" in item:
        return new_price(call, item["price_data"])
    price = call.own("price", item["price"], f"{where}[price]")
    if not price["active"]:
        raise refused(
            "The price specified is inactive. This field only accepts active prices.",
            param=f"{where}[price]",
        )
    return price


def _update_product(call: Call) -> Obj:
    product, p = call.edit("product"), call.params
    if p.get("default_price"):
        price = call.own("price", p["default_price"], "default_price")
        product["default_price"] = price["id"]
    for name in _PRODUCT:
        if name in p and name != "metadata":
            product[name] = p[name]
    if "metadata" in p:
        product["metadata"] = merged_metadata(product["metadata"], p["metadata"])
    product["updated"] = call.world.now
    emit(call.world, "product.updated", product)
    return product


def _create_product(call: Call) -> Obj:
    product = new_product(call, call.params)
    data = call.params.get("default_price_data")
    if data is not None:
        price = new_price(call, {**data, "product": product["id"]})
        product["default_price"] = price["id"]
    return product


def _delete_product(call: Call) -> Obj:
    product = call.edit("product")
    if call.world.store.index("price", call.account, "product", product["id"]):
        raise refused(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    emit(call.world, "product.deleted", product)
    call.world.store.delete("product", product["id"])
    return deleted(product)


def _update_price(call: Call) -> Obj:
    price, p = call.edit("price"), call.params
    for name in ("active", "nickname", "lookup_key"):
        if name in p:
            price[name] = p[name]
    if "tax_behavior" in p:
        if price["tax_behavior"] != "unspecified":
            raise StripeError(400, "The tax behavior cannot be changed once it is set.")
        price["tax_behavior"] = p["tax_behavior"]
    if "metadata" in p:
        price["metadata"] = merged_metadata(price["metadata"], p["metadata"])
    emit(call.world, "price.updated", price)
    return price


_DEFAULT_PRICE = nested(
    currency=currency_param().needed(), unit_amount=integer(0).needed(), recurring=RECURRING
)
OPERATIONS = [
    Operation(
        "POST",
        "/v1/products",
        _create_product,
        {**_PRODUCT, "name": text().needed(), "id": text(), "default_price_data": _DEFAULT_PRICE},
    ),
    listing("product", "/v1/products", active=boolean()),
    searching("product", "/v1/products/search"),
    retrieving("product", "/v1/products/{id}"),
    Operation("POST", "/v1/products/{id}", _update_product, {**_PRODUCT, "default_price": text()}),
    Operation("DELETE", "/v1/products/{id}", _delete_product),
    Operation("POST", "/v1/prices", lambda call: new_price(call, call.params), _PRICE),
    listing(
        "price",
        "/v1/prices",
        product=text(),
        active=boolean(),
        type=one_of("one_time", "recurring"),
        currency=currency_param(),
    ),
    searching("price", "/v1/prices/search"),
    retrieving("price", "/v1/prices/{id}"),
    Operation(
        "POST",
        "/v1/prices/{id}",
        _update_price,
        {
            "active": boolean(),
            "lookup_key": text(200).clearable(),
            "metadata": metadata(),
            "nickname": text().clearable(),
            "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
        },
    ),
]
