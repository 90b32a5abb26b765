"""Early fraud warnings and reviews."""

from __future__ import annotations

from emulator.stripe.errors import refused
from emulator.stripe.events import emit
from emulator.stripe.params import text
from emulator.stripe.resources.common import listing, retrieving
from emulator.stripe.resources.refunds import refunded_hooks
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

KINDS = [
    Kind(
        "radar.early_fraud_warning",
        "issfr",
        noun="early fraud warning",
        indexes=("charge", "payment_intent"),
    ),
    Kind("review", "prv", terms=lambda review: [("open", True)] if review["open"] else []),
]

CLOSING_REASONS = ("approved", "refunded", "refunded_as_fraud", "disputed", "canceled")


def warn(world: World, charge_id: str) -> Obj:
    """The card's issuer believes that a charge is fraudulent."""
    charge = world.store.find("charge", charge_id)
    if charge is None or charge["status"] != "succeeded":
        raise refused(
            f"The charge {charge_id} is not one that can be warned about.", param="charge"
        )
    warning: Obj = {
        "id": world.ids.new("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": not charge["refunded"] and not charge["disputed"],
        "charge": charge_id,
        "created": world.now,
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
    account = world.store.rows[charge_id].account
    world.store.insert("radar.early_fraud_warning", warning, account, world.now)
    emit(world, "radar.early_fraud_warning.created", warning)
    return warning


def open_review(world: World, charge_id: str) -> Obj:
    """Radar holds a payment for a person to look at; the payment itself is not stopped."""
    charge = world.store.find("charge", charge_id)
    if charge is None or charge["status"] != "succeeded":
        raise refused(f"The charge {charge_id} is not one that can be reviewed.", param="charge")
    if charge["review"] is not None and world.store.get("review", charge["review"])["open"]:
        raise refused(f"The charge {charge_id} is under review already.", param="charge")
    review: Obj = {
        "id": world.ids.new("prv"),
        "object": "review",
        "billing_zip": None,
        "charge": charge_id,
        "closed_reason": None,
        "created": world.now,
        "ip_address": None,
        "ip_address_location": None,
        "livemode": False,
        "open": True,
        "opened_reason": "rule",
        "payment_intent": charge["payment_intent"],
        "reason": "rule",
        "session": None,
    }
    account = world.store.rows[charge_id].account
    world.store.insert("review", review, account, world.now)
    world.store.edit("charge", charge_id)["review"] = review["id"]
    if charge["payment_intent"]:
        world.store.edit("payment_intent", charge["payment_intent"])["review"] = review["id"]
    emit(world, "review.opened", review)
    return review


def close_review(world: World, review_id: str, reason: str) -> Obj:
    """A review ends; the reason is one of ``CLOSING_REASONS``."""
    review = world.store.edit("review", review_id)
    if not review["open"]:
        raise refused(f"The review {review_id} is closed already.")
    review["open"] = False
    review["reason"] = review["closed_reason"] = reason
    charge = world.store.edit("charge", review["charge"])
    charge["review"] = None
    if review["payment_intent"]:
        world.store.edit("payment_intent", review["payment_intent"])["review"] = None
    emit(world, "review.closed", review)
    return review


def after_refund(world: World, charge: Obj) -> None:
    """A refund in full closes the review and leaves nothing to act upon."""
    if not charge["refunded"]:
        return
    if charge["review"] is not None:
        close_review(world, charge["review"], "refunded")
    no_longer_actionable(world, charge)


def no_longer_actionable(world: World, charge: Obj) -> None:
    account = world.store.rows[charge["id"]].account
    kind = "radar.early_fraud_warning"
    for warning in world.store.matching(kind, account, "charge", charge["id"]):
        if warning["actionable"]:
            edited = world.store.edit(kind, warning["id"])
            edited["actionable"] = False
            emit(world, "radar.early_fraud_warning.updated", edited)


refunded_hooks.append(after_refund)


@timer("warn_of_fraud")
def _warns(world: World, args: Obj) -> None:
    warn(world, args["charge"])


@timer("open_review")
def _reviews(world: World, args: Obj) -> None:
    open_review(world, args["charge"])


def _approve(call: Call) -> Obj:
    return close_review(call.world, call.own("review")["id"], "approved")


_WARNINGS = "/v1/radar/early_fraud_warnings"
OPERATIONS = [
    listing("radar.early_fraud_warning", _WARNINGS, charge=text(), payment_intent=text()),
    retrieving("radar.early_fraud_warning", _WARNINGS + "/{id}"),
    listing("review", "/v1/reviews"),
    retrieving("review", "/v1/reviews/{id}"),
    Operation("POST", "/v1/reviews/{id}/approve", _approve),
]
