"""After the trouble, the normal means: clients repeat, deliveries go out, maintenance runs."""

from __future__ import annotations

import time

from tests.simulation.town import Town
from tests.simulation.trouble import FUNCTIONS, Trouble
from tests.simulation.wire import Request, Wire

#: How far time moves between two maintenance runs, seconds: leases end, failures that Stripe
#: repeats are given up, funds become available, payouts arrive.
_STEPS = (20 * 60, 2 * 3600, 3 * 86_400, 3 * 86_400, 3 * 86_400)
_REPEATS = 3
_RESTART_SECONDS = 20


def heal(town: Town, wire: Wire, trouble: Trouble) -> list[str]:
    """Do what clients, Stripe and the scheduler do anyway; returns what did not heal by it."""
    wire.say("-- healing")
    trouble.calm()
    _await_functions(town)
    problems = _repeat(town, wire)
    wire.send(Request("operator", "payout-manager", "RESUME_PAYOUTS", {"reason": "over"}, None))
    for step in _STEPS:
        town.stack.control.advance(step)
        problems = _maintain(town, wire) or _repeat(town, wire)
    return problems + _repeat_all(wire)


def _await_functions(town: Town) -> None:
    """Who was killed is started again; that takes seconds of real time, not of the stack's."""
    until = time.monotonic() + _RESTART_SECONDS
    for name in FUNCTIONS:
        while time.monotonic() < until:
            asked = town.stack.api.as_operator().post(name, "NONE")
            if asked.status != 503:
                break
            time.sleep(0.1)


def _repeat(town: Town, wire: Wire) -> list[str]:
    """Every request without a final answer is sent again with its key, a few times."""
    for attempt in range(_REPEATS):
        waiting = wire.open()
        if not waiting:
            return []
        for request in waiting:
            wire.send(request)
        if wire.open():
            town.stack.control.advance(6)  # the lease of whoever died with it ends
            time.sleep(0.3 * attempt)  # a process that was killed needs a moment of real time
    return [f"I15 {one} never got a final answer" for one in wire.open()]


def _maintain(town: Town, wire: Wire) -> list[str]:
    """Maintenance runs until it finds nothing more to do."""
    counts: dict[str, object] = {}
    for _ in range(4):
        request = Request("operator", "booking-processor", "RUN_MAINTENANCE", {}, None)
        told = wire.send(request)
        town.stack.control.idle()
        if told is None:
            continue
        counts = told.ok()
        if not any(counts.values()):
            return []
    return [f"I15 maintenance does not come to rest: {counts}"]


def _repeat_all(wire: Wire) -> list[str]:
    """A late repeat of what was answered is answered alike (the wire compares)."""
    for request in wire.requests[-8:]:
        if request.key is not None and request.answer is not None:
            wire.send(request)
    return []
