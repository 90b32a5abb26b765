"""What Stripe's word on a refund changes, in whatever order it comes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from common.bookings.model import Booking
from common.ledger.posting import Posting
from common.refunds.model import Refund
from common.refunds.outcome import apply
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
        from_held=True,
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
    refund = a_refund(from_held=False, owed_delta=46_00)
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
    refund = a_refund(from_held=False, owed_delta=46_00)
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
