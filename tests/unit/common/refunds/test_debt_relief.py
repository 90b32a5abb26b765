"""How much of a booking's debt is not owed any more."""

from __future__ import annotations

import pytest

from common.refunds.debt_relief import excess
from tests.unit.common.bookings.builders import a_booking, earned


@pytest.mark.parametrize(
    ("due", "receivable", "expected"),
    [
        (92_00, 92_00, 0),  # refunded, and it stands
        (184_00, 92_00, 92_00),  # the refund failed
        (138_00, 138_00, 92_00),  # of two refunds one failed
        (184_00, 0, 0),
    ],
)
def test_only_what_the_provider_has_beyond_their_due_is_owed(
    due: int, receivable: int, expected: int
) -> None:
    booking = earned(a_booking(), due=due, paid=184_00, transferred=184_00, receivable=receivable)
    assert excess(booking) == expected
