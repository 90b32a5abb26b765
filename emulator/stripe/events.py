"""Events: a snapshot of an object when something happened to it, and whom to tell."""

from __future__ import annotations

import json
from typing import Any

from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import API_VERSION, World

EVENT = Kind(
    "event",
    "evt",
    indexes=("type",),
    verbatim={"data": lambda event: json.loads(event["_data"])},
)
DELIVERY = Kind("_delivery", "whd", listed=False)


def emit(
    world: World,
    type: str,
    obj: Obj,
    account: str | None = None,
    previous: Obj | None = None,
) -> Obj:
    """
    Record an event and a delivery for each endpoint that listens; returns the event.

    Args:
        obj: The object the event is about, as it now is.
        account: Whose event it is; by default the account that owns the object.
        previous: ``previous_attributes`` where the default (what changed since the last event of
            this transaction, for ``*.updated``) is not what Stripe sends.
    """
    shown = world.show(obj)
    owner = account or world.store.rows[obj["id"]].account
    id = obj.get("id", "")  # a balance has none
    data: Obj = {"object": shown}
    if type.endswith(".updated"):
        data["previous_attributes"] = (
            previous if previous is not None else _changes(world, obj, shown)
        )
    world.last_shown[id] = shown
    event: Obj = {
        "id": world.ids.new("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": world.now,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {
            "id": world.origin.request_id,
            "idempotency_key": world.origin.idempotency_key,
        },
        "type": type,
        "_data": json.dumps(data),
        "_failed": 0,
    }
    if owner != world.platform:
        event["account"] = owner
    listeners = [
        endpoint for endpoint in world.store.all("webhook_endpoint") if listens(endpoint, event)
    ]
    event["pending_webhooks"] = len(listeners)
    world.store.insert("event", event, owner, world.now)
    for endpoint in listeners:
        plan_delivery(world, event["id"], endpoint["id"])
    return event


def remember(world: World, obj: Obj) -> None:
    """Note how an object looks now where what it includes is about to change with it."""
    world.last_shown.setdefault(obj["id"], world.show(obj))


def show_anew(world: World, event: Obj, obj: Obj) -> None:
    """Let an event of this transaction show its object as it is now, at the transaction's end."""
    event["_data"] = json.dumps({"object": world.show(obj)})


def plan_delivery(world: World, event_id: str, endpoint_id: str) -> None:
    """Record that an event is to be sent to an endpoint; it goes out after the commit."""
    delivery: Obj = {
        "id": world.ids.new("whd", 12),
        "event": event_id,
        "endpoint": endpoint_id,
        "attempt": 0,
        "state": "queued",
    }
    world.store.insert("_delivery", delivery, "")
    world.outbox.append(delivery["id"])


def listens(endpoint: Obj, event: Obj) -> bool:
    """Platform endpoints get the platform's own events, Connect endpoints those with an account."""
    return (
        endpoint["status"] == "enabled"
        and endpoint["_connect"] == ("account" in event)
        and ("*" in endpoint["enabled_events"] or event["type"] in endpoint["enabled_events"])
    )


def _changes(world: World, obj: Obj, shown: Obj) -> Obj:
    before = world.last_shown.get(obj["id"])
    if before is None:
        original = world.store.before(obj["id"])
        before = world.show(original) if original is not None else shown
    return difference(before, shown)


def difference(before: Obj, after: Obj) -> Obj:
    """The old values of what changed; hashes member by member, lists whole."""
    changed: Obj = {}
    for key in {**before, **after}:
        old: Any = before.get(key)
        new: Any = after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and key != "next_action":
            changed[key] = difference(old, new)
        else:
            changed[key] = old
    return changed
