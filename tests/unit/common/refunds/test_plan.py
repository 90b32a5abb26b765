"""Who may refund how much of a booking, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.auth.caller import Role
from common.bookings.model import Booking
from common.bookings.status import Status
from common.errors import NotRefundable, RefusedAmount
from common.refunds.outcome import given_back
from common.refunds.plan import allowed, apply, breakdown, refundable
from common.refunds.refund_operation import open_refund
from tests.unit.common.bookings.builders import NOW, a_booking, earned

PARTIES = (Role.CUSTOMER, Role.PROVIDER, Role.OPERATOR)


def refunded(booking: Booking, amount: int, compensation: int | None = None) -> Booking:
    """The booking after a refund that Stripe took."""
    part = breakdown(booking, Role.OPERATOR, NOW, amount, compensation)
    after = apply(booking, part, now=NOW, by="x", why="x")
    asked = {"refund_id": "refund-1", "reason": "x", "actor": "x", "action": "x", "request_id": "x"}
    after, refund, _ = open_refund(booking, after, part, **asked, now=NOW)
    return given_back(after, replace(refund, status="SUCCEEDED"), at=NOW, by="x", why="x")


@pytest.mark.parametrize("status", list(Status))
def test_confirmed_is_refundable_to_all_and_completed_to_operators(status: Status) -> None:
    booking = a_booking(status=status, paid=status in (Status.CONFIRMED, Status.COMPLETED))
    may = {role for role in PARTIES if refundable(booking, role)}
    expected = {Status.CONFIRMED: set(PARTIES), Status.COMPLETED: {Role.OPERATOR}}
    assert may == expected.get(status, set())


def test_a_state_that_cannot_be_refunded_is_named() -> None:
    with pytest.raises(NotRefundable) as refused:
        breakdown(earned(a_booking()), Role.CUSTOMER, NOW, 10)
    assert refused.value.details["currentStatus"] == "COMPLETED"


def test_two_hundred_gives_twelve_of_fee_for_150_and_sixteen_in_all() -> None:
    first = breakdown(a_booking(), Role.OPERATOR, NOW, 150_00)
    assert (first.fee_refunded, first.provider_reversed) == (12_00, 138_00)
    after = refunded(a_booking(), 150_00)
    assert after.status is Status.CONFIRMED
    second = breakdown(after, Role.OPERATOR, NOW, 50_00)
    assert second.fee_refunded == 4_00
    assert refunded(after, 50_00).status is Status.REFUNDED


def test_the_guides_compensation_cancels_with_50_for_the_provider_and_none_for_us() -> None:
    after = refunded(a_booking(), 150_00, 50_00)
    assert after.status is Status.CANCELLED
    assert after.money.due == 50_00
    assert after.available == 50_00
    assert after.money.remaining - after.money.due == 0


def test_a_customer_beyond_the_policy_is_told_what_is_allowed() -> None:
    booking = a_booking(starts_in=timedelta(hours=24) - timedelta(microseconds=1))
    assert allowed(booking, Role.CUSTOMER, NOW).most == 100_00
    with pytest.raises(RefusedAmount) as refused:
        breakdown(booking, Role.CUSTOMER, NOW, 100_01)
    assert refused.value.type == "exceeds_policy"
    assert refused.value.details["allowed"] == Decimal("100.00")
    assert breakdown(booking, Role.CUSTOMER, NOW, None).refund == 100_00


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.OPERATOR])
def test_provider_and_operator_are_bound_by_what_is_left_only(role: Role) -> None:
    booking = refunded(a_booking(policy="STRICT", starts_in=timedelta(0)), 120_00)
    with pytest.raises(RefusedAmount) as refused:
        breakdown(booking, role, NOW, 80_01)
    assert refused.value.details["allowed"] == Decimal("80.00")
    assert breakdown(booking, role, NOW, None).refund == 80_00


def test_a_compensation_beyond_the_rest_is_refused() -> None:
    with pytest.raises(RefusedAmount) as refused:
        breakdown(a_booking(), Role.OPERATOR, NOW, 150_00, 50_01)
    assert refused.value.details["allowed"] == Decimal("50.00")


def test_a_refund_of_nothing_without_a_compensation_is_refused() -> None:
    with pytest.raises(RefusedAmount):
        breakdown(a_booking(), Role.OPERATOR, NOW, 0)


def test_what_a_failed_refund_left_held_is_all_an_operator_can_give_back_first() -> None:
    booking = a_booking(status=Status.CANCELLED, due=92_00, unreturned=100_00)
    booking = replace(booking, earned_at=NOW, eligible_at=NOW)
    assert refundable(booking, Role.OPERATOR)
    assert not refundable(booking, Role.CUSTOMER)
    with pytest.raises(RefusedAmount):
        breakdown(booking, Role.OPERATOR, NOW, 100_01)
    with pytest.raises(RefusedAmount):
        breakdown(booking, Role.OPERATOR, NOW, 100_00, 10_00)
    after = refunded(booking, 100_00)
    assert after.status is Status.CANCELLED
    assert (after.money.due, after.money.unreturned, after.money.refunded) == (92_00, 0, 100_00)
    assert after.money.fee_refunded == 8_00
    assert not refundable(after, Role.OPERATOR)


@given(
    total=st.integers(50, 5_000_000),
    cuts=st.lists(st.integers(1, 1_000_000), min_size=1, max_size=12),
    is_earned=st.booleans(),
)
def test_any_chain_of_refunds_gives_exactly_the_fee_and_never_more_than_was_paid(
    total: int, cuts: list[int], is_earned: bool
) -> None:
    booking = a_booking(total=total)
    if is_earned:
        booking = earned(booking)
    for cut in [*cuts, total]:
        amount = min(cut, booking.money.remaining)
        if not amount:
            break
        booking = refunded(booking, amount)
        money = booking.money
        assert money.refunded <= total
        assert money.due == (money.provider_share if is_earned else 0)
        assert money.provider_share >= 0
    assert booking.money.refunded == total
    assert booking.money.fee_refunded == booking.money.fee
    assert booking.status is Status.REFUNDED
