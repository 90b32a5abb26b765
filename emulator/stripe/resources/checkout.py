"""Checkout sessions: the hosted page for a payment, a setup or a subscription."""

from __future__ import annotations

from typing import Any

from emulator.stripe.errors import missing, not_imitated, refused
from emulator.stripe.events import emit
from emulator.stripe.lists import whole
from emulator.stripe.money import check_charge_amount
from emulator.stripe.params import (
    LIST,
    Params,
    email,
    integer,
    many,
    merged_metadata,
    metadata,
    nested,
    one_of,
    text,
    timestamp,
)
from emulator.stripe.resources import (
    payment_attempts,
    payment_intents,
    setup_intents,
    subscriptions,
)
from emulator.stripe.resources.checkout_objects import blank_session, line_item
from emulator.stripe.resources.common import listing
from emulator.stripe.resources.customers import create as create_customer
from emulator.stripe.resources.customers import current
from emulator.stripe.resources.payment_methods import attach, resolve
from emulator.stripe.resources.products import PRICE_DATA, price_of
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

OPEN_SECONDS = 86400
_KIND = "checkout.session"


def _line_items(world: World, session: Obj) -> Obj:
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return whole(session["_line_items"], url)


KINDS = [
    Kind(
        _KIND,
        "cs",
        noun="checkout.session",
        indexes=("customer", "payment_intent", "subscription", "status"),
        includable={"line_items": _line_items},
    )
]
_CREATE: Params = {
    "mode": one_of("payment", "setup", "subscription").needed(),
    "line_items": many(
        nested(price=text(), price_data=PRICE_DATA, quantity=integer(1), metadata=metadata()), 100
    ),
    "success_url": text(),
    "cancel_url": text(),
    "return_url": text(),
    "ui_mode": one_of("hosted_page", "embedded_page"),
    "client_reference_id": text(200),
    "currency": text(3),
    "customer": text(),
    "customer_creation": one_of("always", "if_required"),
    "customer_email": email(),
    "expires_at": timestamp(),
    "locale": text(),
    "metadata": metadata(),
    "payment_intent_data": nested(
        capture_method=one_of("automatic", "automatic_async", "manual"),
        description=text(1000),
        metadata=metadata(),
        receipt_email=email(),
        setup_future_usage=one_of("off_session", "on_session"),
        transfer_group=text(),
    ),
    "setup_intent_data": nested(description=text(1000), metadata=metadata()),
    "subscription_data": nested(
        description=text(500), metadata=metadata(), trial_period_days=integer(1, 730)
    ),
    "submit_type": one_of("auto", "book", "donate", "pay", "subscribe"),
}


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    hosted = p.get("ui_mode", "hosted_page") == "hosted_page"
    if hosted and "success_url" not in p:
        raise missing("success_url")
    if not hosted and "return_url" not in p:
        raise missing("return_url")
    if p["mode"] != "setup" and not p.get("line_items"):
        raise missing("line_items")
    if p.get("customer"):
        current(call, p["customer"])
    expires = p.get("expires_at", world.now + OPEN_SECONDS)
    if not world.now + 1800 <= expires <= world.now + OPEN_SECONDS:
        raise refused(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            param="expires_at",
        )
    items = _priced(call)
    session = blank_session(world, p, items, expires)
    if p["mode"] == "payment":
        check_charge_amount(session["amount_total"], session["currency"], "line_items")
    world.store.insert(_KIND, session, call.account, world.now)
    world.timers.at(
        expires,
        "checkout_expires",
        {"session": session["id"]},
        key=f"checkout_{session['id']}",
    )
    return session


def _priced(call: Call) -> list[Obj]:
    """The line items with their prices; all of one currency, recurring where they must be."""
    p = call.params
    prices = [
        price_of(call, item, f"line_items[{n}]") for n, item in enumerate(p.get("line_items", []))
    ]
    recurring = [price["recurring"] is not None for price in prices]
    if p["mode"] == "subscription" and not any(recurring):
        raise refused(
            "You must provide at least one recurring price in `subscription` mode when using "
            "prices.",
            param="line_items",
        )
    if p["mode"] == "payment" and any(recurring):
        raise refused(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param="line_items",
        )
    if p["mode"] == "subscription" and not all(recurring):
        raise not_imitated("one-time prices in subscription mode")
    if len({price["currency"] for price in prices}) > 1:
        raise refused("All line items must have the same currency.", param="line_items")
    return [
        line_item(call.world, price, item)
        for price, item in zip(prices, p.get("line_items", []), strict=True)
    ]


def complete(world: World, session_id: str, card: str) -> Obj:
    """
    The customer fills in the page and pays with a test card (a ``pm_card_`` token).

    Raises:
        StripeError: 400 for a session that is not open, 402 for a declined card.
    """
    session = world.store.edit(_KIND, session_id)
    if session["status"] != "open":
        raise refused(f"The session {session_id} is {session['status']}.")
    call = Call(world, world.store.rows[session_id].account, {}, {}, "")
    _know_customer(call, session)
    {"payment": _pay, "setup": _set_up, "subscription": _subscribe}[session["mode"]](
        call, session, card
    )
    return session


