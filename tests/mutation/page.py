"""The survivors that docs/mutation.md lists with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tests.mutation.mutants import Mutant
from tests.mutation.targets import ROOT

PAGE = ROOT / "docs" / "mutation.md"
_MODULE = re.compile(r"### `(?P<path>common/\S+\.py)`")
_SURVIVOR = re.compile(r"- `(?P<was>.+)` → `(?P<becomes>.*)`: .+")
_ROW = re.compile(r"\| `(?P<path>common/\S+\.py)` \| \d+ \| \d+ \| [\d.]+ % \|")


@dataclass(frozen=True, slots=True, order=True)
class Survivor:
    """A mutant that no test notices, by its module and the lines that differ."""

    path: str
    was: str
    becomes: str

    @classmethod
    def of(cls, path: str, mutant: Mutant) -> Survivor:
        """The survivor that a mutant would be."""
        return cls(path, mutant.was, mutant.becomes)

    @property
    def entry(self) -> str:
        """How the page writes it."""
        return f"`{self.was}` → `{self.becomes}`"


@cache
def excused() -> frozenset[Survivor]:
    """All that the page lists, each under its module's heading."""
    found: set[Survivor] = set()
    path = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := _MODULE.fullmatch(line):
            path = heading["path"]
        elif path and (entry := _SURVIVOR.match(line)):
            found.add(Survivor(path, entry["was"], entry["becomes"]))
    return frozenset(found)


def listed() -> list[str]:
    """The modules of the page's table, in its order."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [row["path"] for line in lines if (row := _ROW.fullmatch(line))]
