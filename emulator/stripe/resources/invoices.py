"""Invoices and their payments: drafts, finalisation, attempts, voiding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.stripe.errors import StripeError, refused
from emulator.stripe.events import emit
from emulator.stripe.resources import customer_balances, payment_attempts
from emulator.stripe.resources import invoice_objects as objects
from emulator.stripe.resources.payment_intent_objects import blank_intent
from emulator.stripe.search import metadata_terms
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

KINDS = [
    Kind(
        "invoice",
        "in",
        indexes=("customer", "status", "_subscription", "collection_method"),
        terms=metadata_terms,
        included={"lines": objects.lines},
        includable={
            "payments": objects.payments,
            "confirmation_secret": objects.confirmation_secret,
        },
    ),
    Kind("invoice_payment", "inpay", indexes=("invoice", "status", "_payment_intent")),
]
DRAFT_SECONDS = 3600
OWED = ("open", "uncollectible")
"""An invoice may still be paid or voided after it was given up."""
# Called with (world, invoice) when an invoice was paid, or an attempt to pay it failed.
paid_hooks: list[Callable[[World, Obj], None]] = []
failed_hooks: list[Callable[[World, Obj], None]] = []


def draft(world: World, customer: Obj, lines: list[Obj], **members: Any) -> Obj:
    """A draft invoice of a customer with the given lines; emits ``invoice.created``."""
    invoice = objects.blank_invoice(world, customer, lines, members)
    world.store.insert("invoice", invoice, world.store.rows[customer["id"]].account, world.now)
    emit(world, "invoice.created", invoice)
    return invoice


def finalize(world: World, invoice: Obj, use_balance: bool = True) -> None:
    """Number a draft (an editable copy), apply the balance, make the intent that is to pay it."""
    customer = world.store.edit("customer", invoice["customer"])
    if customer.get("deleted"):
        raise refused(f"The customer {customer['id']} of this invoice has been deleted.")
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = number + 1
    invoice["number"] = f"{customer['invoice_prefix']}-{number:04d}"
    invoice["status"] = "open"
    invoice["automatically_finalizes_at"] = None
    invoice["effective_at"] = world.now
    invoice["status_transitions"]["finalized_at"] = world.now
    page_url = f"{world.config.url}/invoices/{invoice['id']}"
    invoice["hosted_invoice_url"] = page_url
    invoice["invoice_pdf"] = f"{page_url}/pdf"
    if use_balance:
        customer_balances.apply(world, customer, invoice)
    else:
        invoice["ending_balance"] = invoice["starting_balance"]
        invoice["amount_due"] = invoice["amount_remaining"] = max(0, invoice["total"])
    emit(world, "invoice.finalized", invoice)
    if invoice["amount_due"] > 0:
        _make_intent(world, invoice)
    else:
        paid(world, invoice)


def _make_intent(world: World, invoice: Obj) -> None:
    intent = blank_intent(world, invoice["amount_due"], invoice["currency"])
    intent["customer"] = invoice["customer"]
    intent["description"] = {
        "subscription_create": "Subscription creation",
        "subscription_cycle": "Subscription update",
    }.get(invoice["billing_reason"], f"Payment for Invoice {invoice['number']}")
    intent["setup_future_usage"] = "off_session" if invoice["_subscription"] else None
    intent["capture_method"] = "automatic_async"
    intent["_invoice"] = invoice["id"]
    method = payer(world, invoice)
    if method is not None:
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    account = world.store.rows[invoice["id"]].account
    world.store.insert("payment_intent", intent, account, world.now)
    emit(world, "payment_intent.created", intent)
    invoice["_payment_intent"] = intent["id"]
    payment = objects.blank_payment(world, invoice, intent["id"])
    world.store.insert("invoice_payment", payment, account, world.now)


def payer(world: World, invoice: Obj) -> Obj | None:
    """The payment method that is to pay: the invoice's, its subscription's, the customer's."""
    candidates = [invoice["default_payment_method"]]
    if invoice["_subscription"]:
        subscription = world.store.get("subscription", invoice["_subscription"])
        candidates.append(subscription["default_payment_method"])
    customer = world.store.get("customer", invoice["customer"])
    if not customer.get("deleted"):
        candidates.append(customer["invoice_settings"]["default_payment_method"])
    methods = [world.store.get("payment_method", id) for id in candidates if id]
    return next((method for method in methods if method["customer"] == customer["id"]), None)


def attempt(world: World, invoice: Obj, method: Obj, off_session: bool = True) -> None:
    """
    Try to pay an open invoice.

    Raises:
        StripeError: 402 when the card is declined; the failed attempt stays.
    """
    intent = world.store.edit("payment_intent", invoice["_payment_intent"])
    invoice["attempt_count"] += 1
    invoice["attempted"] = True
    payment_attempts.attempt(world, intent, method, {"off_session": off_session})
    if intent["status"] == "requires_action":
        emit(world, "invoice.payment_action_required", invoice)


