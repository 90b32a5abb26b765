"""Small things that several resources declare alike."""

from __future__ import annotations

from emulator.stripe.lists import page
from emulator.stripe.params import LIST, RANGE, Param, Params
from emulator.stripe.routes import Call, Handler, Operation
from emulator.stripe.store import Obj


def listing(
    kind: str, path: str, note: str = "", created: bool = True, **filters: Param
) -> Operation:
    """A list operation whose filters are indexes of the same name (``_name`` for private ones)."""
    params: Params = {**LIST, **({"created": RANGE} if created else {}), **filters}

    def run(call: Call) -> Obj:
        known = call.world.store.kinds[kind].indexes
        chosen = {
            (name if name in known else f"_{name}"): call.params[name]
            for name in filters
            if name in call.params
        }
        return page(call.world.store, kind, call.account, call.params, chosen, path)

    return Operation("GET", path, run, params, note=note)


def retrieving(kind: str, path: str) -> Operation:
    """Retrieve one object by the id in the path."""
    return Operation("GET", path, lambda call: call.own(kind))


def deleted(obj: Obj) -> Obj:
    """What Stripe answers after a deletion."""
    return {"id": obj["id"], "object": obj["object"], "deleted": True}


__all__ = ["Handler", "deleted", "listing", "retrieving"]
