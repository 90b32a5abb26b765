"""One seed: a town, some dozens of acts among trouble, the healing, and the verdict."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.simulation import checker
from tests.simulation.acts import Act, Acts
from tests.simulation.evidence import Evidence, gather
from tests.simulation.healing import heal
from tests.simulation.inside import Inside, inside
from tests.simulation.recurring import Recurring
from tests.simulation.story import story
from tests.simulation.town import Stack, settle
from tests.simulation.trouble import Trouble
from tests.simulation.wire import Wire

ACTS = 60
#: Seconds by which time moves between two rounds of acts, and how often.
_MOVES = (0, 5, 40, 61, 20 * 60, 3600, 3 * 3600, 26 * 3600, 3 * 86_400)
_MOVE_WEIGHTS = (40, 8, 4, 4, 8, 12, 8, 3, 1)
#: Between two looks at the books while things are still in flight.
_ACTS_BETWEEN_LOOKS = 20


@dataclass
class Verdict:
    """What a seed came to; ``problems`` is empty where every invariant held."""

    seed: int
    acts: Counter[str]
    faults: Counter[str]
    problems: list[str]
    log: list[str]
    seconds: float
    evidence: Evidence | None = None
    answers: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        head = f"seed {self.seed}: {sum(self.acts.values())} acts, {self.seconds:.1f} s"
        if not self.problems:
            return f"{head}, every invariant holds"
        told = story(self.evidence, self.problems) if self.evidence else ()
        lines = [f"{head}, {len(self.problems)} VIOLATIONS", *self.problems]
        return "\n".join([*lines, "-- log", *self.log, "-- documents", *told])


def run(stack: Stack, seed: int, acts: int = ACTS) -> Verdict:
    """Play one seed on a stack and judge it. The stack is left healed, if it can be.

    Four acts may run at once, over HTTP, while processes die: the races and the real deaths.
    """
    return _play(stack, seed, acts, None)


def run_deep(stack: Stack, seed: int, acts: int = ACTS) -> Verdict:
    """The same with one act after the other, each in this process and with a fault at one of its
    commits and calls: every point, and the same story each time a seed is played."""
    with inside(stack) as here:
        return _play(stack, seed, acts, here)


def _play(stack: Stack, seed: int, acts: int, here: Inside | None) -> Verdict:
    begun = time.monotonic()
    town = settle(stack, seed, f"s{seed}x{uuid.uuid4().hex[:6]}")
    wire, trouble = Wire(stack, here), Trouble(stack, deadly=here is None)
    planner, done = Acts(town, wire, trouble), Counter[str]()
    recurring = Recurring(town, wire, trouble, seed)
    problems: list[str] = []
    earlier: Mapping[str, Any] = {}
    with ThreadPoolExecutor(4) as pool:
        since = 0
        while sum(done.values()) < acts:
            size = town.random.choice((1, 1, 2, 3, 4)) if here is None else 1
            since += _round(planner, recurring, size, pool, done)
            if here is not None:
                stack.control.idle()
            move = town.random.choices(_MOVES, _MOVE_WEIGHTS)[0]
            if move:
                wire.say(f"-- {move} s pass")
                stack.control.advance(move)
            if since >= _ACTS_BETWEEN_LOOKS:
                since = 0
                seen = gather(stack.db, None)
                problems += checker.always(seen, earlier)
                earlier = checker.remembered(seen)
    problems += heal(town, wire, trouble)
    evidence = gather(stack.db, stack.control.state())
    problems += checker.always(evidence, earlier) + checker.at_rest(evidence) + wire.problems
    answers = Counter(
        f"{one.action} {one.answer.status if one.answer else 'none'}" for one in wire.requests
    )
    unique = list(dict.fromkeys(problems))
    seconds = time.monotonic() - begun
    faults = trouble.counts + wire.struck
    return Verdict(seed, done, faults, unique, wire.log, seconds, evidence, answers)


def _round(
    planner: Acts, recurring: Recurring, size: int, pool: ThreadPoolExecutor, done: Counter[str]
) -> int:
    planner.town.look()
    planned: list[tuple[str, Act]] = []
    for _ in range(size):
        one = recurring.plan() if recurring.due() else planner.plan()
        if one is not None:
            planned.append(one)
    for result in [pool.submit(act) for _, act in planned]:
        result.result()
    done.update(name for name, _ in planned)
    return len(planned)
