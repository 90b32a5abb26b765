"""What of a payout's lines may still go out when its turn comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.bookings.model import Booking
from common.bookings.status import Status
from common.payouts.lines import no_longer_due, not_there, without
from common.payouts.model import Line, Payout, PayoutStatus
from tests.unit.common.bookings.builders import NOW, a_booking, earned


def a_payout(*lines: Line, **changes: Any) -> Payout:
    plain = Payout(
        id="payout-1",
        provider_id="provider-1",
        account_id="acct_1",
        currency="USD",
        amount=sum(line.amount for line in lines),
        lines=lines,
        method="standard",
        requested_by="x",
        created_at=NOW,
        scheduled_date=NOW,
        status=PayoutStatus.PROCESSING,
    )
    return replace(plain, **changes)


def a_line(amount: int, booking_id: str = "booking-1") -> Line:
    return Line(booking_id, amount, amount, "ch_1")


def claimed(amount: int = 184_00, **money: Any) -> Booking:
    return earned(a_booking(), claimed=amount, **money)


@pytest.mark.parametrize("kind", ["dispute", "review", "fraud_warning", "refund_dispute"])
def test_nothing_goes_out_for_a_booking_on_hold(kind: str) -> None:
    held = replace(claimed(), holds={kind: "x"})
    assert no_longer_due(a_payout(a_line(184_00)), {"booking-1": held}) == {"booking-1": 184_00}


def test_nothing_goes_out_for_a_booking_that_was_refunded_in_full() -> None:
    refunded = replace(claimed(due=0), status=Status.REFUNDED)
    assert no_longer_due(a_payout(a_line(184_00)), {"booking-1": refunded}) == {"booking-1": 184_00}


def test_a_partial_refund_takes_its_part_of_the_line_only() -> None:
    assert no_longer_due(a_payout(a_line(184_00)), {"booking-1": claimed(due=92_00)}) == {
        "booking-1": 92_00
    }


def test_a_booking_that_stands_as_it_was_keeps_its_line() -> None:
    assert no_longer_due(a_payout(a_line(184_00)), {"booking-1": claimed()}) == {}


def test_what_another_payout_of_the_booking_claims_takes_nothing_from_this_one() -> None:
    both = {"booking-1": claimed(transferred=100_00)}  # 84 more are set aside for next month
    assert not_there(a_payout(a_line(100_00)), both) == {}


def test_what_was_reversed_out_of_the_balance_leaves_the_payout() -> None:
    reversed_ = {"booking-1": claimed(transferred=120_00)}
    assert not_there(a_payout(a_line(184_00)), reversed_) == {"booking-1": 64_00}


def test_what_leaves_the_payout_is_free_again_and_the_rest_stays_claimed() -> None:
    smaller, freed = without(
        a_payout(a_line(184_00)), {"booking-1": claimed()}, {"booking-1": 84_00}
    )
    assert (smaller.amount, smaller.lines) == (100_00, (Line("booking-1", 100_00, 100_00, "ch_1"),))
    assert freed["booking-1"].money.claimed == 100_00


def test_a_payout_that_would_not_even_pay_its_fee_frees_every_line() -> None:
    payout = a_payout(a_line(184_00), fee=2_00)
    smaller, freed = without(payout, {"booking-1": claimed()}, {"booking-1": 182_50})
    assert smaller.lines == ()
    assert freed["booking-1"].money.claimed == 0


def test_where_banks_take_whole_units_only_a_smaller_payout_is_one_of_whole_units() -> None:
    payout = a_payout(a_line(184_50), a_line(92_50, "booking-2"), currency="HUF")
    bookings = {"booking-1": claimed(184_50), "booking-2": claimed(92_50)}
    smaller, free = without(payout, bookings, {"booking-1": 10_00})
    assert smaller.amount == 267_00
    assert [line.amount for line in smaller.lines] == [174_50, 92_50]
    smaller, free = without(payout, bookings, {"booking-1": 10_25})
    assert smaller.amount == 266_00
    assert [line.amount for line in smaller.lines] == [174_25, 91_75]
    assert free["booking-2"].money.claimed == 91_75
