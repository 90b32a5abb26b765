"""Setup intents: saving a card for later without a payment."""

from __future__ import annotations

from emulator.stripe.cards import Decline
from emulator.stripe.errors import StripeError, missing, refused
from emulator.stripe.events import emit
from emulator.stripe.params import (
    Params,
    boolean,
    many,
    merged_metadata,
    metadata,
    nested,
    one_of,
    opaque,
    text,
)
from emulator.stripe.resources.common import listing
from emulator.stripe.resources.customers import current
from emulator.stripe.resources.payment_methods import DATA, card_error, card_of, from_data, resolve
from emulator.stripe.resources.setup_attempts import record_attempt
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj, copy
from emulator.stripe.world import World

KINDS = [
    Kind("setup_intent", "seti", param="intent", indexes=("customer", "payment_method", "status")),
]
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_FAILED = Decline(
    "setup_intent_authentication_failure",
    "The latest attempt to set up the payment method has failed because authentication failed.",
)
_METHOD: Params = {
    "payment_method": text(),
    "payment_method_data": nested(**DATA),
    "payment_method_options": opaque(),
}
_SHARED: Params = {
    **_METHOD,
    "customer": text(),
    "description": text(1000).clearable(),
    "metadata": metadata(),
    "excluded_payment_method_types": many(text()).clearable(),
    "allowed_payment_method_types": many(text()).clearable(),
}
_CREATE: Params = {
    **_SHARED,
    "automatic_payment_methods": nested(
        enabled=boolean().needed(), allow_redirects=one_of("always", "never")
    ),
    "confirm": boolean(),
    "mandate_data": opaque(),
    "return_url": text(),
    "usage": one_of("off_session", "on_session"),
    "use_stripe_sdk": boolean(),
}
_CONFIRM: Params = {
    **_METHOD,
    "client_secret": text(),
    "mandate_data": opaque(),
    "return_url": text(),
    "use_stripe_sdk": boolean(),
}


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    id = world.ids.new("seti")
    automatic = p.get("automatic_payment_methods", {"enabled": True})
    intent: Obj = {
        "id": id,
        "object": "setup_intent",
        "allowed_payment_method_types": None,
        "application": None,
        "automatic_payment_methods": {
            "allow_redirects": automatic.get("allow_redirects", "always"),
            "enabled": True,
        }
        if automatic["enabled"]
        else None,
        "cancellation_reason": None,
        "client_secret": world.ids.secret(id),
        "created": world.now,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": p.get("usage", "off_session"),
    }
    world.store.insert("setup_intent", intent, call.account, world.now)
    _apply(call, intent)
    emit(world, "setup_intent.created", intent)
    if p.get("confirm"):
        _confirm(call, intent)
    return intent


def _apply(call: Call, intent: Obj) -> None:
    p = call.params
    if p.get("customer"):
        intent["customer"] = current(call, p["customer"])["id"]
    for name in ("description", "excluded_payment_method_types", "allowed_payment_method_types"):
        if name in p:
            intent[name] = p[name]
    if "metadata" in p:
        intent["metadata"] = merged_metadata(intent["metadata"], p["metadata"])
    method = None
    if "payment_method" in p:
        method = resolve(call, p["payment_method"])
    elif "payment_method_data" in p:
        method = from_data(call, p["payment_method_data"])
    if method is not None:
        intent["payment_method"] = method["id"]
        intent["last_setup_error"] = None
        intent["status"] = "requires_confirmation"


def _own(call: Call) -> Obj:
    intent = call.edit("setup_intent")
    given = call.params.get("client_secret")
    if call.publishable and given is None:
        raise missing("client_secret")
    if given is not None and given != intent["client_secret"]:
        raise refused(
            "The client_secret provided does not match the client_secret associated with the "
            "SetupIntent.",
            code="setup_intent_invalid_parameter",
            param="client_secret",
        )
    return intent


def _unexpected(call: Call, intent: Obj, verb: str) -> StripeError:
    return refused(
        f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}.",
        code="setup_intent_unexpected_state",
        setup_intent=_seen(call, call.world.show(intent)),
    )


def confirm(call: Call) -> Obj:
    intent = _own(call)
    if intent["status"] not in OPEN:
        raise _unexpected(call, intent, "confirm")
    _apply(call, intent)
    try:
        _confirm(call, intent)
    except StripeError as exc:
        if "setup_intent" in exc.extra:
            exc.extra["setup_intent"] = _seen(call, exc.extra["setup_intent"])
        raise
    return _seen(call, intent)


