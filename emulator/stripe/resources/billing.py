"""The life of a subscription: first payment, renewals, failed payments, the end."""

from __future__ import annotations

from emulator.stripe.errors import StripeError
from emulator.stripe.events import emit, remember, show_anew
from emulator.stripe.resources import invoices, pausing
from emulator.stripe.resources.periods import DAY, end_of_period
from emulator.stripe.resources.subscription_invoices import (
    draft_of_period,
    invoice_now,
    items_of,
    no_method,
)
from emulator.stripe.store import Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

FIRST_PAYMENT_SECONDS = 23 * 3600
"""How long the first payment of an incomplete subscription may take."""
RETRY_DAYS = (3, 5, 7)
"""Days between attempts to collect a renewal; after the last one the subscription is cancelled."""


def first_period(subscription: Obj, recurring: Obj) -> tuple[int, int]:
    """(start, end) of the first period: the trial, or one interval."""
    start = subscription["start_date"]
    if subscription["trial_end"]:
        return start, subscription["trial_end"]
    anchor = subscription["billing_cycle_anchor"]
    return start, end_of_period(anchor, start, recurring["interval"], recurring["interval_count"])


def period_end(world: World, subscription: Obj) -> int:
    return int(items_of(world, subscription)[0]["current_period_end"])


def begin(world: World, subscription: Obj, behavior: str, off_session: bool) -> None:
    """
    Make the first invoice and try to have it paid as ``payment_behavior`` says.

    Raises:
        StripeError: 402 with ``error_if_incomplete``, which leaves nothing behind; 400 where a
            customer without a payment method would have to pay at once.
    """
    created = emit(world, "customer.subscription.created", subscription)
    _begin(world, subscription, behavior, off_session)
    show_anew(world, created, subscription)


def _begin(world: World, subscription: Obj, behavior: str, off_session: bool) -> None:
    trial = subscription["status"] == "trialing"
    invoice = draft_of_period(world, subscription, "subscription_create", trial)
    invoices.finalize(world, invoice)
    _wait_for_period(world, subscription)
    if trial:
        _warn_of_trial_end(world, subscription)
        return
    if invoice["status"] == "paid":
        return
    world.timers.at(
        world.now + FIRST_PAYMENT_SECONDS,
        "first_payment_is_due",
        {"subscription": subscription["id"]},
        key=f"first_payment_{subscription['id']}",
        clock=subscription["test_clock"],
    )
    if behavior == "default_incomplete":
        return
    method = invoices.payer(world, invoice)
    if method is None:
        raise no_method()
    try:
        invoices.attempt(world, invoice, method, off_session)
    except StripeError as exc:
        if behavior == "error_if_incomplete" or not exc.keeps_effect:
            exc.keeps_effect = False
            raise


def _wait_for_period(world: World, subscription: Obj) -> None:
    world.timers.at(
        period_end(world, subscription),
        "period_ends",
        {"subscription": subscription["id"]},
        key=f"period_{subscription['id']}",
        clock=subscription["test_clock"],
    )


def _warn_of_trial_end(world: World, subscription: Obj) -> None:
    """``trial_will_end`` comes three days before, or at once for shorter trials."""
    world.timers.at(
        max(world.now, subscription["trial_end"] - 3 * DAY),
        "trial_will_end",
        {"subscription": subscription["id"]},
        key=f"trial_{subscription['id']}",
        clock=subscription["test_clock"],
    )


@timer("trial_will_end")
def _trial_will_end(world: World, args: Obj) -> None:
    subscription = world.store.get("subscription", args["subscription"])
    if subscription["status"] == "trialing":
        emit(world, "customer.subscription.trial_will_end", subscription)


@timer("period_ends")
def _period_ends(world: World, args: Obj) -> None:
    """A renewal: the next period begins and a draft invoice waits an hour to be finalised."""
    subscription = world.store.edit("subscription", args["subscription"])
    if subscription["status"] not in ("active", "past_due", "trialing"):
        return
    if subscription["cancel_at_period_end"]:
        end(world, subscription, "cancellation_requested")
        invoice_now(world, subscription, {"off_session": True})
        return
    remember(world, subscription)
    start = period_end(world, subscription)
    for id in subscription["_items"]:
        item = world.store.edit("subscription_item", id)
        recurring = item["price"]["recurring"]
        item["current_period_start"] = start
        item["current_period_end"] = end_of_period(
            subscription["billing_cycle_anchor"],
            start,
            recurring["interval"],
            recurring["interval_count"],
        )
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    invoice = draft_of_period(world, subscription, "subscription_cycle")
    emit(world, "customer.subscription.updated", subscription)
    if not pausing.hold(world, subscription, invoice):
        invoices.finalize_later(world, invoice)
    _wait_for_period(world, subscription)


