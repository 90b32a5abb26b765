"""Payment intents: create, update, confirm, capture, cancel, list, search."""

from __future__ import annotations

from typing import Any

from emulator.stripe.errors import (
    StripeError,
    missing,
    not_imitated,
    parameter_error,
    refused,
)
from emulator.stripe.events import emit
from emulator.stripe.money import check_charge_amount
from emulator.stripe.params import (
    boolean,
    integer,
    merged_metadata,
    metadata,
    one_of,
    text,
)
from emulator.stripe.resources import owned_intents as owned
from emulator.stripe.resources import payment_attempts
from emulator.stripe.resources.application_fees import application_id
from emulator.stripe.resources.common import listing
from emulator.stripe.resources.customers import current, shipping
from emulator.stripe.resources.payment_intent_objects import (
    CLIENT_FIELDS,
    CONFIRM,
    CREATE,
    UPDATE,
    blank_intent,
)
from emulator.stripe.resources.payment_methods import from_data, resolve
from emulator.stripe.routes import Call, Operation
from emulator.stripe.search import metadata_terms, searching
from emulator.stripe.settlement import check_minimum
from emulator.stripe.store import Kind, Obj

KINDS = [
    Kind(
        "payment_intent",
        "pi",
        param="intent",
        indexes=("customer", "status", "transfer_group"),
        terms=metadata_terms,
    )
]
PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (*PAYABLE, "requires_capture")


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    if not p.get("confirm"):
        for name in ("off_session", "error_on_requires_action", "return_url", "mandate_data"):
            if name in p:
                raise parameter_error(
                    f"The parameter `{name}` can only be passed with `confirm=true`.", name
                )
    check_charge_amount(p["amount"], p["currency"])
    check_minimum(world, call.account, p["amount"], p["currency"])
    _check_account(call)
    intent = blank_intent(world, p["amount"], p["currency"])
    automatic = p.get("automatic_payment_methods")
    if automatic is not None and not automatic["enabled"]:
        intent["automatic_payment_methods"] = None
    elif automatic is not None:
        intent["automatic_payment_methods"]["allow_redirects"] = automatic.get(
            "allow_redirects", "always"
        )
    intent["confirmation_method"] = p.get("confirmation_method", "automatic")
    if "application_fee_amount" in p:
        intent["application_fee_amount"] = p["application_fee_amount"]
        intent["application"] = application_id(world)
    world.store.insert("payment_intent", intent, call.account, world.now)
    _apply(call, intent)
    emit(world, "payment_intent.created", intent)
    if p.get("confirm"):
        _confirm(call, intent)
    return intent


def _check_account(call: Call) -> None:
    """Direct charges need the capability; application fees are for direct charges only."""
    p = call.params
    if call.account == call.world.platform:
        if "application_fee_amount" in p:
            raise refused(
                "Can only apply an application_fee_amount when the PaymentIntent is attempting a "
                "direct payment (using an OAuth key or Stripe-Account header).",
                param="application_fee_amount",
            )
        return
    account = call.world.store.get("account", call.account)
    if account["capabilities"].get("card_payments") != "active":
        raise refused(
            f"The account {call.account} cannot currently make charges: it does not have the "
            "card_payments capability enabled.",
            code="insufficient_capabilities_for_charge",
        )
    if p.get("application_fee_amount", 0) > p["amount"]:
        raise refused(
            "Your application fee cannot be higher than the total charge amount.",
            param="application_fee_amount",
        )


def _apply(call: Call, intent: Obj) -> None:
    """Set whatever create, update or confirm were given."""
    p = call.params
    if p.get("customer"):
        intent["customer"] = current(call, p["customer"])["id"]
    if "transfer_group" in p and intent["transfer_group"] not in (None, p["transfer_group"]):
        raise refused(
            "The transfer_group of a PaymentIntent cannot be changed once it is set.",
            param="transfer_group",
        )
    for name in (
        "description", "receipt_email", "setup_future_usage", "statement_descriptor",
        "statement_descriptor_suffix", "transfer_group", "capture_method",
        "excluded_payment_method_types", "allowed_payment_method_types",
    ):  # fmt: skip
        if name in p:
            intent[name] = p[name]
    if "shipping" in p:
        intent["shipping"] = shipping(p["shipping"])
    if "metadata" in p:
        intent["metadata"] = merged_metadata(intent["metadata"], p["metadata"])
    for type, options in p.get("payment_method_options", {}).items():
        intent["payment_method_options"][type].update(options)
    _apply_method(call, intent)


def _apply_method(call: Call, intent: Obj) -> None:
    p = call.params
    if "payment_method" in p and "payment_method_data" in p:
        raise parameter_error(
            "You may only specify one of these parameters: payment_method, payment_method_data.",
            "payment_method",
        )
    method = None
    if "payment_method" in p:
        method = resolve(call, p["payment_method"])
    elif "payment_method_data" in p:
        method = from_data(call, p["payment_method_data"])
    if method is not None:
        if method["id"] != intent["payment_method"]:
            intent.pop("_authenticated", None)
        intent["payment_method"] = method["id"]
        intent["last_payment_error"] = None
        intent["next_action"] = None
        intent["status"] = "requires_confirmation"


def _own(call: Call) -> Obj:
    """The intent of the path, to be changed; the publishable key must know its client secret."""
    intent = call.edit("payment_intent")
    _check_secret(call, intent)
    return intent


