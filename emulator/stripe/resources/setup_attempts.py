"""Setup attempts: what each try to set up a card left behind."""

from __future__ import annotations

from emulator.stripe.lists import page
from emulator.stripe.params import LIST, RANGE, text
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

KINDS = [Kind("setup_attempt", "setatt", noun="setup attempt", indexes=("setup_intent",))]


def record_attempt(world: World, intent: Obj, method: Obj, status: str, error: Obj | None) -> None:
    """Keep an attempt and make it the intent's latest."""
    row: Obj = {
        "id": world.ids.new("setatt"),
        "object": "setup_attempt",
        "application": None,
        "created": world.now,
        "customer": intent["customer"],
        "customer_account": None,
        "flow_directions": None,
        "livemode": False,
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_details": {
            "card": {
                "brand": method["card"]["brand"],
                "checks": method["card"]["checks"],
                "country": method["card"]["country"],
                "exp_month": method["card"]["exp_month"],
                "exp_year": method["card"]["exp_year"],
                "fingerprint": method["card"]["fingerprint"],
                "funding": method["card"]["funding"],
                "last4": method["card"]["last4"],
                "network": method["card"]["brand"],
                "three_d_secure": None,
                "wallet": None,
            },
            "type": "card",
        },
        "setup_error": error,
        "setup_intent": intent["id"],
        "status": status,
        "usage": intent["usage"],
    }
    account = world.store.rows[intent["id"]].account
    world.store.insert("setup_attempt", row, account, world.now)
    intent["latest_attempt"] = row["id"]


def _list(call: Call) -> Obj:
    filters = {"setup_intent": call.params["setup_intent"]}
    return page(call.world.store, "setup_attempt", call.account, call.params, filters, call.path)


OPERATIONS = [
    Operation(
        "GET",
        "/v1/setup_attempts",
        _list,
        {**LIST, "created": RANGE, "setup_intent": text().needed()},
    ),
]
