"""Seeds that once found something, and for about forty seconds seeds that nobody has played yet.

``python -m tests.simulation --seeds 1..20`` plays many, ``--deep`` one act after the other with a
fault at a commit or a call of each. What fails prints its seed and its whole story.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.stack.ports import free_base
from tests.simulation.seed import Verdict, run, run_deep
from tests.simulation.town import Stack, a_stack

#: Seed, its acts, and what it found (docs/reliability.md). Whatever fails is added here.
FAILED = (
    (8, 35, "an instant payout that came back was booked as returned in full"),
    (24, 35, "maintenance reported a payout that could not leave as started, at each run"),
)
#: Seconds of real time for fresh seeds, and acts in one of them.
BUDGET_SECONDS, FRESH_ACTS = 40, 40


@pytest.mark.parametrize(("seed", "acts"), [(seed, acts) for seed, acts, _ in FAILED])
def test_a_seed_that_once_failed_holds_every_invariant(
    town_stack: Stack, seed: int, acts: int
) -> None:
    _judge(run(town_stack, seed, acts))


@pytest.mark.timeout(240)
def test_seeds_that_nobody_has_played_hold_every_invariant(town_stack: Stack) -> None:
    until = time.monotonic() + BUDGET_SECONDS
    for seed, play in zip(_fresh(), _alternating(), strict=False):
        _judge(play(town_stack, seed, FRESH_ACTS))
        if time.monotonic() > until:
            return


def test_a_deep_seed_tells_the_same_story_each_time(tmp_path: Path) -> None:
    stories = []
    for number in range(2):
        with a_stack(tmp_path / str(number), free_base()) as stack:
            verdict = run_deep(stack, 2003, 15)
            _judge(verdict)
            stories.append(list(_story(verdict)))
    assert stories[0] == stories[1]


def _judge(verdict: Verdict) -> None:
    assert not verdict.problems, str(verdict)


def _fresh() -> Iterator[int]:
    first = int(time.time())
    while True:
        yield first
        first += 1


def _alternating() -> Iterator[Callable[[Stack, int, int], Verdict]]:
    while True:
        yield run_deep
        yield run


_ID = re.compile(
    r"\b(booking|payout|refund|dispute|evt|po|re|ch|pi|dp|prv|issfr|acct|sub)[-_]\w{8,}"
)


def _story(verdict: Verdict) -> Iterator[str]:
    """The log with ids by their first appearance, and without the instants of this run."""
    names: dict[str, str] = {}
    for line in verdict.log:
        told = re.sub(r"s\d+x[0-9a-f]{6}", "town", line)
        told = re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+", "then", told)
        yield _ID.sub(lambda id_: names.setdefault(id_[0], f"{id_[1]}#{len(names)}"), told)
