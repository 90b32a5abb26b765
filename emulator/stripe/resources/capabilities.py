"""Capabilities of an account, one by one."""

from __future__ import annotations

from emulator.stripe.errors import no_such
from emulator.stripe.lists import whole
from emulator.stripe.params import boolean
from emulator.stripe.resources import account_state as state
from emulator.stripe.resources.accounts import reachable
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj

KINDS = [Kind("capability", "cap", listed=False)]


def _capabilities(call: Call) -> Obj:
    account = reachable(call, call.ids["id"])
    held = [state.capability_object(call.world, account, name) for name in account["capabilities"]]
    return whole(held, call.path)


def _capability(call: Call) -> Obj:
    account = reachable(call, call.ids["id"])
    if call.ids["capability"] not in state.CAPABILITIES:
        raise no_such("capability", call.ids["capability"], param="capability")
    return state.capability_object(call.world, account, call.ids["capability"])


def _update_capability(call: Call) -> Obj:
    _capability(call)
    account = call.world.store.edit("account", call.ids["id"])
    before = call.world.store.before(account["id"])
    assert before is not None
    name = call.ids["capability"]
    if "requested" in call.params:
        state.request_capability(call.world, account, name, call.params["requested"])
        state.announce(call.world, account, before)
    return state.capability_object(call.world, account, name)


OPERATIONS = [
    Operation("GET", "/v1/accounts/{id}/capabilities", _capabilities),
    Operation("GET", "/v1/accounts/{id}/capabilities/{capability}", _capability),
    Operation(
        "POST",
        "/v1/accounts/{id}/capabilities/{capability}",
        _update_capability,
        {"requested": boolean()},
    ),
]
