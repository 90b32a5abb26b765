"""Payment methods: cards only, made of Stripe's test tokens and numbers."""

from __future__ import annotations

import datetime
from typing import Any

from emulator.stripe.cards import TOKENS, Card, Decline, by_number, by_token
from emulator.stripe.errors import StripeError, no_such, refused
from emulator.stripe.events import emit
from emulator.stripe.ids import base62
from emulator.stripe.lists import page
from emulator.stripe.params import (
    ADDRESS,
    LIST,
    Param,
    Params,
    integer,
    merged_metadata,
    metadata,
    nested,
    one_of,
    text,
)
from emulator.stripe.resources.common import listing
from emulator.stripe.resources.customers import current, full_address
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

KINDS = [Kind("payment_method", "pm", noun="PaymentMethod", indexes=("customer", "type"))]
_BILLING: Param = nested(
    address=ADDRESS.clearable(),
    email=text(512).clearable(),
    name=text().clearable(),
    phone=text().clearable(),
    tax_id=text().clearable(),
)
_CARD: Param = nested(
    number=text(),
    exp_month=integer(),
    exp_year=integer(),
    cvc=text(4),
    token=text(),
    networks=nested(preferred=text()),
)
DATA: Params = {
    "type": one_of("card").needed(),
    "card": _CARD,
    "billing_details": _BILLING,
    "metadata": metadata(),
    "allow_redisplay": one_of("always", "limited", "unspecified"),
}


def new_payment_method(world: World, account: str, card: Card, p: dict[str, Any]) -> Obj:
    """A payment method for a test card; ``p`` as in ``DATA``."""
    given = p.get("card", {})
    year = datetime.datetime.fromtimestamp(world.now, datetime.UTC).year
    method: Obj = {
        "id": world.ids.new("pm"),
        "object": "payment_method",
        "allow_redisplay": p.get("allow_redisplay", "unspecified"),
        "billing_details": billing_details(p.get("billing_details", {})),
        "card": {
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "unchecked" if "number" in given else None,
            },
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": given.get("exp_month", 11),
            "exp_year": given.get("exp_year", year + 1),
            "fingerprint": base62(f"card:{card.number}", 16),
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": world.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": merged_metadata({}, p.get("metadata", {})),
        "type": "card",
        "_number": card.number,
        "_set_up": False,
        "_used": False,
    }
    return world.store.insert("payment_method", method, account, world.now)


def billing_details(given: Obj | None) -> Obj:
    given = given or {}
    return {
        "address": full_address(given.get("address") or {}),
        **{name: given.get(name) for name in ("email", "name", "phone", "tax_id")},
    }


def card_of(method: Obj) -> Card:
    """The test card behind a payment method."""
    return by_number(method["_number"])


def from_data(call: Call, p: dict[str, Any]) -> Obj:
    """A new payment method of ``payment_method_data`` or of the create operation's parameters."""
    given = p.get("card")
    if not given:
        raise StripeError(
            400, "Missing required param: card.", code="parameter_missing", param="card"
        )
    if "token" in given:
        card = by_token(given["token"])
        if card is None:
            raise no_such("token", given["token"], param="card[token]", status=400)
        return new_payment_method(call.world, call.account, card, {**p, "card": {}})
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise StripeError(
                400, f"Missing required param: card[{name}].",
                code="parameter_missing", param=f"card[{name}]",
            )  # fmt: skip
    _check_expiry(call.world, given)
    card = by_number(given["number"])
    if card.decline is not None and card.decline.code == "incorrect_number":
        raise card_error(card.decline)
    return new_payment_method(call.world, call.account, card, p)


def _check_expiry(world: World, given: dict[str, Any]) -> None:
    today = datetime.datetime.fromtimestamp(world.now, datetime.UTC)
    month = given["exp_month"]
    year = given["exp_year"] + (2000 if given["exp_year"] < 100 else 0)
    given["exp_year"] = year
    if not 1 <= month <= 12:
        raise card_error(
            Decline(
                "invalid_expiry_month",
                "Your card's expiration month is invalid.",
                None,
                "exp_month",
            )
        )
    if (year, month) < (today.year, today.month) or year > today.year + 50:
        raise card_error(
            Decline(
                "invalid_expiry_year", "Your card's expiration year is invalid.", None, "exp_year"
            )
        )
    if not given.get("cvc", "123").isdigit() or len(given.get("cvc", "123")) < 3:
        raise card_error(
            Decline("invalid_cvc", "Your card's security code is invalid.", None, "cvc")
        )


def card_error(decline: Decline, **extra: Any) -> StripeError:
    """A 402 for a refused card; nothing of the request stays."""
    members = {"advice_code": decline.advice, "decline_code": decline.decline_code, **extra}
    return StripeError(
        402,
        decline.message,
        type="card_error",
        code=decline.code,
        param=decline.param,
        extra={name: value for name, value in members.items() if value is not None},
        retry=False,
    )


