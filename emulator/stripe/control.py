"""The control API under ``/_emulator``: what tests and demos do that Stripe's customers cannot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from emulator.stripe import onboarding
from emulator.stripe.errors import StripeError, no_such
from emulator.stripe.faults import parse_fault
from emulator.stripe.resources import (
    checkout,
    disputes,
    payment_attempts,
    radar,
    setup_intents,
)
from emulator.stripe.resources.account_state import OUTCOMES
from emulator.stripe.settlement import parse
from emulator.stripe.state import dump
from emulator.stripe.store import Obj
from emulator.stripe.webhooks import MODES

if TYPE_CHECKING:
    from emulator.stripe.app import Emulator

Control = Callable[["Emulator", dict[str, str], dict[str, Any]], Awaitable[Obj]]
IDLE_SECONDS = 30


def _choice(body: dict[str, Any], name: str, values: tuple[str, ...], fallback: str | None) -> str:
    value = body.get(name, fallback)
    if value not in values:
        raise StripeError(400, f"{name} must be one of {', '.join(values)}", param=name)
    return str(value)


def _existing(emulator: Emulator, kind: str, id: Any) -> str:
    if not isinstance(id, str) or emulator.world.store.find(kind, id) is None:
        raise no_such(kind, str(id))
    return id


async def onboard(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """Finish onboarding: `{"outcome"?: "complete", "bank_account_number"?}`."""
    outcome = _choice(body, "outcome", OUTCOMES, "complete")
    number = body.get("bank_account_number")
    if number is not None and (not isinstance(number, str) or not number.isdigit()):
        raise StripeError(
            400, "bank_account_number must be a string of digits", param="bank_account_number"
        )
    id = _existing(emulator, "account", ids["id"])
    world = emulator.world
    with world.transaction():
        onboarding.finish(world, id, outcome, number)
    return world.show(world.store.get("account", id))


async def authenticate(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """Finish 3-D Secure of a payment: `{"outcome": "succeeded" | "failed"}`."""
    outcome = _choice(body, "outcome", ("succeeded", "failed"), "succeeded")
    id = _existing(emulator, "payment_intent", ids["id"])
    world = emulator.world
    with world.transaction():
        payment_attempts.authenticate(world, id, outcome)
    return world.show(world.store.get("payment_intent", id))


async def authenticate_setup(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """The same for a setup intent."""
    outcome = _choice(body, "outcome", ("succeeded", "failed"), "succeeded")
    id = _existing(emulator, "setup_intent", ids["id"])
    with emulator.world.transaction():
        setup_intents.authenticate(emulator.world, id, outcome)
    return emulator.world.show(emulator.world.store.get("setup_intent", id))


async def complete_checkout(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """Fill in a checkout page: `{"payment_method"?: "pm_card_visa"}`."""
    id = _existing(emulator, "checkout.session", ids["id"])
    card = str(body.get("payment_method", "pm_card_visa"))
    with emulator.world.transaction():
        checkout.complete(emulator.world, id, card)
    return emulator.world.show(emulator.world.store.get("checkout.session", id))


async def restricted_key(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """A restricted key; ``permissions`` maps resources (``*`` the rest) to none, read or write."""
    permissions = body.get("permissions")
    if not isinstance(permissions, dict) or not set(permissions.values()) <= {
        "none",
        "read",
        "write",
    }:
        raise StripeError(400, "permissions must map resources to none, read or write")
    key = "_".join(("rk", "test", emulator.world.ids.new("", 24).strip("_")))
    with emulator.world.transaction():
        emulator.api.access.restrict(key, {str(k): str(v) for k, v in permissions.items()})
    return {"key": key, "permissions": permissions}


async def read_clock(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """`{"now", "offset_seconds"}`."""
    clock = emulator.world.clock
    return {"now": clock.now(), "offset_seconds": clock.offset_seconds}


async def move_clock(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """Move the time: `{"advance_seconds": N}`; what becomes due runs in order."""
    seconds = body.get("advance_seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise StripeError(400, "advance_seconds must be an integer", param="advance_seconds")
    emulator.advance(seconds)
    return await read_clock(emulator, ids, body)


async def settlement(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """What the platform's charges settle in: `{"currencies": ["usd"]}`, `[]` each in its own."""
    given = body.get("currencies")
    if not isinstance(given, list) or not all(isinstance(code, str) for code in given):
        raise StripeError(400, "currencies must be a list of currency codes", param="currencies")
    try:
        emulator.world.settle_in(parse(",".join(given)))
    except ValueError as exc:
        raise StripeError(400, str(exc), param="currencies") from exc
    return {"currencies": list(emulator.world.settlement)}


