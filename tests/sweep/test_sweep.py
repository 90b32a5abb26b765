"""Every changing action survives the loss of any of its external calls, whoever heals it.

The full sweep (every action, call, fault and healer) is ``make sweep``; here each action meets each
fault once, at a call that differs from run to run of the list.
"""

from __future__ import annotations

import pytest

from common.bootstrap import build
from common.reconciliation.gathering import gather
from common.reconciliation.program import judge
from tests.sweep.actions import SCENES
from tests.sweep.sweeping import Sweep, every


@pytest.mark.parametrize("name", SCENES)
def test_an_action_survives_any_lost_call(sweep: Sweep, name: str, full_sweep: bool) -> None:
    runs = list(every(sweep, name))
    chosen = runs if full_sweep else runs[:: max(1, len(runs) // 4)]
    for at, mode, healer in chosen:
        sweep.run(name, at, mode, healer)


def test_the_books_are_right_after_all_of_it(sweep: Sweep) -> None:
    sweep.market.control.idle()
    assert judge(gather(build(sweep.settings))) == []
