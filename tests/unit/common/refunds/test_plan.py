"""Who may refund how much of a booking, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from common.refunds.plan import Allowed, allowed, apply, breakdown, refundable
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


@pytest.mark.parametrize("status", list(Status))
def test_of_a_booking_that_is_over_an_operator_gives_back_what_a_failed_refund_left(
    status: Status,
) -> None:
    left = a_booking(status=status, refunded=199_99, fee_refunded=16_00)
    over = {Status.REFUNDED, Status.EXPIRED, Status.DECLINED}
    stands = {Status.CONFIRMED, Status.COMPLETED}
    assert refundable(left, Role.OPERATOR) is (status in over | stands)
    assert refundable(left, Role.PROVIDER) is (status is Status.CONFIRMED)
    gone = left.with_money(refunded=200_00)
    assert not refundable(gone, Role.OPERATOR)


def test_of_a_cancelled_booking_only_what_failed_to_go_back_can_be_given_back() -> None:
    cancelled = a_booking(status=Status.CANCELLED, refunded=100_00, fee_refunded=8_00)
    assert not refundable(cancelled, Role.OPERATOR)
    assert refundable(cancelled.with_money(unreturned=1), Role.OPERATOR)


def test_while_a_bank_has_taken_the_payment_back_the_refusal_says_so() -> None:
    frozen = a_booking(status=Status.DISPUTED).held_by("dispute", "dp_1")
    with pytest.raises(NotRefundable) as refused:
        breakdown(frozen, Role.OPERATOR, NOW, 10)
    assert "(dispute dp_1)" in str(refused.value.details["reason"])
    with pytest.raises(NotRefundable) as refused:
        breakdown(a_booking(status=Status.CANCELLED), Role.OPERATOR, NOW, 10)
    assert refused.value.details == {"currentStatus": "CANCELLED"}


@pytest.mark.parametrize("role", PARTIES)
def test_what_is_all_being_given_back_is_not_given_back_twice(role: Role) -> None:
    assert not refundable(a_booking(refunded=200_00, fee_refunded=16_00), role)


def test_a_caller_is_told_the_policys_percent_and_their_own_limit() -> None:
    booking = a_booking(starts_in=timedelta(hours=1), refunded=30_00, fee_refunded=2_40)
    assert allowed(booking, Role.CUSTOMER, NOW) == Allowed(50, 70_00, 70_00)
    assert allowed(booking, Role.PROVIDER, NOW) == Allowed(50, 170_00, 170_00)
    assert allowed(booking, Role.OPERATOR, NOW) == Allowed(50, 170_00, 170_00)


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


@dataclass(frozen=True)
class Refusal:
    """What a caller reads of a refused amount."""

    type: str
    message: str
    allowed: Decimal


def refusal(booking: Booking, role: Role, *amounts: int | None) -> Refusal:
    with pytest.raises(RefusedAmount) as refused:
        breakdown(booking, role, NOW, *amounts)
    error = refused.value
    assert set(error.details) == {"allowed"}
    return Refusal(error.type, error.message, error.details["allowed"])


TOO_MUCH = "The refund is more than what can be given back; lower the amount"
NOTHING = "Nothing of this booking can be given back now"
FIRST = "An earlier refund failed: give that back first, without a providerCompensation"


def test_too_large_a_refund_says_by_which_rule_and_how_much_is_allowed() -> None:
    booking = a_booking(starts_in=timedelta(hours=1))
    expected = Refusal("exceeds_policy", TOO_MUCH, Decimal("100.00"))
    assert refusal(booking, Role.CUSTOMER, 100_01) == expected
    expected = Refusal("exceeds_remaining", TOO_MUCH, Decimal("200.00"))
    assert refusal(booking, Role.PROVIDER, 200_01) == expected
    assert refusal(booking, Role.OPERATOR, 200_01) == expected


@pytest.mark.parametrize("amount", [None, 0])
def test_where_nothing_goes_back_a_customer_hears_of_the_policy(amount: int | None) -> None:
    late = a_booking(policy="STRICT", starts_in=timedelta(0))
    expected = Refusal("exceeds_policy", NOTHING, Decimal("0.00"))
    assert refusal(late, Role.CUSTOMER, amount) == expected


def test_a_refund_of_nothing_without_a_compensation_is_refused() -> None:
    expected = Refusal("nothing_to_refund", NOTHING, Decimal("0.00"))
    assert refusal(a_booking(), Role.OPERATOR, 0) == expected


def test_a_compensation_beyond_the_rest_is_refused() -> None:
    words = "The compensation is more than what the refund leaves"
    expected = Refusal("compensation_out_of_range", words, Decimal("50.00"))
    assert refusal(a_booking(), Role.OPERATOR, 150_00, 50_01) == expected


def test_with_a_compensation_alone_the_customer_gets_the_rest() -> None:
    part = breakdown(a_booking(), Role.OPERATOR, NOW, None, 50_00)
    assert (part.refund, part.compensation, part.platform_share_after) == (150_00, 50_00, 0)
    all_of_it = breakdown(a_booking(), Role.OPERATOR, NOW, None, 200_00)
    assert (all_of_it.refund, all_of_it.provider_share_after) == (0, 200_00)
    words = "The compensation is more than what the refund leaves"
    expected = Refusal("compensation_out_of_range", words, Decimal("200.00"))
    assert refusal(a_booking(), Role.OPERATOR, None, 200_01) == expected


def test_nothing_can_be_refunded_with_a_compensation_as_well() -> None:
    part = breakdown(a_booking(), Role.OPERATOR, NOW, 0, 120_00)
    assert (part.refund, part.provider_share_after, part.platform_share_after) == (
        0,
        120_00,
        80_00,
    )


def test_while_a_failed_refund_is_with_us_no_compensation_is_decided() -> None:
    cancelled = a_booking(status=Status.CANCELLED, due=92_00, unreturned=100_00)
    expected = Refusal("compensation_decided", FIRST, Decimal("100.00"))
    assert refusal(cancelled, Role.OPERATOR, 100_00, 10_00) == expected
    standing = a_booking(unreturned=100_00)
    assert refusal(standing, Role.OPERATOR, 100_00, 10_00) == expected
    given = a_booking(status=Status.REFUNDED, refunded=50_00, fee_refunded=4_00)
    expected = Refusal("compensation_decided", FIRST, Decimal("150.00"))
    assert refusal(given, Role.OPERATOR, 100_00, 10_00) == expected


def test_of_amounts_that_disagree_never_more_goes_back_than_is_left() -> None:
    torn = a_booking(refunded=150_00, fee_refunded=12_00, unreturned=100_00)
    words = "The refund is more than what is left of the payment"
    expected = Refusal("exceeds_remaining", words, Decimal("50.00"))
    assert refusal(torn, Role.OPERATOR, 100_00) == expected


def test_who_cancelled_with_a_compensation_and_why_is_remembered() -> None:
    part = breakdown(a_booking(), Role.OPERATOR, NOW, 150_00, 50_00)
    after = apply(a_booking(), part, now=NOW, by="operator-1", why="PROCESS_REFUND")
    last = after.history[-1]
    assert (last["by"], last["why"], last["at"]) == ("operator-1", "PROCESS_REFUND", NOW)
    assert (after.earned_at, after.eligible_at) == (NOW, NOW)


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
