"""``/v1/events``: what happened, newest first."""

from __future__ import annotations

from emulator.stripe.errors import parameter_error
from emulator.stripe.events import DELIVERY, EVENT
from emulator.stripe.lists import merged, page
from emulator.stripe.params import LIST, RANGE, boolean, many, text
from emulator.stripe.resources.common import retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Obj

KINDS = [EVENT, DELIVERY]


def _list(call: Call) -> Obj:
    p = call.params
    if "type" in p and "types" in p:
        raise parameter_error("You may only specify one of these parameters: type, types.", "types")
    store = call.world.store
    exact = p.get("type")
    wildcard = exact is not None and "*" in exact
    wanted = set(p["types"]) if "types" in p else None
    prefix = exact.replace("*", "") if wildcard and exact is not None else None
    success = p.get("delivery_success")
    rows = None
    if wanted is not None:
        keys = [("type", name) for name in sorted(wanted)]
        rows = merged(store, "event", call.account, keys, p, success is not None)

    def keep(event: Obj) -> bool:
        if prefix is not None and not event["type"].startswith(prefix):
            return False
        delivered = event["pending_webhooks"] == 0
        return success is None or delivered == success

    filters = {"type": exact} if exact is not None and not wildcard else {}
    return page(store, "event", call.account, p, filters, call.path, keep, rows)


OPERATIONS = [
    Operation(
        "GET",
        "/v1/events",
        _list,
        {
            **LIST,
            "created": RANGE,
            "type": text(),
            "types": many(text(), 20),
            "delivery_success": boolean(),
        },
    ),
    retrieving("event", "/v1/events/{id}"),
]
