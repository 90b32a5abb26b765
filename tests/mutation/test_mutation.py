"""What `make mutation` mutates, and that the page tells of it as the code stands."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.mutation.mutants import mutants_of
from tests.mutation.page import excused, listed
from tests.mutation.targets import MODULES, ROOT, Target

SOURCE = '''"""A docstring says nothing at run time."""
from enum import StrEnum
from typing import Final

LEAST: Final = 50
TABLE = {"a": {1, 2}}
Names = tuple[str, ...]


class Money:
    """Nor does this one."""

    @property
    def left(self) -> int:
        return max(0, self.paid - self.refunded)

    def take(self, amount: int) -> int:
        if self.held:
            return amount
        assert amount >= 0, "told to developers"
        return 0
'''


def changes(source: str) -> set[tuple[str, str]]:
    return {(mutant.was, mutant.becomes) for mutant in mutants_of(source)}


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("LEAST: Final = 50", "LEAST: Final = 51"),
        ('TABLE = {"a": {1, 2}}', "TABLE = {}"),
        ('TABLE = {"a": {1, 2}}', 'TABLE = {"a": {2}}'),
        (
            "return max(0, self.paid - self.refunded)",
            "return min(0, self.paid - self.refunded)",
        ),
        (
            "return max(0, self.paid - self.refunded)",
            "return max(0, self.paid + self.refunded)",
        ),
        ("if self.held:", "if (not self.held):"),
        ('assert amount >= 0, "told to developers"', 'assert amount > 0, "told to developers"'),
    ],
)
def test_tables_properties_and_conditions_are_mutated(was: str, becomes: str) -> None:
    assert (was, becomes) in changes(SOURCE)


def test_what_says_nothing_at_run_time_is_left_alone() -> None:
    touched = " ".join(was for was, _ in changes(SOURCE))
    for silent in ("docstring", "Nor does", "import", "Names", "@property", "class"):
        assert silent not in touched
    assert not [one for _, one in changes(SOURCE) if "TOLD" in one or "XXtold" in one]


def test_every_mutant_is_another_text_than_the_module_and_than_each_other() -> None:
    source = Target("common/bookings/status.py").source
    texts = [mutant.source for mutant in mutants_of(source)]
    assert len({*texts, source}) == len(texts) + 1 > 50


@pytest.mark.parametrize("path", MODULES)
def test_every_module_under_mutation_has_tests_at_its_mirrored_path(path: str) -> None:
    assert (ROOT / path).is_file()
    assert Target(path).tests


def test_the_page_has_a_row_for_each_module() -> None:
    assert listed() == list(MODULES)


@pytest.mark.parametrize("path", sorted({one.path for one in excused()}))
def test_each_survivor_on_the_page_is_a_mutant_of_the_code_as_it_stands(path: str) -> None:
    possible = changes(Target(path).source)
    told = [one for one in excused() if one.path == path]
    assert [one.entry for one in told if (one.was, one.becomes) not in possible] == []


def test_the_smallest_module_keeps_its_whole_score() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", "ledger/accounts"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100.0 %" in done.stdout
