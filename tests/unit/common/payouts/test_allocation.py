"""Which earnings a payout takes: the oldest first, debts before all, never more than there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings.model import Booking
from common.payouts.allocation import Allocation, allocate, instant_fee, line, told_line
from common.payouts.model import Line
from tests.unit.common.bookings.builders import a_booking, earned


def earnings(*amounts: int) -> list[Booking]:
    return [
        earned(a_booking(booking_id=f"booking-{number}"), due=amount)
        for number, amount in enumerate(amounts)
    ]


def test_without_an_amount_everything_goes() -> None:
    made = allocate(earnings(100, 50), 0, None)
    assert [(one.booking_id, one.amount, one.transfer) for one in made.lines] == [
        ("booking-0", 100, 100),
        ("booking-1", 50, 50),
    ]
    assert (made.amount, made.available, made.recovered) == (150, 150, 0)


def test_a_booking_may_go_out_in_parts() -> None:
    made = allocate(earnings(100, 50), 0, 120)
    assert [one.amount for one in made.lines] == [100, 20]
    assert [one.available for one in made.bookings] == [0, 30]


def test_a_debt_is_netted_from_the_oldest_first() -> None:
    made = allocate(earnings(100, 50), 120, None)
    assert (made.available, made.recovered) == (30, 120)
    assert [(one.booking_id, one.amount) for one in made.lines] == [("booking-1", 30)]
    assert [one.money.netted for one in made.bookings] == [100, 20]


def test_a_debt_beyond_the_earnings_takes_them_all() -> None:
    made = allocate(earnings(100), 300, None)
    assert (made.available, made.recovered, made.lines) == (0, 100, ())


def test_what_is_at_the_account_already_is_not_transferred_again() -> None:
    booking = earned(a_booking(), due=184_00, transferred=184_00)
    assert line(booking, 184_00).transfer == 0
    partly = earned(a_booking(), due=184_00, transferred=100_00, paid=40_00)
    assert line(partly, 144_00).transfer == 84_00


@given(
    amounts=st.lists(st.integers(1, 500_00), max_size=12),
    debt=st.integers(0, 1_000_00),
    asked=st.none() | st.integers(1, 2_000_00),
)
def test_lines_debt_and_rest_make_up_exactly_the_earnings(
    amounts: list[int], debt: int, asked: int | None
) -> None:
    bookings = earnings(*amounts)
    made = allocate(bookings, debt, asked)
    gross = sum(amounts)
    assert made.recovered == min(debt, gross)
    assert made.available == gross - made.recovered
    assert made.amount == (made.available if asked is None else min(asked, made.available))
    after = {booking.id: booking for booking in [*bookings, *made.bookings]}
    left = sum(booking.available for booking in after.values())
    # what a partial payout does not touch keeps its debt for the next time
    netted = sum(booking.money.netted for booking in after.values())
    assert left + made.amount + netted == gross
    assert netted == made.recovered
    for booking in after.values():
        money = booking.money
        assert money.claimed + money.paid <= money.due


@given(amount=st.integers(51, 1_000_000_00), bps=st.integers(1, 300))
def test_an_instant_fee_leaves_room_for_stripes_and_no_more_than_a_cent_beyond(
    amount: int, bps: int
) -> None:
    net = amount - instant_fee(amount, bps, 50, "USD")
    stripes = max(50, (net * bps + 5_000) // 10_000)
    assert amount - 1 <= net + stripes <= amount


def test_an_instant_fee_is_a_multiple_where_stripe_takes_no_other() -> None:
    assert instant_fee(10_110, 100, 50, "KWD") % 10 == 0


def test_what_the_bank_cannot_take_stays_for_the_next_payout() -> None:
    forints = [
        earned(a_booking(booking_id=f"booking-{number}", currency="HUF"), due=amount)
        for number, amount in enumerate((184_50, 92_25))
    ]
    made = allocate(forints, 0, None)
    assert (made.available, made.amount) == (276_00, 276_00)
    assert [one.available for one in made.bookings] == [0, 75]


def test_nobodys_earnings_are_nothing_to_pay_out() -> None:
    assert allocate([], 50, None) == Allocation(0, (), (), 0)


def test_at_most_150_bookings_go_out_in_one_payout() -> None:
    made = allocate(earnings(*[1] * 151), 0, None)
    assert (len(made.lines), made.available) == (150, 150)


def test_what_is_claimed_paid_and_netted_adds_to_what_was_before() -> None:
    booking = earned(a_booking(), due=184_00, claimed=10_00, paid=20_00, netted=5_00)
    [after] = allocate([booking], 30_00, 100_00).bookings
    money = after.money
    assert (money.claimed, money.paid, money.netted) == (110_00, 50_00, 35_00)
    assert after == booking.with_money(claimed=110_00, paid=50_00, netted=35_00)


def test_bookings_that_a_payout_does_not_reach_are_left_alone() -> None:
    made = allocate(earnings(100, 50, 70), 0, 100)
    assert [one.id for one in made.bookings] == ["booking-0"]
    assert made.available == 220


def test_a_debt_that_ends_within_a_booking_leaves_its_rest_to_the_payout() -> None:
    made = allocate(earnings(100, 50), 30, None)
    assert [(one.booking_id, one.amount) for one in made.lines] == [
        ("booking-0", 70),
        ("booking-1", 50),
    ]
    assert [one.money.netted for one in made.bookings] == [30, 0]


def test_a_line_tells_what_its_booking_was_about() -> None:
    booking = earned(a_booking(refunded=50_00, fee_refunded=4_00))
    assert line(booking, 138_00) == Line(
        "booking-1",
        138_00,
        138_00,
        "ch_1",
        title="Piano lesson",
        paid=200_00,
        refunded=50_00,
        fee=12_00,
    )


def test_what_failed_to_go_back_is_shown_as_refunded_since_it_is_the_customers() -> None:
    booking = earned(a_booking(refunded=20_00), due=92_00, unreturned=80_00)
    told = told_line(booking, 92_00, 0)
    assert (told.paid, told.refunded, told.fee, told.transfer) == (200_00, 100_00, 8_00, 0)


def test_what_earlier_lines_need_of_a_transfer_is_theirs() -> None:
    booking = earned(a_booking(), due=184_00, claimed=30_00, paid=20_00, transferred=100_00)
    assert line(booking, 60_00).transfer == 10_00
    assert line(booking, 50_00).transfer == 0
    netted = booking.with_money(netted=15_00)  # paid a debt, and was never transferred
    assert line(netted, 70_00).transfer == 5_00
    more = booking.with_money(transferred=0)
    assert line(more, 60_00).transfer == 60_00


@pytest.mark.parametrize(
    ("amount", "bps", "code", "fee"),
    [
        (184_00, 100, "USD", 1_82),
        (10_00, 100, "USD", 50),  # the least there is
        (50_50, 100, "USD", 50),
        (50_51, 100, "USD", 50),
        (1_51, 100, "USD", 50),
        (150_50, 100, "USD", 1_49),
        (10_000_00, 150, "USD", 147_78),
        (51_00, 100, "USD", 51),  # 50.50 and its rounded fee would be a cent too much
        (10_200, 100, "KWD", 110),
        (10_000_00, 100, "HUF", 100_00),
    ],
)
def test_an_instant_fee_is_one_percent_of_what_arrives(
    amount: int, bps: int, code: str, fee: int
) -> None:
    assert instant_fee(amount, bps, 50, code) == fee


def test_what_is_being_reversed_is_not_there_for_a_line() -> None:
    booking = earned(a_booking(), due=184_00, transferred=100_00, reclaiming=30_00)
    assert line(booking, 100_00).transfer == 30_00


@pytest.mark.parametrize(
    ("sent", "transfer", "source"),
    [
        ((), 184_00, "ch_1"),
        ((100_00,), 100_00, "ch_1"),  # just fits into the charge of 200.00
        ((100_00,), 100_01, ""),
        ((150_00, 50_00), 1, ""),  # reversed or not, Stripe counts them
        ((150_00, 50_00), 0, "ch_1"),
    ],
)
def test_a_charge_funds_transfers_up_to_itself_and_our_balance_the_rest(
    sent: tuple[int, ...], transfer: int, source: str
) -> None:
    made = tuple({"id": f"tr_{amount}", "amount": amount, "reversed": amount} for amount in sent)
    booking = replace(earned(a_booking()), transfers=made)
    assert told_line(booking, 184_00, transfer).charge_id == source
