"""What Stripe's word on a refund changes, in whatever order it comes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from common.auth.caller import Role
from common.bookings.model import Booking
from common.bookings.status import Status
from common.ledger.posting import Posting
from common.refunds.model import Refund
from common.refunds.outcome import apply, given_back, is_over, posting_keys, refused, released
from common.refunds.plan import refundable
from common.store import collections
from tests.unit.common.bookings.builders import NOW, a_booking, earned

BALANCE = "txn_1"


def a_refund(**changes: Any) -> Refund:
    plain = Refund(
        id="refund-1",
        booking_id="booking-1",
        customer_id="customer-1",
        provider_id="provider-1",
        currency="USD",
        amount=50_00,
        fee_refunded=4_00,
        owed_delta=0,
        held=50_00,
        compensation=None,
        reason="x",
        requested_by="x",
        created_at=NOW,
    )
    return replace(plain, **changes)


def word(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "re_1", "status": status, "balance_transaction": BALANCE, **more}


def totals(postings: list[Posting]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for posting in {posting.id: posting for posting in postings}.values():
        for account, amount in posting.entries:
            sums[account] = sums.get(account, 0) + amount
    return {account: amount for account, amount in sums.items() if amount}


def reserved() -> Booking:
    return a_booking(refunded=50_00, fee_refunded=4_00)


def test_a_refund_that_succeeded_takes_what_was_held() -> None:
    refund, booking, postings = apply(a_refund(), reserved(), word("succeeded"))
    assert refund.status == "SUCCEEDED"
    assert refund.stripe_refund_id == "re_1"
    assert booking == reserved()
    assert totals(postings) == {"platform:stripe": -50_00, "bookings:held": 50_00}


def test_a_refund_of_earned_money_takes_each_ones_part() -> None:
    refund = a_refund(held=0, owed_delta=46_00)
    _, _, postings = apply(refund, earned(reserved()), word("succeeded"))
    expected = {
        "platform:stripe": -50_00,
        "provider:provider-1": 46_00,
        "platform:commission": 4_00,
    }
    assert totals(postings) == expected


def test_a_refund_that_waits_for_funds_has_moved_nothing() -> None:
    refund, _, postings = apply(a_refund(), reserved(), word("pending", balance_transaction=None))
    assert refund.status == "PENDING"
    assert postings == []


def test_a_refund_that_failed_is_taken_back_whole() -> None:
    refund, booking, postings = apply(a_refund(), reserved(), word("failed"))
    assert refund.status == "FAILED"
    assert (booking.money.refunded, booking.money.fee_refunded) == (0, 0)
    assert totals(postings) == {}
    assert [posting.kind for posting in postings] == ["refund", "refund_failed"]


def test_what_failed_after_the_rest_was_earned_is_held_for_the_customer() -> None:
    _, booking, _ = apply(a_refund(), earned(reserved()), word("failed"))
    assert booking.money.unreturned == 50_00
    assert booking.money.due == 138_00


def test_a_failed_refund_of_earned_money_is_the_providers_again() -> None:
    refund = a_refund(held=0, owed_delta=46_00)
    _, booking, _ = apply(refund, earned(reserved()), word("failed"))
    assert booking.money.due == 184_00
    assert booking.money.unreturned == 0


@pytest.mark.parametrize("order", list(permutations(["pending", "succeeded", "failed"])))
def test_whatever_the_order_failed_is_the_last_word(order: tuple[str, ...]) -> None:
    refund, booking, every = a_refund(), reserved(), list[Posting]()
    for status in order:
        refund, booking, postings = apply(refund, booking, word(status))
        every += postings
    assert refund.status == "FAILED"
    assert booking.money.refunded == 0
    assert totals(every) == {}


def test_an_older_pending_does_not_undo_a_success() -> None:
    refund, _, _ = apply(a_refund(), reserved(), word("succeeded"))
    refund, _, _ = apply(refund, reserved(), word("pending"))
    assert refund.status == "SUCCEEDED"


def over(booking: Booking, status: Status, **money: int) -> Booking:
    return replace(earned(booking, **money), status=status)


def test_of_a_booking_that_is_over_a_failed_refund_stays_the_customers() -> None:
    refund = a_refund(held=0, amount=200_00, owed_delta=184_00, fee_refunded=16_00)
    gone = over(a_booking(refunded=200_00, fee_refunded=16_00), Status.REFUNDED, due=0)
    _, booking, postings = apply(refund, gone, word("failed"))
    assert (booking.money.due, booking.money.unreturned) == (0, 200_00)
    assert booking.available == 0
    assert totals(postings) == {
        "bookings:held": -200_00,
        "provider:provider-1": 184_00,
        "platform:commission": 16_00,
    }


def test_the_same_where_stripe_never_moved_anything() -> None:
    refund = a_refund(held=0, amount=150_00, owed_delta=134_00, fee_refunded=12_00)
    cancelled = over(a_booking(refunded=150_00, fee_refunded=12_00), Status.CANCELLED, due=50_00)
    booking, postings = refused(cancelled, refund)
    assert (booking.money.due, booking.money.unreturned) == (50_00, 150_00)
    assert totals(postings) == {
        "bookings:held": -150_00,
        "provider:provider-1": 134_00,
        "platform:commission": 16_00,
    }


def test_what_a_late_payer_did_not_get_back_may_be_given_back_again() -> None:
    late = replace(a_booking(refunded=200_00, fee_refunded=16_00), status=Status.CANCELLED)
    refund = a_refund(amount=200_00, fee_refunded=16_00, held=200_00)
    _, booking, _ = apply(refund, late, word("failed"))
    assert booking.money.unreturned == 200_00
    assert refundable(booking, Role.OPERATOR)


def test_a_booking_is_refunded_when_stripe_took_the_refund_that_leaves_nothing() -> None:
    asked = replace(a_booking(refunded=200_00, fee_refunded=16_00), last_refund={"id": "refund-1"})
    taken = a_refund(amount=200_00, status="PENDING")
    assert given_back(asked, taken, at=NOW, by="x", why="x").status is Status.REFUNDED
    assert given_back(asked, replace(taken, status="FAILED"), at=NOW, by="x", why="x") == asked
    another = replace(taken, id="refund-0")
    assert given_back(asked, another, at=NOW, by="x", why="x") == asked


def test_a_refund_may_have_three_transactions() -> None:
    assert posting_keys("re_1") == (
        collections.transaction("refund_re_1"),
        collections.transaction("refund_failed_re_1"),
        collections.transaction("refund_kept_re_1"),
    )


def test_a_refund_that_failed_is_final() -> None:
    failed = a_refund(status="FAILED")
    assert apply(failed, reserved(), word("succeeded")) == (failed, reserved(), [])


def test_a_success_may_still_fail() -> None:
    refund, booking, _ = apply(a_refund(), reserved(), word("succeeded"))
    refund, booking, postings = apply(refund, booking, word("failed", failure_reason="declined"))
    assert (refund.status, refund.failure_reason) == ("FAILED", "declined")
    assert booking == a_booking()
    assert [posting.id for posting in postings] == ["refund_re_1", "refund_failed_re_1"]


def test_a_late_pending_changes_no_word_of_a_success() -> None:
    done, _, _ = apply(a_refund(), reserved(), word("succeeded"))
    late, _, postings = apply(done, reserved(), word("pending"))
    assert late == done
    assert [posting.id for posting in postings] == ["refund_re_1"]


def test_stripes_word_is_kept_with_the_refund() -> None:
    refund, _, _ = apply(a_refund(), reserved(), word("requires_action"))
    assert (refund.status, refund.stripe_status) == ("PENDING", "requires_action")


def test_a_refund_that_failed_without_having_moved_books_nothing_while_the_booking_stands() -> None:
    told = word("failed", balance_transaction=None)
    refund, booking, postings = apply(a_refund(), reserved(), told)
    assert (refund.status, booking.money.refunded, postings) == ("FAILED", 0, [])


def test_of_a_booking_that_is_over_it_is_held_again_where_nothing_had_moved() -> None:
    gone = over(a_booking(refunded=50_00, fee_refunded=4_00), Status.CANCELLED)
    told = word("failed", balance_transaction=None)
    earned_part = a_refund(held=0, owed_delta=46_00)
    _, _, postings = apply(earned_part, gone, told)
    assert [posting.id for posting in postings] == ["refund_kept_re_1"]
    _, _, none = apply(a_refund(), gone, told)
    assert none == []


def test_of_a_booking_that_is_over_the_return_is_a_transaction_of_its_own() -> None:
    gone = over(a_booking(refunded=50_00, fee_refunded=4_00), Status.CANCELLED)
    _, _, postings = apply(a_refund(), gone, word("failed"))
    assert [posting.id for posting in postings] == ["refund_re_1", "refund_failed_re_1"]


def test_stripes_no_leaves_a_standing_booking_as_before_the_refund() -> None:
    assert refused(reserved(), a_refund()) == (a_booking(), [])
    booking, postings = refused(earned(reserved()), a_refund(held=0, owed_delta=46_00))
    assert (booking.money.due, booking.money.unreturned, postings) == (184_00, 0, [])


def test_stripes_no_is_booked_under_our_own_id_since_stripe_has_none() -> None:
    gone = over(a_booking(refunded=50_00, fee_refunded=4_00), Status.CANCELLED)
    _, [posting] = refused(gone, a_refund(held=0, owed_delta=46_00))
    assert posting.id == "refund_kept_refund-1"


def test_a_failed_refund_adds_to_what_failed_before() -> None:
    before = earned(reserved()).with_money(unreturned=10_00)
    assert released(before, a_refund()).money.unreturned == 60_00
    gone = over(a_booking(refunded=50_00, fee_refunded=4_00), Status.REFUNDED, unreturned=10_00)
    assert released(gone, a_refund(held=0, owed_delta=46_00)).money.unreturned == 60_00
    unearned = reserved().with_money(unreturned=10_00)
    assert released(unearned, a_refund()).money.unreturned == 10_00


def test_a_part_that_was_held_is_held_again_and_the_rest_is_the_providers() -> None:
    booking = earned(reserved(), due=147_20)
    after = released(booking, a_refund(held=10_00, owed_delta=36_80)).money
    assert (after.unreturned, after.due) == (10_00, 184_00)
    assert (after.refunded, after.fee_refunded) == (0, 0)


@pytest.mark.parametrize("status", list(Status))
def test_over_is_what_does_not_take_place_any_more(status: Status) -> None:
    ends = {Status.CANCELLED, Status.DECLINED, Status.EXPIRED, Status.REFUNDED}
    assert is_over(a_booking(status=status)) is (status in ends)


def test_the_step_to_refunded_is_remembered_and_ends_the_hold() -> None:
    asked = a_booking(refunded=200_00, fee_refunded=16_00)
    asked = replace(asked, last_refund={"id": "refund-1"}, hold_until=NOW)
    done = given_back(asked, a_refund(), at=NOW, by="stripe", why="refund.updated")
    last = done.history[-1]
    assert (last["by"], last["why"], last["at"]) == ("stripe", "refund.updated", NOW)
    assert done.hold_until is None


def test_a_booking_without_any_refund_or_with_something_left_is_not_refunded() -> None:
    left = replace(reserved(), last_refund={"id": "refund-1"})
    assert given_back(left, a_refund(), at=NOW, by="x", why="x") == left
    unknown = a_booking(refunded=200_00, fee_refunded=16_00)
    assert given_back(unknown, a_refund(), at=NOW, by="x", why="x") == unknown
