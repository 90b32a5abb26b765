"""What of a payout's lines may still go out when its turn comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.bookings.model import Booking
from common.bookings.status import Status
from common.payouts.lines import (
    no_longer_due,
    not_there,
    payable_cuts,
    released,
    sent,
    still_due,
    without,
)
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


def test_of_several_lines_only_those_that_lost_something_are_named() -> None:
    payout = a_payout(a_line(184_00), a_line(92_00, "booking-2"), a_line(1, "booking-3"))
    bookings = {
        "booking-1": claimed(),
        "booking-2": claimed(92_00, due=91_99),
        "booking-3": claimed(1, due=0),
    }
    assert no_longer_due(payout, bookings) == {"booking-2": 1, "booking-3": 1}
    sent = {
        "booking-1": bookings["booking-1"].with_money(transferred=184_00),
        "booking-2": bookings["booking-2"].with_money(transferred=92_00),
        "booking-3": bookings["booking-3"].with_money(due=1),
    }
    assert not_there(payout, sent) == {"booking-2": 1, "booking-3": 1}


def test_a_line_never_carries_more_than_it_was_made_for() -> None:
    booking = claimed(100_00)  # 84.00 more are due and free
    assert still_due(booking, a_line(100_00)) == 100_00
    assert still_due(booking.with_money(due=60_00), a_line(100_00)) == 60_00


def test_what_is_released_is_free_for_another_payout() -> None:
    assert released(claimed(100_00), 40_00).money.claimed == 60_00


def test_without_cuts_a_payout_stays_as_it_was() -> None:
    payout = a_payout(a_line(184_00), a_line(92_00, "booking-2"))
    bookings = {"booking-1": claimed(), "booking-2": claimed(92_00)}
    assert without(payout, bookings, {}) == (payout, bookings)
    assert payable_cuts(payout, {}) == {}


def test_a_line_that_is_cut_whole_leaves_and_the_others_stay() -> None:
    payout = a_payout(a_line(184_00), a_line(92_00, "booking-2"))
    bookings = {"booking-1": claimed(), "booking-2": claimed(92_00)}
    smaller, free = without(payout, bookings, {"booking-1": 184_00})
    assert (smaller.amount, smaller.lines) == (92_00, (a_line(92_00, "booking-2"),))
    assert free["booking-1"].money.claimed == 0
    assert free["booking-2"] == bookings["booking-2"]


def test_what_is_left_of_a_line_needs_no_more_transferred_than_before() -> None:
    line = Line("booking-1", 184_00, 50_00, "ch_1")
    smaller, _ = without(a_payout(line), {"booking-1": claimed()}, {"booking-1": 84_00})
    assert smaller.lines == (replace(line, amount=100_00),)
    smaller, _ = without(a_payout(line), {"booking-1": claimed()}, {"booking-1": 144_00})
    assert smaller.lines == (replace(line, amount=40_00, transfer=40_00),)


def test_a_payout_of_exactly_its_fee_is_none_and_of_a_cent_more_is_one() -> None:
    payout = a_payout(a_line(184_00), fee=2_00)
    nothing, freed = without(payout, {"booking-1": claimed()}, {"booking-1": 182_00})
    assert nothing.lines == ()
    assert freed["booking-1"].money.claimed == 0
    cent, kept = without(payout, {"booking-1": claimed()}, {"booking-1": 181_99})
    assert (cent.net, len(cent.lines)) == (1, 1)
    assert kept["booking-1"].money.claimed == 2_01


def test_what_the_banks_step_leaves_over_comes_off_the_last_lines_first() -> None:
    payout = a_payout(a_line(184_50), a_line(25, "booking-2"), currency="HUF")
    assert payable_cuts(payout, {}) == {"booking-2": 25, "booking-1": 50}
    assert payable_cuts(payout, {"booking-2": 20}) == {"booking-2": 25, "booking-1": 50}
    assert payable_cuts(payout, {"booking-2": 25}) == {"booking-2": 25, "booking-1": 50}
    assert payable_cuts(payout, {"booking-1": 75}) == {"booking-1": 75}


def test_what_is_sent_has_left_the_connected_balance_and_may_come_back() -> None:
    booking = claimed(transferred=184_00)
    gone = sent(booking, 100_00)
    assert (gone.money.sent, gone.money.there) == (100_00, 84_00)
    assert sent(gone, -100_00) == booking
