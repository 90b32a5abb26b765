"""What Stripe's word on a payout changes, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
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


ARRIVES = datetime(2027, 1, 15, 8, tzinfo=UTC)


def two_lines(**changes: Any) -> tuple[Payout, dict[str, Booking]]:
    """A payout of 1.00 and 183.00, on its way."""
    lines = (Line("booking-1", 1_00, 1_00, "ch_1"), Line("booking-2", 183_00, 183_00, "ch_2"))
    bookings = {
        "booking-1": earned(a_booking(), due=1_00, claimed=1_00, transferred=1_00),
        "booking-2": earned(
            a_booking(booking_id="booking-2"), due=183_00, claimed=183_00, transferred=183_00
        ),
    }
    return a_payout(lines=lines, **changes), bookings


def moved(bookings: Mapping[str, Booking]) -> dict[str, tuple[int, int]]:
    return {id_: (one.money.claimed, one.money.paid) for id_, one in bookings.items()}


def test_each_booking_is_settled_with_its_own_line() -> None:
    payout, bookings = two_lines()
    done = apply(payout, bookings, word("paid"))
    assert moved(done.bookings) == {"booking-1": (0, 1_00), "booking-2": (0, 183_00)}
    back = apply(done.payout, done.bookings, word("failed"))
    assert moved(back.bookings) == {"booking-1": (0, 0), "booking-2": (0, 0)}
    failed = apply(payout, bookings, word("failed"))
    assert moved(failed.bookings) == {"booking-1": (0, 0), "booking-2": (0, 0)}


def test_stripes_object_is_remembered_whatever_it_says() -> None:
    for status in ("in_transit", "paid", "failed"):
        done = apply(a_payout(), on_its_way(), word(status)).payout
        assert (done.stripe_payout_id, done.arrival_date) == ("po_1", ARRIVES)


def test_the_payout_is_booked_with_what_stripe_took() -> None:
    taken = {"balance_transaction": {"net": -183_99}}
    [posting] = apply(a_payout(), on_its_way(), word("paid", **taken)).postings
    assert (posting.id, posting.currency) == ("payout_po_1", "USD")
    assert dict(posting.entries) == {
        "provider:provider-1:stripe": -183_99,
        "provider:provider-1": 183_99,
    }


def test_paid_twice_is_paid_once() -> None:
    paid = apply(a_payout(), on_its_way(), word("paid"))
    again = apply(paid.payout, paid.bookings, word("paid"))
    assert again.payout == paid.payout
    assert again.bookings == {}
    assert again.postings == paid.postings


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_paid_payout_that_comes_back_has_failed_however_stripe_calls_it(status: str) -> None:
    paid = apply(a_payout(), on_its_way(), word("paid"))
    back = apply(paid.payout, paid.bookings, word(status))
    assert back.payout.status is PayoutStatus.FAILED


@pytest.mark.parametrize(
    "now", [PayoutStatus.SCHEDULED, PayoutStatus.FAILED, PayoutStatus.CANCELLED]
)
@pytest.mark.parametrize("status", ["paid", "failed", "canceled"])
def test_what_has_not_left_or_is_over_is_not_moved(now: PayoutStatus, status: str) -> None:
    done = apply(a_payout(status=now), on_its_way(), word(status))
    assert (done.payout.status, done.bookings) == (now, {})
    assert [posting.kind for posting in done.postings] == ["payout"]


def test_a_failure_keeps_stripes_code_and_message() -> None:
    said = {"failure_code": "no_account", "failure_message": "No account"}
    done = apply(a_payout(), on_its_way(), word("failed", **said)).payout
    assert (done.failure_code, done.failure_message) == ("no_account", "No account")
    silent = apply(a_payout(), on_its_way(), word("failed")).payout
    assert (silent.failure_code, silent.failure_message) == (None, None)


def test_what_comes_back_is_a_transaction_beside_the_payouts_own() -> None:
    done = apply(a_payout(), on_its_way(), word("failed"))
    assert [posting.id for posting in done.postings] == ["payout_po_1", "payout_returned_po_1"]
    assert done.payout.kept == {}


@pytest.mark.parametrize("transaction", [None, "txn_9"])
def test_where_stripe_does_not_say_what_came_back_it_is_all_that_arrives(
    transaction: str | None,
) -> None:
    payout = a_payout(fee=1_82, method="instant")
    told = word("failed", failure_balance_transaction=transaction)
    _, back = apply(payout, on_its_way(), told).postings
    assert dict(back.entries) == {
        "provider:provider-1:stripe": 182_18,
        "provider:provider-1": -182_18,
    }


@pytest.mark.parametrize("before", [PayoutStatus.PROCESSING, PayoutStatus.PAID])
def test_what_stripe_kept_is_taken_off_the_first_lines(before: PayoutStatus) -> None:
    payout, bookings = two_lines(fee=1_82, method="instant")
    if before is PayoutStatus.PAID:
        paid = apply(payout, bookings, word("paid"))
        payout, bookings = paid.payout, dict(paid.bookings)
    told = word("failed", failure_balance_transaction={"net": 182_18})
    back = apply(payout, bookings, told)
    assert back.payout.kept == {"booking-1": 1_00, "booking-2": 82}
    assert moved(back.bookings) == {"booking-1": (0, 1_00), "booking-2": (0, 82)}


def test_a_single_cent_that_stripe_kept_is_the_first_bookings() -> None:
    payout, bookings = two_lines(fee=1, method="instant")
    told = word("failed", failure_balance_transaction={"net": 183_99})
    back = apply(payout, bookings, told)
    assert back.payout.kept == {"booking-1": 1}
    assert moved(back.bookings) == {"booking-1": (0, 1), "booking-2": (0, 0)}


def test_what_came_back_is_what_stripe_says_and_not_what_we_reckoned() -> None:
    payout = a_payout(fee=1_82, method="instant")
    told = word("failed", failure_balance_transaction={"net": 182_00})
    back = apply(payout, on_its_way(), told)
    assert dict(back.postings[1].entries) == {
        "provider:provider-1:stripe": 182_00,
        "provider:provider-1": -182_00,
    }
    assert back.payout.kept == {"booking-1": 2_00}


def sent_of(bookings: Mapping[str, Booking]) -> dict[str, int]:
    return {id_: one.money.sent for id_, one in bookings.items()}


def test_at_stripes_first_word_each_line_has_left_the_connected_balance() -> None:
    payout, bookings = two_lines()
    first = apply(payout, bookings, word("in_transit"))
    assert sent_of(first.bookings) == {"booking-1": 1_00, "booking-2": 183_00}
    again = apply(first.payout, first.bookings, word("in_transit"))
    assert again.bookings == {}
    paid = apply(first.payout, first.bookings, word("paid"))
    assert sent_of(paid.bookings) == {"booking-1": 0, "booking-2": 0}
    back = apply(first.payout, first.bookings, word("failed"))
    assert sent_of(back.bookings) == {"booking-1": 0, "booking-2": 0}


def test_a_payout_that_is_over_before_it_was_heard_of_has_left_nothing_sent() -> None:
    for status in ("paid", "failed", "canceled"):
        payout, bookings = two_lines()
        done = apply(payout, bookings, word(status))
        assert sent_of(done.bookings) == {"booking-1": 0, "booking-2": 0}
