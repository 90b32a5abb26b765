"""A stack of the simulation's own: it moves the clock by weeks and kills processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.stack.ports import free_base
from tests.simulation.town import Stack, a_stack


@pytest.fixture(scope="package")
def town_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One fresh stack for the seeds and for the checker's own tests."""
    with a_stack(tmp_path_factory.mktemp("simulation"), free_base()) as stack:
        yield stack
