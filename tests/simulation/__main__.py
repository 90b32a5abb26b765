"""``python -m tests.simulation --seeds 1..20``: many seeds, and a fresh stack after a failure."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emulator.stack.ports import free_base
from tests.simulation.seed import ACTS, Verdict, run, run_deep
from tests.simulation.town import a_stack


def main(argv: Sequence[str]) -> int:
    """Run the seeds; 1 if any broke an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", default="1..5", help="such as 7, 1..20 or 3,5,8")
    parser.add_argument("--acts", type=int, default=ACTS, help="acts in one seed (%(default)s)")
    parser.add_argument(
        "--deep", action="store_true", help="one act after the other, faults at commits and calls"
    )
    parser.add_argument("--port-base", type=int, help="ports of the stack (default: any free)")
    parser.add_argument("--logs", type=Path, help="where the stacks' logs go")
    chosen = parser.parse_args(argv)
    seeds = _seeds(chosen.seeds)
    logs = chosen.logs or Path(tempfile.mkdtemp(prefix="simulation-"))
    verdicts: list[Verdict] = []
    broken: list[int] = []
    while seeds:
        with a_stack(logs / f"from-{seeds[0]}", chosen.port_base or free_base()) as stack:
            while seeds:
                seed = seeds.pop(0)
                try:
                    verdict = (run_deep if chosen.deep else run)(stack, seed, chosen.acts)
                except Exception:
                    print(f"seed {seed} broke off\n{traceback.format_exc()}", flush=True)
                    broken.append(seed)
                    break
                verdicts.append(verdict)
                print(verdict, flush=True)
                if verdict.problems:
                    break  # its damage would spoil the totals of the seeds after it
    _summary(verdicts, broken, logs)
    return 1 if broken or any(one.problems for one in verdicts) else 0


def _seeds(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("..")
        found += range(int(first), int(last or first) + 1)
    return found


def _summary(verdicts: list[Verdict], broken: list[int], logs: Path) -> None:
    acts, faults, answers = Counter[str](), Counter[str](), Counter[str]()
    for one in verdicts:
        acts.update(one.acts)
        faults.update(one.faults)
        answers.update(one.answers)
    failed = [one.seed for one in verdicts if one.problems]
    print(f"\n{len(verdicts)} seeds, {sum(acts.values())} acts, {sum(faults.values())} faults")
    print("acts:", ", ".join(f"{name} {count}" for name, count in acts.most_common()))
    print("faults:", ", ".join(f"{name} {count}" for name, count in faults.most_common()))
    print("answers:", ", ".join(f"{name}: {count}" for name, count in sorted(answers.items())))
    print(f"failing seeds: {failed or 'none'}; broken off: {broken or 'none'}; logs: {logs}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