@timer("first_payment_is_due")
def _first_payment_is_due(world: World, args: Obj) -> None:
    """Nobody paid for 23 hours: the subscription never begins."""
    subscription = world.store.edit("subscription", args["subscription"])
    if subscription["status"] != "incomplete":
        return
    subscription["status"] = "incomplete_expired"
    subscription["ended_at"] = world.now
    _stop_timers(world, subscription)
    _void_open(world, subscription)
    emit(world, "customer.subscription.updated", subscription)


def _paid(world: World, invoice: Obj) -> None:
    """An invoice was paid: what waited for it is active."""
    if not invoice["_subscription"]:
        return
    subscription = world.store.edit("subscription", invoice["_subscription"])
    if invoice["_payment_intent"]:
        _keep_method(world, subscription, invoice)
    waits = subscription["status"] in ("incomplete", "past_due", "unpaid")
    if waits and subscription["latest_invoice"] in (None, invoice["id"]):
        before = subscription["status"]
        subscription["status"] = "active"
        world.timers.cancel_key(f"first_payment_{subscription['id']}")
        world.timers.cancel_key(f"retry_{invoice['id']}")
        if world.store.before(subscription["id"]) is not None:
            previous = {"status": before}
            emit(world, "customer.subscription.updated", subscription, previous=previous)


def _keep_method(world: World, subscription: Obj, invoice: Obj) -> None:
    chosen = subscription["payment_settings"]["save_default_payment_method"]
    intent = world.store.get("payment_intent", invoice["_payment_intent"])
    if chosen == "on_subscription" and intent["payment_method"]:
        subscription["default_payment_method"] = intent["payment_method"]


def _failed(world: World, invoice: Obj) -> None:
    """A renewal was not paid: past due, tried again, and cancelled in the end."""
    if not invoice["_subscription"] or invoice["billing_reason"] == "subscription_create":
        return
    subscription = world.store.edit("subscription", invoice["_subscription"])
    if subscription["status"] not in ("active", "past_due"):
        return
    number = invoice["attempt_count"] - 1
    if number >= len(RETRY_DAYS):
        invoice["next_payment_attempt"] = None
        end(world, subscription, "payment_failed")
        return
    due = world.now + RETRY_DAYS[number] * DAY
    invoice["next_payment_attempt"] = due
    world.timers.at(
        due,
        "retry_invoice",
        {"invoice": invoice["id"]},
        key=f"retry_{invoice['id']}",
        clock=subscription["test_clock"],
    )
    if subscription["status"] == "active":
        subscription["status"] = "past_due"
        emit(world, "customer.subscription.updated", subscription, previous={"status": "active"})


invoices.paid_hooks.append(_paid)
invoices.failed_hooks.append(_failed)


@timer("retry_invoice")
def _retry(world: World, args: Obj) -> None:
    invoice = world.store.edit("invoice", args["invoice"])
    if invoice["status"] == "open":
        invoices.collect(world, invoice)


def cancel_later(world: World, subscription: Obj, at: int | None, at_period_end: bool) -> None:
    """Plan the end of a subscription, or call it off (``at`` None)."""
    planned = at is not None
    subscription["cancel_at_period_end"] = at_period_end and planned
    subscription["cancel_at"] = at
    subscription["canceled_at"] = world.now if planned else None
    reason = "cancellation_requested" if planned else None
    subscription["cancellation_details"]["reason"] = reason
    key = f"cancel_{subscription['id']}"
    world.timers.cancel_key(key)
    if at is not None and not at_period_end:
        world.timers.at(
            at,
            "cancel_subscription",
            {"subscription": subscription["id"]},
            key=key,
            clock=subscription["test_clock"],
        )


@timer("cancel_subscription")
def _cancels(world: World, args: Obj) -> None:
    subscription = world.store.edit("subscription", args["subscription"])
    if subscription["ended_at"] is None:
        end(world, subscription, "cancellation_requested")


def end(world: World, subscription: Obj, reason: str) -> None:
    """The subscription ends now; a first invoice that nobody paid is void."""
    was_incomplete = subscription["status"] == "incomplete"
    subscription["status"] = "canceled"
    subscription["ended_at"] = world.now
    subscription["canceled_at"] = subscription["canceled_at"] or world.now
    subscription["cancellation_details"]["reason"] = reason
    _stop_timers(world, subscription)
    if was_incomplete:
        _void_open(world, subscription)
    _stop_collecting(world, subscription)
    emit(world, "customer.subscription.deleted", subscription)


def _stop_timers(world: World, subscription: Obj) -> None:
    for name in ("period", "trial", "first_payment", "cancel", "resume"):
        world.timers.cancel_key(f"{name}_{subscription['id']}")


def _stop_collecting(world: World, subscription: Obj) -> None:
    """Stripe tries nobody's card again once a subscription has ended."""
    account = world.store.rows[subscription["id"]].account
    for held in world.store.matching("invoice", account, "_subscription", subscription["id"]):
        if held["status"] in ("draft", "open"):
            invoices.stop_advancing(world, world.store.edit("invoice", held["id"]))


def _void_open(world: World, subscription: Obj) -> None:
    invoice = world.store.edit("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        invoices.void(world, invoice)