async def plant_fault(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """Plant one: `{"method", "path", "mode", "times"?, "status"?, "code"?, "seconds"?}`."""
    emulator.faults.plant(parse_fault(body))
    return {"faults": emulator.faults.listed()}


async def list_faults(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """The faults in force and how many requests are held."""
    return {"faults": emulator.faults.listed(), "held": emulator.held_requests}


async def clear_faults(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """None left."""
    emulator.faults.clear()
    return {"faults": []}


async def release_held(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """Requests held by `hold_…` go on."""
    released = emulator.held_requests
    emulator.gate.set()
    emulator.gate = asyncio.Event()
    return {"released": released}


async def webhook_mode(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """How deliveries behave: `{"mode"}`."""
    emulator.webhooks.set_mode(_choice(body, "mode", MODES, None))
    return {"mode": emulator.webhooks.mode, "held": len(emulator.webhooks.held)}


async def release_webhooks(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """What is held goes out: `{"order"?: [event ids]}`."""
    order = body.get("order")
    if order is not None and not (
        isinstance(order, list) and all(isinstance(i, str) for i in order)
    ):
        raise StripeError(400, "order must be a list of event ids", param="order")
    return {"released": emulator.webhooks.release(order)}


async def redeliver(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """One event once more to every endpoint that listens."""
    id = _existing(emulator, "event", ids["id"])
    with emulator.world.transaction():
        deliveries = emulator.webhooks.redeliver(id)
    return {"deliveries": deliveries}


async def dispute(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """A cardholder disputes, or the bank decides: `{"charge", "reason"?, "outcome"?}`."""
    world = emulator.world
    charge = _existing(emulator, "charge", body.get("charge"))
    outcome = _choice(body, "outcome", ("won", "lost"), None) if body.get("outcome") else None
    with world.transaction():
        found = disputes.latest_open(world, charge)
        if found is None:
            reason = _choice(body, "reason", disputes.REASONS, "fraudulent")
            found = disputes.open_dispute(world, charge, reason, bool(body.get("inquiry")))
        elif outcome is None:
            raise StripeError(400, f"The charge {charge} is disputed already.", param="charge")
        if outcome is not None:
            disputes.decide(world, found["id"], outcome)
    return world.show(world.store.get("dispute", found["id"]))


async def warn(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """An early fraud warning: `{"charge"}`."""
    with emulator.world.transaction():
        warning = radar.warn(emulator.world, _existing(emulator, "charge", body.get("charge")))
    return emulator.world.show(warning)


async def open_review(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """A review is opened: `{"charge"}`."""
    with emulator.world.transaction():
        review = radar.open_review(
            emulator.world, _existing(emulator, "charge", body.get("charge"))
        )
    return emulator.world.show(review)


async def close_review(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """It is closed: `{"reason"?: "approved"}`."""
    reason = _choice(body, "reason", radar.CLOSING_REASONS, "approved")
    id = _existing(emulator, "review", ids["id"])
    with emulator.world.transaction():
        radar.close_review(emulator.world, id, reason)
    return emulator.world.show(emulator.world.store.get("review", id))


async def deauthorize(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """The account's owner ends the connection."""
    id = _existing(emulator, "account", ids["id"])
    with emulator.world.transaction():
        onboarding.deauthorize(emulator.world, id)
    return {"id": id, "deauthorized": True}


async def idle(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """Waits until no delivery and no step of a moment is pending; 504 after ``timeout`` seconds."""
    until = time.monotonic() + float(body.get("timeout", IDLE_SECONDS))
    while emulator.busy():
        left = until - time.monotonic()
        if left <= 0:
            raise StripeError(504, "The emulator is still busy.", type="api_error")
        emulator.webhooks.changed.clear()
        try:
            await asyncio.wait_for(emulator.webhooks.changed.wait(), min(left, 0.05))
        except TimeoutError:
            continue
    return {"idle": True}


async def state(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """One consistent dump of every object, balance, key, event and timer."""
    return dump(emulator.world)


async def reset(emulator: Emulator, ids: dict[str, str], body: dict[str, Any]) -> Obj:
    """Empty again; keys and webhook endpoints stay, and time is real time."""
    emulator.reset()
    return {"reset": True}


CONTROLS: dict[tuple[str, str], Control] = {
    ("POST", "/_emulator/accounts/{id}/onboarding"): onboard,
    ("POST", "/_emulator/accounts/{id}/deauthorize"): deauthorize,
    ("POST", "/_emulator/payment_intents/{id}/authenticate"): authenticate,
    ("POST", "/_emulator/setup_intents/{id}/authenticate"): authenticate_setup,
    ("POST", "/_emulator/checkout/sessions/{id}/complete"): complete_checkout,
    ("POST", "/_emulator/restricted_keys"): restricted_key,
    ("GET", "/_emulator/clock"): read_clock,
    ("POST", "/_emulator/clock"): move_clock,
    ("POST", "/_emulator/settlement"): settlement,
    ("GET", "/_emulator/faults"): list_faults,
    ("POST", "/_emulator/faults"): plant_fault,
    ("DELETE", "/_emulator/faults"): clear_faults,
    ("POST", "/_emulator/faults/release"): release_held,
    ("POST", "/_emulator/webhooks"): webhook_mode,
    ("POST", "/_emulator/webhooks/release"): release_webhooks,
    ("POST", "/_emulator/events/{id}/redeliver"): redeliver,
    ("POST", "/_emulator/disputes"): dispute,
    ("POST", "/_emulator/early_fraud_warnings"): warn,
    ("POST", "/_emulator/reviews"): open_review,
    ("POST", "/_emulator/reviews/{id}/close"): close_review,
    ("GET", "/_emulator/idle"): idle,
    ("GET", "/_emulator/state"): state,
    ("POST", "/_emulator/reset"): reset,
}
