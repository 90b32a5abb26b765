"""Who gets how much of a booking that is called off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.auth.caller import Role
from common.bookings.cancellation_plan import cancel, earned
from common.bookings.status import Status
from common.errors import WrongState
from common.refunds.amounts import refund_breakdown
from common.refunds.refund_operation import held_of
from tests.unit.common.bookings.builders import NOW, a_booking

JUST = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("policy", "hours", "at_edge", "after"),
    [
        ("FLEXIBLE", 24, 200_00, 100_00),
        ("FLEXIBLE", 0, 100_00, 0),
        ("MODERATE", 120, 200_00, 100_00),
        ("MODERATE", 24, 100_00, 0),
        ("STRICT", 336, 200_00, 100_00),
        ("STRICT", 168, 100_00, 0),
    ],
)
def test_exactly_at_an_edge_a_customer_gets_what_came_before_it(
    policy: str, hours: int, at_edge: int, after: int
) -> None:
    booking = a_booking(policy=policy, starts_in=timedelta(hours=hours))
    for now, expected in [(NOW - JUST, at_edge), (NOW, at_edge), (NOW + JUST, after)]:
        part = cancel(booking, Role.CUSTOMER, now=now, by="c").part
        assert part is not None
        assert part.refund == expected
        assert part.provider_share_after == (200_00 - expected) * 92 // 100


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.OPERATOR])
def test_provider_and_operator_give_back_all_that_is_left(role: Role) -> None:
    booking = a_booking(policy="STRICT", starts_in=timedelta(0), refunded=30_00, fee_refunded=2_40)
    done = cancel(booking, role, now=NOW, by="p")
    assert done.part is not None
    assert (done.part.refund, done.part.fee_refunded) == (170_00, 13_60)
    assert done.booking.money.refunded == 200_00
    assert done.booking.money.fee_refunded == 16_00
    assert done.booking.money.due == 0


def test_the_policys_percent_is_of_the_total_less_what_was_refunded() -> None:
    booking = a_booking(starts_in=timedelta(hours=1), refunded=120_00, fee_refunded=9_60)
    done = cancel(booking, Role.CUSTOMER, now=NOW, by="c")
    assert done.part is not None
    assert done.part.refund == 0
    assert done.booking.money.due == 73_60


def test_an_unpaid_booking_has_nothing_to_divide() -> None:
    booking = a_booking(status=Status.PENDING, paid=False)
    done = cancel(booking, Role.CUSTOMER, now=NOW, by="c")
    assert done.part is None
    assert done.booking.status is Status.CANCELLED
    assert done.booking.earned_at is None


def test_the_rest_is_earned_and_eligible_at_once() -> None:
    done = cancel(a_booking(starts_in=timedelta(hours=1)), Role.CUSTOMER, now=NOW, by="c")
    assert (done.booking.earned_at, done.booking.eligible_at) == (NOW, NOW)
    assert done.booking.available == 92_00


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.REFUNDED, Status.EXPIRED])
def test_what_is_over_cannot_be_called_off(status: Status) -> None:
    with pytest.raises(WrongState):
        cancel(a_booking(status=status), Role.CUSTOMER, now=NOW, by="c")


@given(
    total=st.integers(50, 10_000_000),
    hours=st.integers(0, 400),
    policy=st.sampled_from(["FLEXIBLE", "MODERATE", "STRICT"]),
    role=st.sampled_from([Role.CUSTOMER, Role.PROVIDER, Role.OPERATOR]),
)
def test_customer_provider_and_platform_share_exactly_what_was_paid(
    total: int, hours: int, policy: str, role: Role
) -> None:
    booking = a_booking(total=total, policy=policy, starts_in=timedelta(hours=hours))
    done = cancel(booking, role, now=NOW, by="x")
    assert done.part is not None
    money = done.booking.money
    platform = money.fee - money.fee_refunded
    assert money.refunded + money.due + platform == total
    assert min(money.refunded, money.due, platform) >= 0


def test_what_is_all_being_given_back_cannot_be_called_off() -> None:
    gone = a_booking(refunded=200_00, fee_refunded=16_00)
    with pytest.raises(WrongState, match=r"^All of this booking is being refunded$") as refused:
        cancel(gone, Role.CUSTOMER, now=NOW, by="c")
    assert refused.value.details["currentStatus"] == "CONFIRMED"


@pytest.mark.parametrize("paid", [True, False])
def test_who_called_it_off_is_remembered(paid: bool) -> None:
    status = Status.CONFIRMED if paid else Status.PENDING
    booking = a_booking(status=status, paid=paid)
    last = cancel(booking, Role.CUSTOMER, now=NOW, by="customer-1").booking.history[-1]
    assert (last["status"], last["by"], last["why"], last["at"]) == (
        "CANCELLED",
        "customer-1",
        "CANCEL_BOOKING",
        NOW,
    )


def test_an_unpaid_booking_holds_no_place_any_more() -> None:
    booking = replace(a_booking(status=Status.PENDING, paid=False), hold_until=NOW)
    assert cancel(booking, Role.CUSTOMER, now=NOW, by="c").booking.hold_until is None


def test_what_was_earned_before_stays_earned_since_then() -> None:
    before = NOW - timedelta(days=1)
    booking = replace(a_booking(), earned_at=before)
    after = earned(booking, refund_breakdown(held_of(booking), 50_00), NOW)
    assert (after.earned_at, after.eligible_at) == (before, NOW)
    money = after.money
    assert (money.refunded, money.fee_refunded, money.due) == (50_00, 4_00, 138_00)


def test_a_refund_before_the_cancellation_is_counted_once() -> None:
    booking = a_booking(starts_in=timedelta(hours=1), refunded=50_00, fee_refunded=4_00)
    money = cancel(booking, Role.CUSTOMER, now=NOW, by="c").booking.money
    assert (money.refunded, money.fee_refunded, money.due) == (100_00, 8_00, 92_00)
