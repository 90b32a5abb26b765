"""What Stripe's word on a payout changes, in whatever order it comes."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from common.bookings.model import Booking
from common.payouts.model import Line, Payout, PayoutStatus
from common.payouts.outcome import Outcome, apply
from tests.unit.common.bookings.builders import NOW, a_booking, earned


def a_payout(**changes: Any) -> Payout:
    plain: dict[str, Any] = {
        "id": "payout-1",
        "provider_id": "provider-1",
        "account_id": "acct_1",
        "currency": "USD",
        "amount": 184_00,
        "lines": (Line("booking-1", 184_00, 184_00, "ch_1"),),
        "method": "standard",
        "requested_by": "x",
        "created_at": NOW,
        "scheduled_date": NOW,
        "status": PayoutStatus.PROCESSING,
    }
    return Payout(**{**plain, **changes})


def word(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "po_1", "status": status, "arrival_date": 1_800_000_000, **more}


def on_its_way() -> dict[str, Booking]:
    return {"booking-1": earned(a_booking(), claimed=184_00, transferred=184_00)}


def owed(outcomes: list[Outcome]) -> int:
    every = {posting.id: posting for one in outcomes for posting in one.postings}
    accounts = [entry for posting in every.values() for entry in posting.entries]
    return sum(amount for account, amount in accounts if account == "provider:provider-1")


def test_paid_settles_the_bookings() -> None:
    done = apply(a_payout(), on_its_way(), word("paid"))
    assert done.payout.status is PayoutStatus.PAID
    money = done.bookings["booking-1"].money
    assert (money.claimed, money.sent, money.paid) == (0, 0, 184_00)
    assert owed([done]) == 184_00


@pytest.mark.parametrize(
    ("status", "becomes"),
    [("failed", PayoutStatus.FAILED), ("canceled", PayoutStatus.CANCELLED)],
)
def test_what_comes_back_may_be_paid_out_again_and_stays_transferred(
    status: str, becomes: PayoutStatus
) -> None:
    done = apply(a_payout(), on_its_way(), word(status, failure_code="no_account"))
    assert done.payout.status is becomes
    assert done.payout.failure_code == "no_account"
    booking = done.bookings["booking-1"]
    assert (booking.available, booking.money.transferred) == (184_00, 184_00)
    assert owed([done]) == 0


def test_a_paid_payout_may_still_bounce() -> None:
    paid = apply(a_payout(), on_its_way(), word("paid"))
    back = apply(paid.payout, paid.bookings, word("failed"))
    assert back.payout.status is PayoutStatus.FAILED
    assert back.bookings["booking-1"].available == 184_00
    assert owed([paid, back]) == 0


@pytest.mark.parametrize("status", ["pending", "in_transit"])
def test_the_first_word_of_a_payout_says_that_its_parts_have_left_the_balance(status: str) -> None:
    done = apply(a_payout(), on_its_way(), word(status))
    assert done.payout.status is PayoutStatus.PROCESSING
    assert done.payout.stripe_payout_id == "po_1"
    [booking] = done.bookings.values()
    assert (booking.money.sent, booking.money.there) == (184_00, 0)
    assert apply(done.payout, done.bookings, word(status)).bookings == {}


@pytest.mark.parametrize("order", list(permutations(["in_transit", "paid", "failed"])))
def test_failed_is_the_last_word_in_any_order(order: tuple[str, ...]) -> None:
    payout, bookings, outcomes = a_payout(), on_its_way(), list[Outcome]()
    for status in [*order, *order]:
        done = apply(payout, bookings, word(status))
        payout, bookings = done.payout, {**bookings, **done.bookings}
        outcomes.append(done)
    assert payout.status is PayoutStatus.FAILED
    money = bookings["booking-1"].money
    assert (money.claimed, money.sent, money.paid) == (0, 0, 0)
    assert owed(outcomes) == 0