def _with(call: Call, params: dict[str, Any]) -> Call:
    return Call(call.world, call.account, {}, params, "")


def _know_customer(call: Call, session: Obj) -> None:
    """A guest gives an address; a customer is made where the mode or the session wants one."""
    address = session["customer_email"] or "guest@example.com"
    if session["customer"] is None and (
        session["mode"] == "subscription" or session["customer_creation"] == "always"
    ):
        session["customer"] = create_customer(_with(call, {"email": address}))["id"]
    session["customer_details"] = {
        "address": None,
        "business_name": None,
        "email": address,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _pay(call: Call, session: Obj, card: str) -> None:
    data = dict(session["_data"])
    if session["customer"]:
        data["customer"] = session["customer"]
    if session["payment_intent"] is None:
        intent = payment_intents.create(
            _with(
                call,
                {"amount": session["amount_total"], "currency": session["currency"], **data},
            )
        )
        intent["_checkout"] = session["id"]
        session["payment_intent"] = intent["id"]
    intent = call.world.store.edit("payment_intent", session["payment_intent"])
    method = resolve(call, card)
    payment_attempts.attempt(
        call.world, intent, method, {"return_url": f"{call.world.config.url}/c/pay/{session['id']}"}
    )
    if intent["status"] == "requires_capture":
        _finish(call.world, session, "unpaid")


def _set_up(call: Call, session: Obj, card: str) -> None:
    data = {**session["_data"], "payment_method": card, "confirm": True}
    if session["customer"]:
        data["customer"] = session["customer"]
    intent = setup_intents.create(_with(call, data))
    session["setup_intent"] = intent["id"]
    if intent["status"] == "requires_action":
        setup_intents.succeed(call.world, intent)
    _finish(call.world, session, "no_payment_required")


def _subscribe(call: Call, session: Obj, card: str) -> None:
    customer = call.world.store.get("customer", session["customer"])
    method = attach(call.world, resolve(call, card), customer)
    items = [
        {"price": item["price"]["id"], "quantity": item["quantity"]}
        for item in session["_line_items"]
    ]
    subscription = subscriptions.create(
        _with(
            call,
            {
                "customer": customer["id"],
                "items": items,
                "default_payment_method": method["id"],
                "payment_behavior": "error_if_incomplete",
                **session["_data"],
            },
        )
    )
    if subscription["status"] == "incomplete":
        raise refused("The first payment needs the customer; the page does not ask for it.")
    session["subscription"] = subscription["id"]
    session["invoice"] = subscription["latest_invoice"]
    paid = "no_payment_required" if subscription["status"] == "trialing" else "paid"
    _finish(call.world, session, paid)


def _finish(world: World, session: Obj, payment_status: str) -> None:
    session["status"] = "complete"
    session["payment_status"] = payment_status
    session["url"] = None
    world.timers.cancel_key(f"checkout_{session['id']}")
    emit(world, "checkout.session.completed", session)


def _intent_succeeded(world: World, intent: Obj) -> None:
    if "_checkout" in intent:
        session = world.store.edit(_KIND, intent["_checkout"])
        if session["status"] == "open":
            _finish(world, session, "paid")


payment_attempts.succeeded_hooks.append(_intent_succeeded)


@timer("checkout_expires")
def _expires(world: World, args: Obj) -> None:
    session = world.store.edit(_KIND, args["session"])
    if session["status"] == "open":
        _expire(world, session)


def _expire(world: World, session: Obj) -> None:
    session["status"] = "expired"
    session["url"] = None
    world.timers.cancel_key(f"checkout_{session['id']}")
    if session["payment_intent"]:
        intent = world.store.edit("payment_intent", session["payment_intent"])
        if intent["status"] in payment_intents.PAYABLE:
            payment_attempts.cancel(world, intent, "automatic")
    emit(world, "checkout.session.expired", session)


def expire(call: Call) -> Obj:
    session = call.edit(_KIND)
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}."
        )
    _expire(call.world, session)
    return session


def _update(call: Call) -> Obj:
    session = call.edit(_KIND)
    if "metadata" in call.params:
        session["metadata"] = merged_metadata(session["metadata"], call.params["metadata"])
    return session


def _items(call: Call) -> Obj:
    session = call.own(_KIND)
    limit = call.params.get("limit", 10)
    held = session["_line_items"]
    return {**whole(held[:limit], call.path), "has_more": len(held) > limit}


_PATH = "/v1/checkout/sessions"
OPERATIONS = [
    Operation("POST", _PATH, create, _CREATE, note="hosted and embedded pages; cards only"),
    listing(
        _KIND,
        _PATH,
        customer=text(),
        payment_intent=text(),
        subscription=text(),
        status=one_of("complete", "expired", "open"),
    ),
    Operation("GET", _PATH + "/{id}", lambda call: call.own(_KIND)),
    Operation("POST", _PATH + "/{id}", _update, {"metadata": metadata()}),
    Operation("POST", _PATH + "/{id}/expire", expire),
    Operation("GET", _PATH + "/{id}/line_items", _items, LIST),
]