def _confirm(call: Call, intent: Obj) -> None:
    world = call.world
    if intent["payment_method"] is None:
        raise refused(
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the "
            "SetupIntent with a payment method and then confirm it again.",
            code="setup_intent_unexpected_state",
        )
    method = world.store.get("payment_method", intent["payment_method"])
    if method["customer"] not in (None, intent["customer"]):
        raise refused("The payment method belongs to another customer.", param="payment_method")
    card = card_of(method)
    if card.decline is not None and not card.attaches:
        _fail(world, intent, method, card.decline)
    if card.three_ds in ("always", "unless_setup"):
        _challenge(world, intent, call.params.get("return_url"))
        return
    succeed(world, intent)


def _challenge(world: World, intent: Obj, return_url: str | None) -> None:
    page_url = f"{world.config.url}/3ds/{intent['id']}"
    intent["status"] = "requires_action"
    if return_url:
        intent["next_action"] = {
            "redirect_to_url": {"return_url": return_url, "url": page_url},
            "type": "redirect_to_url",
        }
    else:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"stripe_js": page_url, "type": "three_d_secure_redirect"},
        }
    emit(world, "setup_intent.requires_action", intent)


def succeed(world: World, intent: Obj) -> None:
    """The card is set up, and saved if there is a customer."""
    method = world.store.edit("payment_method", intent["payment_method"])
    method["_set_up"] = True
    record_attempt(world, intent, method, "succeeded", None)
    intent["status"] = "succeeded"
    intent["next_action"] = None
    if intent["customer"] and method["customer"] is None:
        method["customer"] = intent["customer"]
        emit(world, "payment_method.attached", method)
    emit(world, "setup_intent.succeeded", intent)


def _fail(world: World, intent: Obj, method: Obj, decline: Decline) -> None:
    error: Obj = {
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "payment_method": world.show(method),
        "type": "invalid_request_error" if decline is _FAILED else "card_error",
    }
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    record_attempt(world, intent, method, "failed", error)
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    intent["next_action"] = None
    intent["last_setup_error"] = copy(error)
    emit(world, "setup_intent.setup_failed", intent)
    refusal = card_error(decline, setup_intent=world.show(intent))
    refusal.keeps_effect = True
    raise refusal


def authenticate(world: World, intent_id: str, outcome: str) -> Obj:
    """The customer finished the challenge of a setup: ``succeeded`` or ``failed``."""
    intent = world.store.edit("setup_intent", intent_id)
    if intent["status"] != "requires_action":
        raise refused(
            f"The SetupIntent {intent_id} does not wait for the customer: its status is "
            f"{intent['status']}.",
            code="setup_intent_unexpected_state",
        )
    if outcome == "succeeded":
        succeed(world, intent)
        return intent
    try:
        _fail(world, intent, world.store.get("payment_method", intent["payment_method"]), _FAILED)
    except StripeError as exc:
        if not exc.keeps_effect:
            raise
    return intent


def _seen(call: Call, intent: Obj) -> Obj:
    """The publishable key sees neither the platform's notes nor whose intent it is."""
    if not call.publishable:
        return intent
    hidden = ("application", "customer", "customer_account", "metadata", "on_behalf_of")
    return {name: value for name, value in intent.items() if name not in hidden}


def retrieve(call: Call) -> Obj:
    call.own("setup_intent")
    return _seen(call, _own(call))


def update(call: Call) -> Obj:
    intent = _own(call)
    if intent["status"] not in OPEN:
        raise _unexpected(call, intent, "update")
    _apply(call, intent)
    return intent


def cancel(call: Call) -> Obj:
    intent = _own(call)
    if intent["status"] not in OPEN:
        raise _unexpected(call, intent, "cancel")
    intent["status"] = "canceled"
    intent["next_action"] = None
    intent["cancellation_reason"] = call.params.get("cancellation_reason")
    emit(call.world, "setup_intent.canceled", intent)
    return intent


_ID = "/v1/setup_intents/{id}"
_REASON = one_of("abandoned", "duplicate", "requested_by_customer")
OPERATIONS = [
    Operation("POST", "/v1/setup_intents", create, _CREATE, note="cards only"),
    listing("setup_intent", "/v1/setup_intents", customer=text(), payment_method=text()),
    Operation("GET", _ID, retrieve, {"client_secret": text()}, publishable=True),
    Operation("POST", _ID, update, _SHARED),
    Operation("POST", _ID + "/confirm", confirm, _CONFIRM, publishable=True),
    Operation("POST", _ID + "/cancel", cancel, {"cancellation_reason": _REASON}),
]
