"""Every changing action survives the loss of any of its external calls, whoever heals it.

The full sweep (every action, call, fault and healer) is ``make sweep``, which keeps its table in
docs/crash-sweep.md; ``make sweep ARGS='-k "DECLINE or books"'`` renews some rows. Here each action
meets some faults, at calls that differ from action to action.
"""

from __future__ import annotations

import pytest

from common.bootstrap import build
from common.reconciliation.gathering import gather
from common.reconciliation.program import judge
from tests.sweep import table
from tests.sweep.actions import SCENES
from tests.sweep.sweeping import Row, Sweep, every

#: Runs of one action in the short sweep.
CHOSEN = 3
_rows: list[Row] = []


@pytest.mark.parametrize("name", SCENES)
def test_an_action_survives_any_lost_call(sweep: Sweep, name: str, full_sweep: bool) -> None:
    calls = sweep.calls_of(name)
    runs = list(every(calls))
    if not full_sweep:
        assert calls == table.calls_kept()[name], "run: make sweep"
        first = list(SCENES).index(name) * 7 % len(runs)
        runs = (runs[first:] + runs[:first])[:: max(1, -(-len(runs) // CHOSEN))]
    _rows.extend(sweep.run(name, at, mode, healer) for at, mode, healer in runs)


def test_the_books_are_right_after_all_of_it(sweep: Sweep, full_sweep: bool) -> None:
    sweep.market.control.idle()
    assert judge(gather(build(sweep.settings))) == []
    if full_sweep:
        table.write(_rows, list(SCENES))
