"""``python -m tests.mutation``: mutate the modules of money and statuses, and list who survives."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.page import Survivor, excused
from tests.mutation.targets import MODULES, Target
from tests.mutation.trial import Baseline, Bench, Verdict, prepare

#: Of a hundred mutants, so many must be noticed, in every module.
LEAST = 90


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one module's mutants; those that cannot be imported are not counted."""

    path: str
    mutants: int
    survivors: tuple[Mutant, ...]

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return self.mutants - len(self.survivors)

    @property
    def percent(self) -> float:
        """Of a hundred mutants."""
        return 100 * self.killed / self.mutants

    def __str__(self) -> str:
        return f"| `{self.path}` | {self.mutants} | {self.killed} | {self.percent:.1f} % |"


def main(argv: Sequence[str]) -> int:
    """1 where a module's score is too low, or a survivor has no reason on the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="words of their paths (default: all)")
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args(argv)
    paths = [
        path for path in MODULES if not chosen.modules or any(one in path for one in chosen.modules)
    ]
    if not paths:
        parser.error(f"no module's path has {' or '.join(chosen.modules)}")
    started = time.monotonic()
    graph = prepare()
    scores = []
    for path in paths:
        try:
            scores.append(_score(Target(path), Bench(Target(path), graph), chosen.workers))
        except Baseline as problem:
            print(problem, file=sys.stderr)
            return 2
    mutants, killed = sum(one.mutants for one in scores), sum(one.killed for one in scores)
    print("\n| module | mutants | killed | score |\n| --- | --- | --- | --- |")
    print(*scores, sep="\n")
    print(f"| all | {mutants} | {killed} | {100 * killed / mutants:.1f} % |")
    print(f"\n{(time.monotonic() - started) / 60:.0f} minutes")
    complaints = _complaints(scores)
    print(*complaints, sep="\n")
    return 1 if complaints else 0


def _score(target: Target, bench: Bench, workers: int) -> Score:
    mutants = mutants_of(target.source)
    verdicts = bench.try_all([mutant.source for mutant in mutants], workers)
    counted = [verdict for verdict in verdicts if verdict is not Verdict.BROKEN]
    survivors = tuple(
        mutant
        for mutant, verdict in zip(mutants, verdicts, strict=True)
        if verdict is Verdict.SURVIVED
    )
    score = Score(target.path, len(counted), survivors)
    endless = sum(verdict is Verdict.ENDLESS for verdict in counted)
    print(score, f"{endless} of them endless" if endless else "", flush=True)
    for one in score.survivors:
        survivor = Survivor.of(target.path, one)
        known = "on the page" if survivor in excused() else "NOT ON THE PAGE"
        print(f"  line {one.line}, {known}: {survivor.entry}", flush=True)
    return score


def _complaints(scores: Sequence[Score]) -> list[str]:
    found = [f"{one.path} is below {LEAST} %" for one in scores if one.percent < LEAST]
    survived = {Survivor.of(one.path, mutant) for one in scores for mutant in one.survivors}
    if unknown := len(survived - excused()):
        found.append(f"{unknown} survivors have no reason on the page")
    tried = {one.path for one in scores}
    dead = [one for one in sorted(excused() - survived) if one.path in tried]
    found += [f"killed now, take it off the page: {one.path}: {one.entry}" for one in dead]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