def _check_secret(call: Call, intent: Obj) -> None:
    given = call.params.get("client_secret")
    if call.publishable and given is None:
        raise missing("client_secret")
    if given is not None and given != intent["client_secret"]:
        raise refused(
            "The client_secret provided does not match any associated PaymentIntent on this "
            "account. "
            "Ensure the provided client_secret and PaymentIntent belong to the same account.",
            code="payment_intent_invalid_parameter",
            param="client_secret",
        )


def _seen(call: Call, intent: Obj) -> Obj:
    if not call.publishable:
        return intent
    return {name: intent[name] for name in CLIENT_FIELDS}


def unexpected_state(call: Call, intent: Obj, message: str) -> StripeError:
    """The 400 of a step that the intent's status does not allow; it shows the intent."""
    return refused(
        message,
        code="payment_intent_unexpected_state",
        payment_intent=_seen(call, call.world.show(intent)),
    )


def _statuses(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def retrieve(call: Call) -> Obj:
    intent = call.own("payment_intent")
    _check_secret(call, intent)
    return _seen(call, intent)


def update(call: Call) -> Obj:
    intent, p = _own(call), call.params
    if intent["status"] not in PAYABLE:
        for name in p:
            if name not in ("metadata", "description", "transfer_group", "receipt_email"):
                raise unexpected_state(
                    call,
                    intent,
                    f"This PaymentIntent's {name} could not be updated because it has a status of "
                    f"{intent['status']}. You may only update the {name} of a PaymentIntent "
                    "with one "
                    f"of the following statuses: {_statuses(PAYABLE)}.",
                )
    owned.check_update(intent, p)
    if "amount" in p or "currency" in p:
        intent["amount"] = p.get("amount", intent["amount"])
        intent["currency"] = p.get("currency", intent["currency"])
        check_charge_amount(intent["amount"], intent["currency"])
        check_minimum(call.world, call.account, intent["amount"], intent["currency"])
    if intent["status"] in PAYABLE:
        intent["last_payment_error"] = None
    _apply(call, intent)
    return intent


def confirm(call: Call) -> Obj:
    intent = _own(call)
    if intent["status"] == "succeeded":
        raise unexpected_state(
            call,
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being "
            "previously confirmed.",
        )
    if intent["status"] not in PAYABLE:
        raise unexpected_state(
            call,
            intent,
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}. "
            "Only a PaymentIntent with one of the following statuses may be confirmed: "
            f"{_statuses(PAYABLE)}.",
        )
    waiting = intent["status"] == "requires_action"
    if waiting and not {"payment_method", "payment_method_data"} & set(call.params):
        return _seen(call, intent)
    if call.publishable and intent["confirmation_method"] == "manual":
        raise refused(
            "This PaymentIntent cannot be confirmed using your publishable key because its "
            "`confirmation_method` is set to `manual`."
        )
    _apply(call, intent)
    _confirm(call, intent)
    return _seen(call, intent)


def _confirm(call: Call, intent: Obj) -> None:
    if intent["payment_method"] is None:
        raise unexpected_state(
            call,
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
        )
    method = call.world.store.get("payment_method", intent["payment_method"])
    options: dict[str, Any] = call.params
    if intent.pop("_authenticated", False):
        payment_attempts.pay(call.world, intent, method)
    else:
        try:
            payment_attempts.attempt(call.world, intent, method, options)
        except StripeError as exc:
            if call.publishable and "payment_intent" in exc.extra:
                exc.extra["payment_intent"] = _seen(call, exc.extra["payment_intent"])
            raise


def capture(call: Call) -> Obj:
    intent = _own(call)
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            call,
            intent,
            "This PaymentIntent could not be captured because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            "captured: requires_capture.",
        )
    given = call.params.get("metadata", {})
    if "metadata" in call.params:
        intent["metadata"] = merged_metadata(intent["metadata"], given)
    if call.params.get("final_capture") is False:
        raise not_imitated("several captures of one PaymentIntent: final_capture must be true")
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        if name in call.params:
            intent[name] = call.params[name]
    payment_attempts.capture(call.world, intent, call.params.get("amount_to_capture"), given)
    return intent


def cancel(call: Call) -> Obj:
    intent = _own(call)
    if intent["status"] not in _CANCELABLE:
        raise unexpected_state(
            call,
            intent,
            "You cannot cancel this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            f"canceled: {_statuses(_CANCELABLE)}, processing.",
        )
    owned.check_cancel(intent)
    payment_attempts.cancel(call.world, intent, call.params.get("cancellation_reason"))
    return intent


_ID = "/v1/payment_intents/{id}"
OPERATIONS = [
    Operation("POST", "/v1/payment_intents", create, CREATE, note="cards only"),
    listing("payment_intent", "/v1/payment_intents", customer=text()),
    searching("payment_intent", "/v1/payment_intents/search"),
    Operation("GET", _ID, retrieve, {"client_secret": text()}, publishable=True),
    Operation("POST", _ID, update, UPDATE),
    Operation("POST", _ID + "/confirm", confirm, CONFIRM, publishable=True),
    Operation(
        "POST",
        _ID + "/capture",
        capture,
        {
            "amount_to_capture": integer(1),
            "final_capture": boolean(),
            "metadata": metadata(),
            "statement_descriptor": text(22),
            "statement_descriptor_suffix": text(22),
        },
    ),
    Operation(
        "POST",
        _ID + "/cancel",
        cancel,
        {
            "cancellation_reason": one_of(
                "duplicate", "fraudulent", "requested_by_customer", "abandoned"
            )
        },
    ),
]
