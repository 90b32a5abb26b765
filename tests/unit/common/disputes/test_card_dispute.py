"""A card dispute: frozen while open, as before when won, a refund by the bank when lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.bookings.model import Booking
from common.bookings.status import Status
from common.disputes.card_dispute import (
    HOLD,
    Disputed,
    apply,
    document,
    held_by,
    is_over,
    is_settled,
    is_turned,
    no_refund_because,
    was_lost,
)
from tests.unit.common.bookings.builders import NOW, a_booking, earned

TAKEN = {"id": "txn_1", "currency": "usd", "amount": -200_00, "fee": 15_00, "net": -215_00}
GIVEN = {"id": "txn_2", "currency": "usd", "amount": 200_00, "fee": 0, "net": 200_00}


def word(status: str, *moves: dict[str, Any], amount: int = 200_00) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "status": status,
        "amount": amount,
        "charge": "ch_1",
        "currency": "usd",
        "reason": "fraudulent",
        "balance_transactions": list(moves),
    }


def told(booking: Booking, dispute: dict[str, Any], *, settled: bool = False) -> Disputed:
    return apply(booking, dispute, settled=settled, now=NOW, why="test")


def sums(*results: Disputed) -> dict[str, int]:
    every = {posting.id: posting for one in results for posting in one.postings}
    totals: dict[str, int] = {}
    for posting in every.values():
        for account, amount in posting.entries:
            totals[account] = totals.get(account, 0) + amount
    return {account: amount for account, amount in totals.items() if amount}


@pytest.mark.parametrize("booking", [a_booking(), earned(a_booking())])
def test_an_open_dispute_freezes_and_books_stripes_fee_as_ours(booking: Booking) -> None:
    opened = told(booking, word("needs_response", TAKEN))
    assert opened.booking.status is Status.DISPUTED
    assert opened.booking.available == 0
    assert sums(opened) == {
        "platform:stripe": -215_00,
        "disputes:open": 200_00,
        "platform:stripe_fees": 15_00,
    }


@pytest.mark.parametrize("status", ["appeal_needs_response", "appeal_under_review", "unheard_of"])
def test_appeals_and_statuses_that_nobody_knows_keep_a_booking_frozen(status: str) -> None:
    opened = told(earned(a_booking()), word(status, TAKEN))
    assert opened.booking.status is Status.DISPUTED
    assert opened.booking.available == 0
    assert not is_over(word(status))


@pytest.mark.parametrize(
    ("booking", "before"),
    [(a_booking(), Status.CONFIRMED), (earned(a_booking()), Status.COMPLETED)],
)
def test_won_is_as_before_but_for_the_fee(booking: Booking, before: Status) -> None:
    opened = told(booking, word("needs_response", TAKEN))
    won = told(opened.booking, word("won", TAKEN, GIVEN))
    assert won.booking.status is before
    assert won.booking.available == booking.available
    assert HOLD not in won.booking.holds
    assert sums(opened, won) == {"platform:stripe": -15_00, "platform:stripe_fees": 15_00}


def test_lost_while_held_is_paid_out_of_what_was_held() -> None:
    opened = told(a_booking(), word("needs_response", TAKEN))
    lost = told(opened.booking, word("lost", TAKEN))
    assert lost.booking.status is Status.REFUNDED
    assert (lost.booking.money.refunded, lost.booking.money.fee_refunded) == (200_00, 16_00)
    totals = sums(opened, lost)
    assert totals["bookings:held"] == 200_00
    assert "disputes:open" not in totals


@pytest.mark.parametrize("heard_of_before", [True, False])
def test_lost_when_earned_takes_each_ones_part(heard_of_before: bool) -> None:
    booking = earned(a_booking())
    if heard_of_before:
        booking = told(booking, word("needs_response", TAKEN)).booking
    lost = told(booking, word("lost", TAKEN))
    assert lost.booking.status is Status.REFUNDED
    assert lost.booking.money.due == 0
    totals = sums(lost)
    assert totals["provider:provider-1"] == 184_00
    assert totals["platform:commission"] == 16_00


def test_a_part_that_is_lost_leaves_the_rest_as_it_was() -> None:
    part = {"id": "txn_1", "currency": "usd", "amount": -50_00, "fee": 15_00, "net": -65_00}
    opened = told(earned(a_booking()), word("needs_response", part, amount=50_00))
    lost = told(opened.booking, word("lost", part, amount=50_00))
    assert lost.booking.status is Status.COMPLETED
    assert lost.booking.available == 138_00


def test_what_had_gone_back_before_is_nobodys_but_our_loss() -> None:
    booking = a_booking(refunded=150_00, fee_refunded=12_00)
    lost = told(booking, word("lost", TAKEN))
    assert lost.booking.money.refunded == 200_00
    assert sums(lost)["platform:losses"] == 150_00


def test_an_inquiry_holds_and_leaves_the_status() -> None:
    asked = told(earned(a_booking()), word("warning_needs_response"))
    assert asked.booking.status is Status.COMPLETED
    assert asked.booking.available == 0
    closed = told(asked.booking, word("warning_closed"))
    assert closed.booking.available == 184_00
    assert sums(asked, closed) == {}


def test_once_settled_nothing_more_happens() -> None:
    lost = told(earned(a_booking()), word("lost", TAKEN))
    again = told(lost.booking, word("lost", TAKEN), settled=True)
    assert again.booking == lost.booking
    assert {posting.kind for posting in again.postings} == {"dispute"}


@pytest.mark.parametrize(
    ("status", "over"),
    [("needs_response", False), ("under_review", False), ("won", True), ("lost", True)],
)
def test_the_record_says_whether_it_is_over(status: str, over: bool) -> None:
    assert is_over(word(status)) is over
    assert document(a_booking(), word(status), NOW)["settled"] is over


def test_a_lost_dispute_takes_what_a_failed_refund_left_held_before_what_was_earned() -> None:
    cancelled = replace(earned(a_booking(), due=92_00, unreturned=100_00), status=Status.CANCELLED)
    opened = told(cancelled, word("needs_response", TAKEN))
    lost = told(opened.booking, word("lost", TAKEN))
    assert (lost.booking.money.unreturned, lost.booking.money.due) == (0, 0)
    assert sums(opened, lost) == {
        "platform:stripe": -215_00,
        "platform:stripe_fees": 15_00,
        "bookings:held": 100_00,
        "provider:provider-1": 92_00,
        "platform:commission": 8_00,
    }


def second(status: str, *moves: dict[str, Any]) -> dict[str, Any]:
    return {**word(status, *moves, amount=50_00), "id": "dp_2"}


@pytest.mark.parametrize("first_to_end", ["dp_1", "dp_2"])
def test_of_two_disputes_the_one_left_open_keeps_the_booking_frozen(first_to_end: str) -> None:
    opened = told(earned(a_booking()), word("needs_response", amount=100_00)).booking
    both = told(opened, second("needs_response")).booking
    ends = [word("won", amount=100_00), second("won")]
    if first_to_end == "dp_2":
        ends.reverse()
    one = told(both, ends[0]).booking
    assert (one.status, one.available) == (Status.DISPUTED, 0)
    none = told(one, ends[1]).booking
    assert (none.status, none.holds, none.available) == (Status.COMPLETED, {}, 184_00)


def test_a_part_that_is_lost_does_not_free_what_another_dispute_freezes() -> None:
    opened = told(earned(a_booking()), word("needs_response", amount=100_00)).booking
    both = told(opened, second("needs_response")).booking
    lost = told(both, word("lost", amount=100_00)).booking
    assert (lost.status, lost.available, lost.money.due) == (Status.DISPUTED, 0, 92_00)
    won = told(lost, second("won")).booking
    assert (won.status, won.available) == (Status.COMPLETED, 92_00)


def test_a_dispute_that_is_told_twice_is_one_hold() -> None:
    once = told(a_booking(), word("needs_response")).booking
    assert told(once, word("under_review")).booking.holds == once.holds == {HOLD: "dp_1"}


def test_what_was_taken_in_another_currency_is_exchanged_and_its_fee_is_in_that_one() -> None:
    taken = {"id": "txn_1", "currency": "eur", "amount": -185_19, "fee": 15_00, "net": -200_19}
    opened = told(a_booking(), word("needs_response", {**taken, "exchange_rate": 0.925926}))
    by_currency = {(one.kind, one.currency): dict(one.entries) for one in opened.postings}
    assert by_currency == {
        ("dispute", "USD"): {"platform:stripe": -200_00, "disputes:open": 200_00},
        ("conversion", "USD"): {"platform:stripe": 200_00, "platform:exchange": -200_00},
        ("settlement", "EUR"): {
            "platform:stripe": -200_19,
            "platform:exchange": 185_19,
            "platform:stripe_fees": 15_00,
        },
    }


PARTIES = {"bookingId": "booking-1", "customerId": "customer-1", "providerId": "provider-1"}
WHOM = {**PARTIES, "category": "music"}


def test_what_stripe_moved_for_a_dispute_is_one_transaction_each() -> None:
    booking = a_booking(total=20_000, currency="JPY")
    moved = ({**TAKEN, "currency": "jpy"}, {**GIVEN, "currency": "jpy"})
    opened = told(booking, word("needs_response", *moved))
    assert [(one.kind, one.source, one.currency) for one in opened.postings] == [
        ("dispute", "txn_1", "JPY"),
        ("dispute", "txn_2", "JPY"),
    ]
    assert dict(opened.postings[1].entries) == {
        "platform:stripe": 200_00,
        "disputes:open": -200_00,
    }
    assert [one.concerns for one in opened.postings] == [WHOM, WHOM]


def test_where_stripe_moved_nothing_yet_nothing_is_booked() -> None:
    quiet = {**word("needs_response"), "balance_transactions": None}
    assert told(a_booking(), quiet).postings == ()
    del quiet["balance_transactions"]
    assert told(a_booking(), quiet).postings == ()


def test_an_open_dispute_is_one_hold_among_others_and_a_step_of_stripes() -> None:
    reviewed = replace(a_booking(), holds={"review": "prv_1"})
    opened = told(reviewed, word("needs_response", TAKEN)).booking
    assert opened.holds == {"review": "prv_1", "dispute": "dp_1"}
    last = opened.history[-1]
    assert (last["status"], last["by"], last["why"], last["at"]) == (
        "DISPUTED",
        "stripe",
        "test",
        NOW,
    )


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.REFUNDED, Status.DISPUTED])
def test_a_booking_that_is_over_is_held_without_another_status(status: Status) -> None:
    booking = a_booking(status=status)
    opened = told(booking, word("needs_response", TAKEN)).booking
    assert opened == replace(booking, holds={"dispute": "dp_1"})


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_under_review"])
def test_an_inquiry_of_any_kind_takes_no_money_and_leaves_the_status(status: str) -> None:
    assert told(a_booking(), word(status)) == Disputed(
        replace(a_booking(), holds={"dispute": "dp_1"}), ()
    )


@pytest.mark.parametrize("status", ["won", "warning_closed", "prevented"])
def test_what_ends_in_our_favour_thaws_the_booking_and_nothing_else(status: str) -> None:
    opened = told(a_booking(), word("needs_response", TAKEN)).booking
    reviewed = replace(opened, holds={**opened.holds, "review": "prv_1"})
    thawed = told(reviewed, word(status, TAKEN, GIVEN)).booking
    assert thawed.status is Status.CONFIRMED
    assert thawed.holds == {"review": "prv_1"}
    last = thawed.history[-1]
    assert (last["by"], last["why"], last["at"]) == ("stripe", "test", NOW)


def test_while_another_dispute_is_open_the_booking_stays_frozen() -> None:
    opened = told(a_booking(), word("needs_response", TAKEN)).booking
    second = replace(opened, holds={"dispute": "dp_2"})
    assert told(second, word("won", TAKEN, GIVEN)).booking == second


def test_a_booking_that_was_never_frozen_needs_no_thaw() -> None:
    held = replace(a_booking(), holds={"dispute": "dp_1"})
    assert told(held, word("warning_closed")).booking == a_booking()


def test_lost_before_completion_is_the_pages_transaction_of_200() -> None:
    opened = told(a_booking(), word("needs_response", TAKEN))
    posting = told(opened.booking, word("lost", TAKEN)).postings[-1]
    assert (posting.kind, posting.source, posting.currency) == ("dispute_lost", "dp_1", "USD")
    assert dict(posting.entries) == {"disputes:open": -200_00, "bookings:held": 200_00}
    assert posting.concerns == WHOM


def test_lost_after_completion_is_the_pages_transaction_of_184_and_16() -> None:
    taken, posting = told(earned(a_booking()), word("lost", TAKEN)).postings
    assert taken.id == "dispute_txn_1"  # its own word may never have come
    assert dict(posting.entries) == {
        "disputes:open": -200_00,
        "provider:provider-1": 184_00,
        "platform:commission": 16_00,
    }


def test_a_lost_dispute_ends_its_own_hold_and_is_a_step_of_stripes() -> None:
    opened = told(replace(a_booking(), holds={"review": "prv_1"}), word("needs_response", TAKEN))
    lost = told(opened.booking, word("lost", TAKEN)).booking
    assert lost.holds == {"review": "prv_1"}
    last = lost.history[-1]
    assert (last["status"], last["by"], last["why"], last["at"]) == (
        "REFUNDED",
        "stripe",
        "test",
        NOW,
    )


@pytest.mark.parametrize(
    ("booking", "before"),
    [(a_booking(), Status.CONFIRMED), (earned(a_booking()), Status.COMPLETED)],
)
def test_a_part_that_is_lost_before_it_was_heard_of_leaves_the_status(
    booking: Booking, before: Status
) -> None:
    lost = told(booking, word("lost", amount=50_00)).booking
    assert lost.status is before
    assert lost.history == booking.history
    assert (lost.money.refunded, lost.money.fee_refunded) == (50_00, 4_00)


def test_a_part_that_is_lost_before_completion_leaves_the_booking_to_be_completed() -> None:
    opened = told(a_booking(), word("needs_response", amount=50_00)).booking
    assert told(opened, word("lost", amount=50_00)).booking.status is Status.CONFIRMED


def test_of_a_cancelled_booking_what_the_bank_takes_leaves_the_status() -> None:
    cancelled = replace(
        earned(a_booking(refunded=100_00, fee_refunded=8_00)), status=Status.CANCELLED
    )
    lost = told(cancelled, word("lost", TAKEN))
    assert lost.booking.status is Status.CANCELLED
    assert dict(lost.postings[-1].entries) == {
        "disputes:open": -200_00,
        "provider:provider-1": 92_00,
        "platform:commission": 8_00,
        "platform:losses": 100_00,
    }


NOTHING_SENT = {
    "operationId": None,
    "stagedAt": None,
    "submittedAt": None,
    "submitted": None,
    "fields": [],
    "warned": None,
}


def test_the_record_of_a_dispute_is_stripes_in_our_names_and_ours_beside_it() -> None:
    due = datetime(2027, 1, 15, 8, tzinfo=UTC)
    dispute = {
        **word("needs_response"),
        "evidence_details": {"due_by": 1_800_000_000},
        "is_charge_refundable": True,
        "created": 1_790_000_000,
    }
    assert document(a_booking(), dispute, NOW) == {
        "kind": "CARD",
        **PARTIES,
        "stripeDisputeId": "dp_1",
        "chargeId": "ch_1",
        "amount": 200_00,
        "currency": "USD",
        "reason": "fraudulent",
        "status": "needs_response",
        "refundable": True,
        "evidenceDueBy": due,
        "evidence": NOTHING_SENT,
        "settled": False,
        "lost": False,
        "createdAt": datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
        "closedAt": None,
        "updatedAt": NOW,
        "warnAt": due - timedelta(days=3),
    }


def test_what_stripe_does_not_say_is_not_refundable_and_was_made_when_it_was_heard_of() -> None:
    record = document(a_booking(), word("needs_response"), NOW)
    assert (record["refundable"], record["createdAt"]) == (False, NOW)


def test_a_record_is_closed_once_and_keeps_its_instant() -> None:
    closed = document(a_booking(), word("won"), NOW)
    assert (closed["settled"], closed["closedAt"]) == (True, NOW)
    again = document(a_booking(), word("won"), NOW + timedelta(days=1), closed)
    assert (again["closedAt"], again["updatedAt"]) == (NOW, NOW + timedelta(days=1))


def test_a_loss_stays_one_in_the_record_while_it_is_appealed() -> None:
    lost = document(a_booking(), word("lost"), NOW)
    assert lost["lost"]
    appealed = document(a_booking(), word("appeal_needs_response"), NOW, lost)
    assert appealed["lost"]
    assert document(a_booking(), word("won"), NOW, appealed)["lost"]
    assert not document(a_booking(), word("won"), NOW)["lost"]


def test_what_was_sent_is_forgotten_when_the_bank_waits_for_another_answer() -> None:
    sent = {
        **NOTHING_SENT,
        "operationId": "op_1",
        "stagedAt": NOW,
        "submittedAt": NOW,
        "submitted": {"uncategorized_text": "x"},
        "fields": ["uncategorized_text"],
        "warned": "close",
    }
    reviewed = {**document(a_booking(), word("under_review"), NOW), "evidence": sent}
    kept = document(a_booking(), word("under_review"), NOW, reviewed)
    assert kept["evidence"] == sent
    asked = document(a_booking(), word("needs_response"), NOW, reviewed)
    assert asked["evidence"] == {**sent, "submittedAt": None, "submitted": None, "warned": None}
    waiting = {**asked, "evidence": sent}
    assert document(a_booking(), word("needs_response"), NOW, waiting)["evidence"] == sent
    unheard = document(a_booking(), word("needs_response"), NOW, {"evidence": sent})
    assert unheard["evidence"]["submittedAt"] is None


@pytest.mark.parametrize(
    ("record", "lost"),
    [
        ({}, False),
        ({"lost": True, "status": "appeal_under_review"}, True),
        ({"lost": False, "status": "lost"}, False),
        ({"status": "lost"}, True),  # of before records said so themselves
        ({"status": "won"}, False),
    ],
)
def test_a_loss_was_booked_if_the_record_says_so(record: dict[str, Any], lost: bool) -> None:
    assert was_lost(record) is lost


@pytest.mark.parametrize(
    ("record", "status", "settled"),
    [
        ({}, "lost", False),
        ({"lost": True}, "appeal_needs_response", True),
        ({"lost": True}, "won", True),
        ({"settled": True, "status": "won"}, "won", True),
        ({"settled": True, "status": "won"}, "needs_response", False),  # the bank appeals
        ({"settled": False, "status": "under_review"}, "won", False),
    ],
)
def test_what_was_booked_is_not_booked_again_but_for_an_appeal_of_what_we_won(
    record: dict[str, Any], status: str, settled: bool
) -> None:
    assert is_settled(record, word(status)) is settled


@pytest.mark.parametrize(
    ("record", "status", "turned"),
    [
        ({"lost": True, "status": "lost"}, "won", True),
        ({"lost": True, "status": "appeal_under_review"}, "won", True),
        ({"lost": True, "status": "won"}, "won", False),  # told before
        ({"lost": True, "status": "appeal_under_review"}, "lost", False),
        ({"lost": False, "status": "under_review"}, "won", False),
    ],
)
def test_a_loss_is_turned_when_an_appeal_is_won(
    record: dict[str, Any], status: str, turned: bool
) -> None:
    assert is_turned(record, word(status)) is turned


def test_of_what_a_bank_took_back_nothing_is_refunded_and_the_disputes_are_named() -> None:
    frozen = told(a_booking(), word("needs_response", TAKEN)).booking
    both = frozen.held_by("review", "prv_1").held_by("dispute", "dp_0")
    assert held_by(both) == ["dp_0", "dp_1"]
    assert no_refund_because(both) == (
        "The cardholder's bank has taken this payment back (dispute dp_0, dp_1)"
        "; a refund would pay it a second time. Wait for the bank's decision"
    )


def test_an_inquiry_keeps_no_refund_back() -> None:
    asked = told(a_booking(), word("warning_needs_response")).booking
    assert no_refund_because(asked) is None
    assert held_by(a_booking()) == []


@pytest.mark.parametrize(("taken", "sign"), [(-185_00, -1), (185_00, 1), (0, 1)])
def test_what_stripe_moved_in_another_currency_is_the_disputes_amount_exchanged(
    taken: int, sign: int
) -> None:
    move = {"id": "txn_1", "amount": taken, "fee": 15_00, "net": taken - 15_00, "currency": "eur"}
    moved, *exchanged = told(a_booking(), word("needs_response", move)).postings
    assert (moved.id, moved.currency) == ("dispute_txn_1", "USD")
    assert dict(moved.entries) == {
        "platform:stripe": sign * 200_00,
        "disputes:open": -sign * 200_00,
    }
    assert {type(amount) for _, amount in moved.entries} == {int}
    conversion, settlement = exchanged
    assert (conversion.id, conversion.currency) == ("conversion_txn_1", "USD")
    assert dict(conversion.entries)["platform:stripe"] == -sign * 200_00
    assert conversion.concerns["bookingId"] == "booking-1"
    assert (settlement.id, settlement.currency) == ("settlement_txn_1", "EUR")
    assert dict(settlement.entries)["platform:stripe"] == taken - 15_00
    assert dict(settlement.entries)["platform:stripe_fees"] == 15_00


@pytest.mark.parametrize("details", [None, {}, {"due_by": None}])
def test_without_a_date_for_evidence_the_record_has_none(details: dict[str, Any] | None) -> None:
    assert (
        document(a_booking(), {**word("won"), "evidence_details": details}, NOW)["evidenceDueBy"]
        is None
    )
    assert document(a_booking(), word("won"), NOW)["evidenceDueBy"] is None


@pytest.mark.parametrize("status", ["warning_closed", "prevented"])
def test_a_closed_inquiry_and_a_prevented_dispute_are_over(status: str) -> None:
    assert is_over(word(status))
