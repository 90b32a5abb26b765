"""A booking's money: what is left, whose it is, and what of it may be paid out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings.model import Booking, BookingMoney
from common.bookings.status import Status
from common.errors import WrongState
from tests.unit.common.bookings.builders import NOW, a_booking, earned

AGREED = BookingMoney("USD", 200_00, 16_00, 184_00, 800)
MOVED = (
    "captured", "refunded", "fee_refunded", "due", "claimed", "paid", "transferred", "netted",
    "receivable", "reclaiming", "unreturned", "sent",
)  # fmt: skip


def money(**moved: int) -> BookingMoney:
    return replace(AGREED, **moved)


def test_when_a_price_is_agreed_no_money_has_moved() -> None:
    assert {name: getattr(AGREED, name) for name in MOVED} == dict.fromkeys(MOVED, 0)
    assert (AGREED.remaining, AGREED.overpaid, AGREED.there) == (0, 0, 0)


def test_a_booking_that_was_just_made_knows_of_nothing_yet() -> None:
    kept = {
        name: getattr(a_booking(), name)
        for name in Booking.__slots__
        if name not in ("payment", "history")
    }
    fresh = Booking(**{**kept})
    empty = ("hold_until", "paid_at", "completed_at", "earned_at", "eligible_at", "last_refund")
    assert [getattr(fresh, name) for name in empty] == [None] * len(empty)
    assert (fresh.transfers, fresh.history) == ((), ())
    for facts in (fresh.holds, fresh.payment, fresh.request, fresh.attendance):
        assert facts == {}
    assert (fresh.countries, fresh.notices, fresh.subscription_id) == ({}, {}, None)


def test_what_was_paid_and_not_given_back_is_left() -> None:
    assert money(captured=200_00, refunded=50_00).remaining == 150_00
    assert money(captured=200_00, refunded=200_00).remaining == 0


def test_a_refund_of_50_takes_46_of_the_providers_184() -> None:
    assert AGREED.provider_share == 184_00
    assert money(refunded=50_00, fee_refunded=4_00).provider_share == 138_00
    assert money(refunded=200_00, fee_refunded=16_00).provider_share == 0


@pytest.mark.parametrize(
    ("moved", "overpaid"),
    [
        ({"transferred": 184_00, "due": 184_00}, 0),
        ({"transferred": 184_00, "due": 138_00}, 46_00),
        ({"transferred": 100_00, "netted": 84_00, "due": 138_00}, 46_00),
        ({"transferred": 184_00, "due": 138_00, "receivable": 46_00}, 0),
        ({"transferred": 184_00, "due": 138_00, "reclaiming": 46_00}, 0),
        ({"transferred": 184_00, "due": 92_00, "receivable": 46_00, "reclaiming": 40_00}, 6_00),
        ({"transferred": 100_00, "due": 184_00}, 0),
        ({"transferred": 1, "due": 0}, 1),
    ],
)
def test_a_provider_has_too_much_where_more_was_sent_or_netted_than_is_due(
    moved: dict[str, int], overpaid: int
) -> None:
    assert money(**moved).overpaid == overpaid


@pytest.mark.parametrize(
    ("moved", "there"),
    [
        ({"transferred": 184_00}, 184_00),
        ({"transferred": 184_00, "paid": 184_00}, 0),
        ({"transferred": 184_00, "paid": 100_00}, 84_00),
        ({"transferred": 184_00, "paid": 100_00, "reclaiming": 30_00}, 54_00),
        ({"transferred": 144_00, "paid": 184_00, "netted": 40_00}, 0),
        ({"transferred": 144_00, "paid": 60_00, "netted": 40_00}, 124_00),
        ({"transferred": 100_00, "paid": 184_00}, 0),
        ({"transferred": 184_00, "claimed": 100_00, "sent": 100_00}, 84_00),
        ({"transferred": 184_00, "claimed": 184_00}, 184_00),
        ({"transferred": 1}, 1),
    ],
)
def test_in_the_connected_balance_lies_what_was_sent_and_not_paid_out_or_reversed(
    moved: dict[str, int], there: int
) -> None:
    assert money(**moved).there == there


@pytest.mark.parametrize(
    ("moved", "idle"),
    [
        ({"transferred": 184_00}, 184_00),
        ({"transferred": 184_00, "claimed": 100_00}, 84_00),
        ({"transferred": 184_00, "claimed": 100_00, "sent": 100_00}, 84_00),
        ({"transferred": 184_00, "paid": 60_00}, 124_00),
        ({"transferred": 144_00, "paid": 60_00, "netted": 40_00}, 124_00),
        ({"transferred": 184_00, "reclaiming": 46_00}, 138_00),
        ({"transferred": 100_00, "claimed": 184_00}, 0),
        ({"transferred": 1}, 1),
    ],
)
def test_what_was_sent_and_no_payout_takes_lies_idle(moved: dict[str, int], idle: int) -> None:
    assert earned(a_booking(), **moved).idle == idle


def test_what_lies_idle_and_may_not_go_out_is_parked() -> None:
    payable = earned(a_booking(), transferred=184_00)
    assert payable.parked == 0
    assert replace(payable, holds={"dispute": "dp_1"}).parked == 184_00
    assert payable.with_money(due=100_00).parked == 84_00
    assert payable.with_money(due=183_99).parked == 1
    assert payable.with_money(transferred=100_00).parked == 0


def test_holds_of_one_kind_stand_beside_each_other_and_end_each_for_itself() -> None:
    first = a_booking().held_by("dispute", "dp_1")
    assert first.holds == {"dispute": "dp_1"}
    assert first.held_by("dispute", "dp_1") == first
    both = first.held_by("dispute", "dp_2").held_by("review", "prv_1")
    assert both.holds == {"dispute": "dp_1", "dispute:dp_2": "dp_2", "review": "prv_1"}
    assert both.held_by("dispute", "dp_2") == both
    second = both.freed_of("dp_1")
    assert second.holds == {"dispute:dp_2": "dp_2", "review": "prv_1"}
    assert (second.is_held("dispute"), second.is_held("review")) == (True, True)
    last = second.freed_of("dp_2")
    assert (last.is_held("dispute"), last.is_held("review")) == (False, True)
    assert last.freed_of("unknown") == last
    assert not a_booking().is_held("dispute")


@pytest.mark.parametrize(
    ("moved", "available"),
    [
        ({}, 184_00),
        ({"claimed": 100_00}, 84_00),
        ({"paid": 84_00}, 100_00),
        ({"claimed": 100_00, "paid": 84_00}, 0),
        ({"due": 138_00, "paid": 184_00}, 0),
        ({"due": 1}, 1),
    ],
)
def test_of_what_is_due_neither_claimed_nor_paid_may_go_out(
    moved: dict[str, int], available: int
) -> None:
    assert earned(a_booking(), **moved).available == available


def test_nothing_goes_out_before_it_is_earned_and_eligible_and_free_of_holds() -> None:
    payable = earned(a_booking())
    assert replace(payable, earned_at=None).available == 0
    assert replace(payable, eligible_at=None).available == 0
    assert replace(payable, holds={"dispute": "dp_1"}).available == 0


@pytest.mark.parametrize(
    ("mode", "takes"), [("INSTANT", True), ("REQUEST", True), ("SUBSCRIPTION", False)]
)
def test_a_subscriptions_period_takes_no_time_in_the_calendar(mode: str, takes: bool) -> None:
    assert replace(a_booking(), mode=mode).takes_time is takes


def test_a_place_is_kept_until_the_booking_is_over() -> None:
    kept = [status for status in Status if a_booking(status=status).keeps_place]
    assert kept == ["PENDING", "REQUESTED", "CONFIRMED", "COMPLETED", "DISPUTED"]


@pytest.mark.parametrize(
    ("blocks", "keeps"), [({}, True), ({"blocks": True}, True), ({"blocks": False}, False)]
)
def test_a_request_keeps_its_place_while_unanswered_unless_its_service_says_otherwise(
    blocks: dict[str, bool], keeps: bool
) -> None:
    waiting = replace(a_booking(status=Status.REQUESTED, paid=False), request=blocks)
    assert (waiting.claims_place, waiting.keeps_place) == (keeps, keeps)
    over = replace(waiting, status=Status.DECLINED)
    assert (over.claims_place, over.keeps_place) == (keeps, False)


@pytest.mark.parametrize("status", list(Status))
def test_what_a_customer_paid_waits_for_its_provider_while_the_booking_stands(
    status: Status,
) -> None:
    booking = a_booking(status=status, refunded=50_00, fee_refunded=4_00)
    assert booking.waiting == (138_00 if booking.keeps_place else 0)
    assert replace(booking, money=replace(booking.money, captured=0)).waiting == 0


def test_what_is_earned_waits_while_a_hold_or_a_date_keeps_it() -> None:
    payable = earned(a_booking(), claimed=100_00, paid=24_00)
    assert payable.waiting == 0
    assert replace(payable, eligible_at=None).waiting == 60_00
    assert replace(payable, holds={"review": "prv_1"}).waiting == 60_00
    spent = earned(a_booking(), due=92_00, paid=184_00)
    assert replace(spent, eligible_at=None).waiting == 0
    last = earned(a_booking(), due=1)
    assert replace(last, eligible_at=None).waiting == 1


@given(
    due=st.integers(0, 500),
    claimed=st.integers(0, 300),
    paid=st.integers(0, 300),
    eligible=st.booleans(),
    held=st.booleans(),
)
def test_what_is_earned_and_not_paid_is_either_available_or_waiting(
    due: int, claimed: int, paid: int, eligible: bool, held: bool
) -> None:
    booking = replace(
        earned(a_booking(), due=due, claimed=claimed, paid=paid),
        eligible_at=NOW if eligible else None,
        holds={"dispute": "dp_1"} if held else {},
    )
    assert booking.available + booking.waiting == max(0, due - claimed - paid)
    assert 0 in (booking.available, booking.waiting)


@pytest.mark.parametrize("status", list(Status))
def test_all_of_a_standing_booking_is_being_given_back_when_nothing_is_left_of_it(
    status: Status,
) -> None:
    standing = status in (Status.CONFIRMED, Status.COMPLETED, Status.DISPUTED)
    gone = a_booking(status=status, refunded=200_00, fee_refunded=16_00)
    assert gone.giving_back is standing
    assert not a_booking(status=status, refunded=199_99).giving_back
    assert not a_booking(status=status, paid=False).giving_back
    assert a_booking(status=status, captured=1, refunded=1).giving_back is standing


def test_the_services_buffer_is_taken_as_well() -> None:
    booking = replace(a_booking(), buffer_minutes=15)
    assert booking.occupied_until - booking.end == timedelta(minutes=15)


def test_a_step_is_remembered_with_who_made_it_why_and_when() -> None:
    booking = replace(a_booking(), version=7)
    later = NOW + timedelta(hours=1)
    moved = booking.moved(Status.COMPLETED, at=later, by="provider-1", why="COMPLETE_BOOKING")
    assert moved.status is Status.COMPLETED
    assert moved.history == (
        *booking.history,
        {
            "status": "COMPLETED",
            "at": later,
            "by": "provider-1",
            "why": "COMPLETE_BOOKING",
            "version": 8,
        },
    )
    assert type(moved.history[-1]["status"]) is str
    assert replace(moved, status=booking.status, history=booking.history) == booking


def test_a_step_by_a_slow_clock_is_not_before_the_last() -> None:
    first = a_booking().moved(Status.COMPLETED, at=NOW + timedelta(hours=2), by="x", why="x")
    second = first.moved(Status.DISPUTED, at=NOW, by="x", why="x")
    assert second.history[-1]["at"] == NOW + timedelta(hours=2)


def test_a_step_that_the_table_lacks_is_refused() -> None:
    with pytest.raises(WrongState):
        a_booking().moved(Status.PENDING, at=NOW, by="x", why="x")


def test_other_amounts_leave_the_rest_of_the_booking_as_it_is() -> None:
    booking = a_booking()
    other = booking.with_money(claimed=1, paid=2)
    assert (other.money.claimed, other.money.paid) == (1, 2)
    assert other.with_money(claimed=0, paid=0) == booking
