"""What happens when a payment intent is confirmed: authentication, the bank's answer, capture."""

from __future__ import annotations

from typing import Any

from emulator.stripe.cards import NEEDS_AUTHENTICATION, Card, Decline
from emulator.stripe.errors import StripeError
from emulator.stripe.events import emit
from emulator.stripe.resources import charges
from emulator.stripe.resources.payment_methods import card_error, card_of, may_not_be_used_again
from emulator.stripe.store import Obj, copy
from emulator.stripe.timers import timer
from emulator.stripe.world import World

AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    "The provided PaymentMethod has failed authentication. You can provide "
    "payment_method_data or a "
    "new PaymentMethod to attempt to fulfill this PaymentIntent again.",
)
# Called with (world, intent) after each event that settles an intent; invoices listen here.
succeeded_hooks: list[Any] = []
failed_hooks: list[Any] = []


def attempt(world: World, intent: Obj, method: Obj, options: dict[str, Any]) -> None:
    """
    Try to pay an intent (an editable copy) with a payment method.

    Args:
        options: ``off_session``, ``error_on_requires_action``, ``return_url`` as given to confirm.

    Raises:
        StripeError: 402 for a declined card; the failed charge and the intent's state stay.
    """
    _check_reuse(world, intent, method)
    intent["payment_method"] = method["id"]
    intent["last_payment_error"] = None
    intent["next_action"] = None
    intent.pop("_three_d_secure", None)
    card = card_of(method)
    if _asks_for_authentication(intent, method, card):
        if options.get("off_session"):
            fail(world, intent, method, NEEDS_AUTHENTICATION)
        if options.get("error_on_requires_action"):
            fail(world, intent, method, NEEDS_AUTHENTICATION, with_charge=False)
        _challenge(world, intent, method, options.get("return_url"))
        return
    pay(world, intent, method)


def _check_reuse(world: World, intent: Obj, method: Obj) -> None:
    """A payment method belongs to one customer, or is good for one payment."""
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        if intent["customer"] is None:
            message = (
                f"The PaymentMethod {method['id']} belongs to a customer. Please include the "
                "customer "
                "in the `customer` parameter on the PaymentIntent."
            )
        else:
            message = (
                f"The customer does not have a payment method with the ID {method['id']}. The "
                "payment "
                "method must be attached to the customer."
            )
        raise StripeError(400, message, param="payment_method", retry=False)
    if method["customer"] is None and method["_used"] not in (False, intent["id"]):
        raise may_not_be_used_again()
    world.store.edit("payment_method", method["id"])["_used"] = intent["id"]


def _asks_for_authentication(intent: Obj, method: Obj, card: Card) -> bool:
    if card.three_ds == "always":
        return True
    if card.three_ds == "unless_setup" and not method["_set_up"]:
        return True
    card_options = (intent["payment_method_options"] or {}).get("card") or {}
    return card_options.get("request_three_d_secure") in ("any", "challenge")


def _challenge(world: World, intent: Obj, method: Obj, return_url: str | None) -> None:
    """Ask the customer to authenticate: a page for browsers, opaque data for Stripe.js."""
    page = f"{world.config.url}/3ds/{intent['id']}"
    intent["status"] = "requires_action"
    if return_url:
        intent["next_action"] = {
            "redirect_to_url": {"return_url": return_url, "url": page},
            "type": "redirect_to_url",
        }
    else:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {
                "source": world.ids.new("src"),
                "stripe_js": page,
                "type": "three_d_secure_redirect",
            },
        }
    intent["_challenged"] = method["id"]
    emit(world, "payment_intent.requires_action", intent)


def authenticate(world: World, intent_id: str, outcome: str) -> Obj:
    """
    The customer finished the 3-D Secure challenge: ``succeeded`` or ``failed``.

    Raises:
        StripeError: 400 when the intent waits for no challenge. A card that is declined after the
            challenge is no error of this call: the intent tells.
    """
    intent = world.store.edit("payment_intent", intent_id)
    if intent["status"] != "requires_action":
        raise StripeError(
            400,
            f"The PaymentIntent {intent_id} does not wait for the customer: its status is "
            f"{intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    method = world.store.get("payment_method", intent["_challenged"])
    intent["next_action"] = None
    try:
        if outcome == "failed":
            fail(world, intent, method, AUTHENTICATION_FAILED, with_charge=False)
        intent["_three_d_secure"] = _authenticated()
        if intent["confirmation_method"] == "manual":
            intent["status"] = "requires_confirmation"
            intent["_authenticated"] = True
        else:
            pay(world, intent, method)
    except StripeError as exc:
        if not exc.keeps_effect:
            raise
    return intent


def _authenticated() -> Obj:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }


def pay(world: World, intent: Obj, method: Obj) -> None:
    """The bank's answer: a charge and a new state of the intent, or a raised 402."""
    card = card_of(method)
    if card.decline is not None:
        fail(world, intent, method, card.decline)
    charge = charges.card_charge(world, intent, method, card, None)
    intent["latest_charge"] = charge["id"]
    intent["next_action"] = None
    _save_method(world, intent, method)
    if intent["capture_method"] == "manual":
        intent["status"] = "requires_capture"
        intent["amount_capturable"] = intent["amount"]
        emit(world, "charge.succeeded", charge)
        emit(world, "payment_intent.amount_capturable_updated", intent, previous={})
        world.timers.at(
            world.now + charges.AUTHORIZATION_SECONDS,
            "authorization_expires",
            {"payment_intent": intent["id"]},
            key=f"authorization_{intent['id']}",
        )
    else:
        _succeed(world, intent, charge, "charge.succeeded")
    _aftermath(world, charge, card)


