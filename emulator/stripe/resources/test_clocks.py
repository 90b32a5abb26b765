"""Test clocks: customers whose subscriptions live in a time of their own."""

from __future__ import annotations

from emulator.stripe.errors import refused
from emulator.stripe.events import emit
from emulator.stripe.params import text, timestamp
from emulator.stripe.resources.common import deleted, listing, retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import HANDLERS, timer
from emulator.stripe.world import World

_KIND = "test_helpers.test_clock"
KINDS = [Kind(_KIND, "clock", noun="test clock")]
KEPT_SECONDS = 30 * 86400


def time_of(world: World, clock_id: str | None) -> float | None:
    """The time a test clock shows; None for what lives in the emulator's own time."""
    return None if clock_id is None else float(world.store.get(_KIND, clock_id)["frozen_time"])


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    clock: Obj = {
        "id": world.ids.new("clock"),
        "object": _KIND,
        "created": world.now,
        "deletes_after": world.now + KEPT_SECONDS,
        "frozen_time": p["frozen_time"],
        "livemode": False,
        "name": p.get("name"),
        "status": "ready",
        "status_details": {},
    }
    world.store.insert(_KIND, clock, call.account, world.now)
    emit(world, f"{_KIND}.created", clock)
    return clock


def advance(call: Call) -> Obj:
    """Begin to move a clock; a moment later it is there and ready again."""
    world, to = call.world, call.params["frozen_time"]
    clock = call.edit(_KIND)
    if clock["status"] != "ready":
        raise refused("The test clock is advancing already.", code="test_clock_under_advancement")
    if to <= clock["frozen_time"]:
        raise refused("A test clock can only move forward.", param="frozen_time")
    clock["status"] = "advancing"
    clock["status_details"] = {"advancing": {"target_frozen_time": to}}
    emit(world, f"{_KIND}.advancing", clock)
    world.timers.soon("test_clock_moves", {"clock": clock["id"], "to": to})
    return clock


@timer("test_clock_moves")
def _moves(world: World, args: Obj) -> None:
    """Run what the clock's customers wait for, in order, each at its own time."""
    id, to = args["clock"], args["to"]
    if world.store.find(_KIND, id) is None:
        return
    while (due := world.timers.first_of(id, to)) is not None:
        world.timers.cancel(due["id"])
        clock = world.store.edit(_KIND, id)
        clock["frozen_time"] = max(clock["frozen_time"], int(due["due"]))
        with world.clock.showing(due["due"]):
            HANDLERS[due["name"]](world, due["args"])
    clock = world.store.edit(_KIND, id)
    clock["frozen_time"] = to
    clock["status"] = "ready"
    clock["status_details"] = {}
    emit(world, f"{_KIND}.ready", clock)


def delete(call: Call) -> Obj:
    """A clock goes with the customers that live on it."""
    world = call.world
    clock = call.own(_KIND)
    for row in list(world.store.tables["_timer"].values()):
        if row.obj["clock"] == clock["id"]:
            world.store.delete("_timer", row.id)
    for kind in ("subscription", "customer"):
        for obj in world.store.matching(kind, call.account, "test_clock", clock["id"]):
            world.store.delete(kind, obj["id"])
    emit(world, f"{_KIND}.deleted", clock)
    world.store.delete(_KIND, clock["id"])
    return deleted(clock)


_PATH = "/v1/test_helpers/test_clocks"
OPERATIONS = [
    Operation("POST", _PATH, create, {"frozen_time": timestamp().needed(), "name": text(300)}),
    listing(_KIND, _PATH, created=False),
    retrieving(_KIND, _PATH + "/{id}"),
    Operation("POST", _PATH + "/{id}/advance", advance, {"frozen_time": timestamp().needed()}),
    Operation("DELETE", _PATH + "/{id}", delete),
]
