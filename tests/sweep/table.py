"""The sweep's table, action x call x fault -> healed by, as the full sweep writes it to docs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
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


Cells = dict[tuple[str, str], list[str]]


def calls_kept() -> dict[str, list[str]]:
    """Action -> its calls in order, as the page has them."""
    kept: dict[str, list[str]] = defaultdict(list)
    for action, call in _kept():
        kept[action].append(call.partition(" ")[2])
    return kept


def write(rows: Iterable[Row], actions: Sequence[str]) -> None:
    """The page with these runs; what was not run this time stays as it was.

    Args:
        actions: Those there are, in the page's order.
    """
    struck: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        struck[row.action, f"{row.at + 1} {row.call}"][row.mode].add(_LETTERS[row.healed_by])
    anew = {action for action, _ in struck}
    cells = {at: shown for at, shown in _kept().items() if at[0] not in anew}
    for at, healed in struck.items():
        cells[at] = [" ".join(sorted(healed[mode], key="SRM".index)) or "–" for mode in COLUMNS]
    lines = [
        f"| action | call | {' | '.join(COLUMNS)} |",
        f"| --- | --- |{' --- |' * len(COLUMNS)}",
    ]
    for action in actions:
        lines += [
            f"| {action} | {call} | {' | '.join(shown)} |"
            for (one, call), shown in cells.items()
            if one == action
        ]
    runs = len(HEALERS) * sum(cell != "–" for shown in cells.values() for cell in shown)
    total = f"{runs} runs; each was healed, and the books were right after all of them.\n\n"
    PAGE.write_text(_HEAD + total + "\n".join(lines) + "\n", encoding="utf-8")


def _kept() -> Cells:
    """(action, call) -> the row's cells, as the page has them."""
    kept: Cells = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == len(COLUMNS) + 2 and cells[1][:1].isdigit():
            kept[cells[0], cells[1]] = cells[2:]
    return kept