def _succeed(world: World, intent: Obj, charge: Obj, event: str) -> None:
    """The money is captured. Only plain ``automatic`` waits for the balance transaction."""
    intent["status"] = "succeeded"
    intent["amount_received"] = charge["amount_captured"]
    intent["amount_capturable"] = 0
    if intent["capture_method"] == "automatic":
        charges.book(world, charge)
    else:
        charges.settle_later(world, charge)
    emit(world, event, charge)
    emit(world, "payment_intent.succeeded", intent)
    for hook in succeeded_hooks:
        hook(world, intent)


def _save_method(world: World, intent: Obj, method: Obj) -> None:
    """A payment with ``setup_future_usage`` saves its method to the customer."""
    if not intent["setup_future_usage"] or not intent["customer"]:
        return
    edited = world.store.edit("payment_method", method["id"])
    edited["_set_up"] = True
    if edited["customer"] is None:
        edited["customer"] = intent["customer"]
        emit(world, "payment_method.attached", edited)


def _aftermath(world: World, charge: Obj, card: Card) -> None:
    """What some test cards bring about after they were accepted."""
    args = {"charge": charge["id"]}
    if card.risk == "elevated":
        world.timers.soon("open_review", args)
    if card.fraud_warning:
        world.timers.soon("warn_of_fraud", args)
    if card.dispute and charge["captured"]:
        world.timers.soon("open_dispute", {**args, "reason": card.dispute, "inquiry": card.inquiry})


def fail(
    world: World, intent: Obj, method: Obj, decline: Decline, with_charge: bool = True
) -> None:
    """Record a failed attempt and raise its 402, whose effect stays."""
    shown_method = world.show(method)
    error: Obj = {"type": "card_error", "code": decline.code, "message": decline.message}
    error["doc_url"] = f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}"
    error |= {
        name: value
        for name, value in (
            ("decline_code", decline.decline_code),
            ("param", decline.param),
            ("advice_code", decline.advice),
        )
        if value is not None
    }
    if not with_charge and decline is AUTHENTICATION_FAILED:
        error["type"] = "invalid_request_error"
    charge = None
    if with_charge:
        charge = charges.card_charge(world, intent, method, card_of(method), decline)
        intent["latest_charge"] = error["charge"] = charge["id"]
    error["payment_method"] = shown_method
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    intent["next_action"] = None
    intent["last_payment_error"] = copy(error)
    if charge is not None:
        emit(world, "charge.failed", charge)
    emit(world, "payment_intent.payment_failed", intent)
    for hook in failed_hooks:
        hook(world, intent)
    refusal = card_error(
        decline,
        **({"charge": charge["id"]} if charge is not None else {}),
        payment_intent=world.show(intent),
        payment_method=shown_method,
    )
    refusal.keeps_effect = True
    raise refusal


def capture(world: World, intent: Obj, amount: int | None, metadata: dict[str, str] | None) -> None:
    """Take the authorised money, or part of it; the rest is released."""
    taken = intent["amount_capturable"] if amount is None else amount
    if taken > intent["amount_capturable"]:
        raise StripeError(
            400,
            "The amount_to_capture must be less than or equal to the amount_capturable "
            f"({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
            retry=False,
        )
    world.timers.cancel_key(f"authorization_{intent['id']}")
    charge = world.store.edit("charge", intent["latest_charge"])
    charge["captured"] = True
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        charge[name] = intent[name]
    charge["amount_captured"] = taken
    charge["payment_method_details"]["card"].pop("capture_before", None)
    if metadata:
        charge["metadata"] = {**charge["metadata"], **metadata}
    _succeed(world, intent, charge, "charge.captured")
    card = card_of(world.store.get("payment_method", charge["payment_method"]))
    if card.dispute:
        args = {"charge": charge["id"], "reason": card.dispute, "inquiry": card.inquiry}
        world.timers.soon("open_dispute", args)


def cancel(world: World, intent: Obj, reason: str | None) -> None:
    """Cancel an intent in a state that allows it; authorised money is released."""
    held = intent["status"] == "requires_capture"
    intent["status"] = "canceled"
    intent["canceled_at"] = world.now
    intent["cancellation_reason"] = reason
    intent["next_action"] = None
    intent["amount_capturable"] = 0
    if held:
        world.timers.cancel_key(f"authorization_{intent['id']}")
        charge = world.store.edit("charge", intent["latest_charge"])
        charge["refunded"] = True
        charge["amount_refunded"] = charge["amount"]
        emit(world, "charge.expired" if reason == "automatic" else "charge.refunded", charge)
    emit(world, "payment_intent.canceled", intent)


@timer("authorization_expires")
def authorization_expires(world: World, args: Obj) -> None:
    """Seven days have passed without a capture."""
    intent = world.store.edit("payment_intent", args["payment_intent"])
    if intent["status"] == "requires_capture":
        cancel(world, intent, "automatic")
