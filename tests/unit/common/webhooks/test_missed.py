"""Which stretches of time the maintenance run asks Stripe about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from common.webhooks.missed import MOST_SLICES, slices

NOW = datetime(2026, 11, 30, 12, 0, 0, 250_000, tzinfo=UTC)


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=40)))
def test_slices_leave_no_gap_and_reach_beyond_the_present_second(silence: timedelta) -> None:
    found = list(slices(NOW - silence, NOW))
    assert found[0][0] == NOW - silence
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert int(found[-1][1].timestamp()) > int(NOW.timestamp())
    assert len(found) <= MOST_SLICES


def test_a_silence_that_divides_evenly_reaches_the_present_as_well() -> None:
    *_, last = slices(NOW - timedelta(days=8), NOW)
    assert last[1] == NOW + timedelta(seconds=1)