def resolve(call: Call, id: str, param: str = "payment_method") -> Obj:
    """The payment method an id names; a test token mints a new one each time."""
    card = by_token(id)
    if card is not None:
        return new_payment_method(call.world, call.account, card, {})
    return call.own("payment_method", id, param)


def attach(world: World, method: Obj, customer: Obj) -> Obj:
    """Save a payment method to a customer; Stripe checks the card with its bank first."""
    if method["customer"] == customer["id"]:
        return method
    if method["customer"] is not None:
        raise refused("The payment method you provided has already been attached to a customer.")
    if method["_used"]:
        raise may_not_be_used_again()
    card = card_of(method)
    if card.decline is not None and not card.attaches:
        raise card_error(card.decline)
    edited = world.store.edit("payment_method", method["id"])
    edited["customer"] = customer["id"]
    edited["card"]["checks"]["cvc_check"] = card.cvc_check
    emit(world, "payment_method.attached", edited)
    return edited


def may_not_be_used_again() -> StripeError:
    return refused(
        "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
        "attachment, shared with a connected account without Customer attachment, or was detached "
        "from a Customer. It may not be used again. To use a PaymentMethod multiple times, "
        "you must "
        "attach it to a Customer first.",
        param="payment_method",
    )


def detach(world: World, method: Obj) -> Obj:
    edited = world.store.edit("payment_method", method["id"])
    customer = world.store.edit("customer", edited["customer"])
    if customer.get("invoice_settings", {}).get("default_payment_method") == edited["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
    edited["customer"] = None
    edited["_used"] = True
    emit(world, "payment_method.detached", edited, previous={"customer": customer["id"]})
    return edited


def detach_all(world: World, customer: Obj) -> None:
    account = world.store.rows[customer["id"]].account
    for method in world.store.matching("payment_method", account, "customer", customer["id"]):
        detach(world, method)


def _create(call: Call) -> Obj:
    return from_data(call, call.params)


def _retrieve(call: Call) -> Obj:
    if call.ids["id"] in {f"pm_card_{name}" for name in TOKENS}:
        return resolve(call, call.ids["id"])
    return call.own("payment_method")


def _update(call: Call) -> Obj:
    method = call.edit("payment_method")
    p = call.params
    if method["customer"] is None:
        raise refused("You must save this PaymentMethod to a customer before you can update it.")
    if "metadata" in p:
        method["metadata"] = merged_metadata(method["metadata"], p["metadata"])
    if "billing_details" in p:
        held = {k: v for k, v in method["billing_details"].items() if v is not None}
        method["billing_details"] = billing_details({**held, **p["billing_details"]})
    method["card"].update(p.get("card", {}))
    if "allow_redisplay" in p:
        method["allow_redisplay"] = p["allow_redisplay"]
    emit(call.world, "payment_method.updated", method)
    return method


def _attach(call: Call) -> Obj:
    method = (
        resolve(call, call.ids["id"]) if by_token(call.ids["id"]) else call.own("payment_method")
    )
    return attach(call.world, method, current(call, call.params["customer"]))


def _detach(call: Call) -> Obj:
    method = call.own("payment_method")
    if method["customer"] is None:
        raise refused(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    return detach(call.world, method)


def _of_customer(call: Call) -> Obj:
    customer = call.own("customer")
    filters = {"customer": customer["id"], "type": call.params.get("type")}
    return page(call.world.store, "payment_method", call.account, call.params, filters, call.path)


def _one_of_customer(call: Call) -> Obj:
    customer = call.own("customer")
    method = call.own("payment_method", call.ids["payment_method"])
    if method["customer"] != customer["id"]:
        raise no_such("PaymentMethod", method["id"])
    return method


_ID = "/v1/payment_methods/{id}"
OPERATIONS = [
    Operation("POST", "/v1/payment_methods", _create, DATA, note="cards only"),
    listing("payment_method", "/v1/payment_methods", created=False, customer=text(), type=text()),
    Operation("GET", _ID, _retrieve),
    Operation(
        "POST",
        _ID,
        _update,
        {
            "billing_details": _BILLING,
            "metadata": metadata(),
            "card": nested(exp_month=integer(1, 12), exp_year=integer(2000, 2100)),
            "allow_redisplay": one_of("always", "limited", "unspecified"),
        },
    ),
    Operation("POST", _ID + "/attach", _attach, {"customer": text().needed()}),
    Operation("POST", _ID + "/detach", _detach),
    Operation("GET", "/v1/customers/{id}/payment_methods", _of_customer, {**LIST, "type": text()}),
    Operation("GET", "/v1/customers/{id}/payment_methods/{payment_method}", _one_of_customer),
]
