"""The sweep's table, action x call x fault -> healed by, as the full sweep writes it to docs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tests.sweep.faults import COMMIT_MODES, MODES, STRIPE_MODES
from tests.sweep.sweeping import BY_ITSELF, HEALERS, Row

PAGE = Path(__file__).parents[2] / "docs" / "crash-sweep.md"
COLUMNS = (*MODES, *COMMIT_MODES, *STRIPE_MODES)
_LETTERS = dict(zip((*HEALERS, BY_ITSELF), "RMS", strict=True))
_HEAD = """# The crash sweep

Every changing action, and every kind of event whose handler writes, is run once for each of its
external calls, each fault and each healer; afterwards what the action promises must hold, once,
and the judge of the books must find nothing. `make sweep` does it and writes this page; `make test`
does a choice of it and checks that the calls below are those that the code makes.

| fault | what happens |
| --- | --- |
| crash before, after | the process dies before the call has its effect, or right after |
| lost before, after | no answer; the effect did not, or did, happen |
| contended | a commit meets somebody else's write |
| 500 before, after | Stripe answers with a failure of its own, and keeps it under the key |

**R**: healed by the same request (of the client, or Stripe's next delivery). **M**: healed by
RUN_MAINTENANCE, after which the same request gives the answer. **S**: the action itself went on.

"""


def calls_kept() -> dict[str, list[str]]:
    """Action -> its calls in order, as the page has them."""
    kept: dict[str, list[str]] = defaultdict(list)
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == len(COLUMNS) + 2 and cells[1][:1].isdigit():
            kept[cells[0]].append(cells[1].partition(" ")[2])
    return kept


def write(rows: Iterable[Row]) -> None:
    """The page anew."""
    cells: dict[tuple[str, int, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    count = 0
    for row in rows:
        count += 1
        cells[row.action, row.at, row.call][row.mode].add(_LETTERS[row.healed_by])
    lines = [
        f"| action | call | {' | '.join(COLUMNS)} |",
        f"| --- | --- |{' --- |' * len(COLUMNS)}",
    ]
    for (action, at, call), healed in cells.items():
        shown = (" ".join(sorted(healed[mode], key="SRM".index)) or "–" for mode in COLUMNS)
        lines.append(f"| {action} | {at + 1} {call} | {' | '.join(shown)} |")
    total = f"{count} runs; each was healed, and the books were right after all of them.\n\n"
    PAGE.write_text(_HEAD + total + "\n".join(lines) + "\n", encoding="utf-8")