def _intent_succeeded(world: World, intent: Obj) -> None:
    if "_invoice" in intent:
        invoice = world.store.edit("invoice", intent["_invoice"])
        if invoice["status"] in OWED:
            invoice["attempted"] = True
            paid(world, invoice)


def _intent_failed(world: World, intent: Obj) -> None:
    if "_invoice" in intent:
        invoice = world.store.edit("invoice", intent["_invoice"])
        if invoice["status"] in OWED:
            invoice["attempted"] = True
            invoice["attempt_count"] = max(1, invoice["attempt_count"])
            emit(world, "invoice.payment_failed", invoice)
            for hook in failed_hooks:
                hook(world, invoice)


payment_attempts.succeeded_hooks.append(_intent_succeeded)
payment_attempts.failed_hooks.append(_intent_failed)


def paid(world: World, invoice: Obj, out_of_band: bool = False) -> None:
    invoice["status"] = "paid"
    invoice["amount_paid"] = invoice["amount_due"]
    invoice["amount_remaining"] = 0
    invoice["next_payment_attempt"] = None
    invoice["status_transitions"]["paid_at"] = world.now
    if out_of_band:
        invoice["amount_paid_off_stripe"] = invoice["amount_due"]
    emit(world, "invoice.paid", invoice)
    if not out_of_band:
        emit(world, "invoice.payment_succeeded", invoice)
    payment = objects.payment_of(world, invoice)
    if payment is not None and not out_of_band:
        payment = world.store.edit("invoice_payment", payment["id"])
        payment["status"] = "paid"
        payment["amount_paid"] = invoice["amount_due"]
        payment["status_transitions"]["paid_at"] = world.now
        world.timers.soon("invoice_payment_paid", {"payment": payment["id"]})
    for hook in paid_hooks:
        hook(world, invoice)


@timer("invoice_payment_paid")
def _payment_paid(world: World, args: Obj) -> None:
    """Stripe tells of the payment of an invoice some seconds after the invoice itself."""
    emit(world, "invoice_payment.paid", world.store.get("invoice_payment", args["payment"]))


def void(world: World, invoice: Obj) -> None:
    """Nothing is owed any more: the intent and its payment are cancelled."""
    invoice["status"] = "void"
    invoice["next_payment_attempt"] = None
    invoice["status_transitions"]["voided_at"] = world.now
    close_intent(world, invoice)
    customer_balances.give_back(world, invoice)
    emit(world, "invoice.voided", invoice)


def give_up(world: World, invoice: Obj) -> None:
    """Nobody expects an open invoice to be paid any more, though it still may be."""
    invoice["status"] = "uncollectible"
    invoice["status_transitions"]["marked_uncollectible_at"] = world.now
    stop_advancing(world, invoice)
    emit(world, "invoice.marked_uncollectible", invoice)


def close_intent(world: World, invoice: Obj) -> None:
    """Cancel what was to pay an invoice, as far as it still can be."""
    payment = objects.payment_of(world, invoice)
    if payment is not None and payment["status"] == "open":
        payment = world.store.edit("invoice_payment", payment["id"])
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = world.now
    if invoice["_payment_intent"]:
        intent = world.store.edit("payment_intent", invoice["_payment_intent"])
        if intent["status"] not in ("succeeded", "canceled"):
            payment_attempts.cancel(world, intent, "void_invoice")


def finalize_later(world: World, invoice: Obj) -> None:
    """A draft that advances by itself is open to changes for an hour."""
    invoice["automatically_finalizes_at"] = world.now + DRAFT_SECONDS
    world.timers.at(
        world.now + DRAFT_SECONDS,
        "finalize_invoice",
        {"invoice": invoice["id"]},
        key=f"finalize_{invoice['id']}",
        clock=invoice["test_clock"],
    )


def stop_advancing(world: World, invoice: Obj) -> None:
    """Nothing happens to an invoice by itself any more: it is neither finalised nor tried again."""
    invoice["auto_advance"] = False
    invoice["automatically_finalizes_at"] = None
    invoice["next_payment_attempt"] = None
    world.timers.cancel_key(f"finalize_{invoice['id']}")
    world.timers.cancel_key(f"retry_{invoice['id']}")


@timer("finalize_invoice")
def finalize_and_collect(world: World, args: Obj) -> None:
    """A draft is an hour old: it is finalised and, where it can be, paid."""
    invoice = world.store.edit("invoice", args["invoice"])
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    finalize(world, invoice)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        collect(world, invoice)


def collect(world: World, invoice: Obj) -> None:
    """Charge an open invoice without its customer; a refusal is the invoice's state, no error."""
    method = payer(world, invoice)
    try:
        if method is None:
            _no_payer(world, invoice)
        else:
            attempt(world, invoice, method)
    except StripeError as exc:
        if not exc.keeps_effect:
            raise


def _no_payer(world: World, invoice: Obj) -> None:
    invoice["attempt_count"] += 1
    invoice["attempted"] = True
    emit(world, "invoice.payment_failed", invoice)
    for hook in failed_hooks:
        hook(world, invoice)
