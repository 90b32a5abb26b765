"""An instant payout that comes back without Stripe's fee: the fee stays the provider's cost."""

from __future__ import annotations

import pytest

from common.payouts.model import Line, PayoutStatus
from common.payouts.outcome import apply
from tests.unit.common.bookings.builders import a_booking, earned
from tests.unit.common.payouts.test_outcome import a_payout, word

FEE = 1_82
INSTANT = word(
    "failed",
    balance_transaction={"net": -184_00},
    failure_balance_transaction={"net": 184_00 - FEE},
)


@pytest.mark.parametrize("status", [PayoutStatus.PROCESSING, PayoutStatus.PAID])
def test_what_stripe_kept_counts_as_paid_and_the_rest_is_free_again(status: PayoutStatus) -> None:
    money = (
        {"claimed": 184_00} if status is PayoutStatus.PROCESSING else {"claimed": 0, "paid": 184_00}
    )
    booking = earned(a_booking(), transferred=184_00, **money)
    payout = a_payout(
        method="instant", fee=FEE, status=status, lines=(Line("booking-1", 184_00, 0, "ch_1"),)
    )
    done = apply(payout, {"booking-1": booking}, INSTANT)
    after = done.bookings["booking-1"].money
    assert (after.claimed, after.paid) == (0, FEE)
    assert done.bookings["booking-1"].available == 184_00 - FEE
    assert done.payout.kept == {"booking-1": FEE}
    _, returned = done.postings
    assert dict(returned.entries) == {
        "provider:provider-1:stripe": 184_00 - FEE,
        "provider:provider-1": -(184_00 - FEE),
    }
