"""A few fixed seeds of the simulation; ``python -m tests.simulation --seeds 1..20`` runs many."""

from __future__ import annotations

import pytest

from tests.simulation.seed import run
from tests.simulation.town import Stack

#: Two that once found something (docs/reliability.md), cut short.
SEEDS, ACTS = (8, 24), 35


@pytest.mark.parametrize("seed", SEEDS)
def test_every_invariant_holds_after_the_trouble_of_a_seed_has_healed(
    town_stack: Stack, seed: int
) -> None:
    verdict = run(town_stack, seed, ACTS)
    assert not verdict.problems, str(verdict)
    assert sum(verdict.faults.values()) > 0, "a seed without trouble shows nothing"
