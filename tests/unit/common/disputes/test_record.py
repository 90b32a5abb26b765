"""The record of a dispute: when somebody must be warned, and what an appeal changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from common.disputes.card_dispute import document, is_settled, is_turned, no_refund_because
from common.disputes.record import as_json, awaits, level_at, warned_of, watched
from tests.unit.common.bookings.builders import NOW, a_booking

DUE = NOW + timedelta(days=9)


def word(status: str, due: datetime | None = DUE) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "status": status,
        "amount": 200_00,
        "charge": "ch_1",
        "currency": "usd",
        "reason": "fraudulent",
        "created": int(NOW.timestamp()),
        "evidence_details": {"due_by": int(due.timestamp()) if due else 0},
        "is_charge_refundable": False,
        "balance_transactions": [],
    }


def told(status: str, was: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return document(a_booking(), word(status, **more), NOW, was)


@pytest.mark.parametrize(
    ("left", "level"),
    [
        (timedelta(days=3, seconds=1), None),
        (timedelta(days=3), "close"),
        (timedelta(days=1), "urgent"),
        (timedelta(0), "overdue"),
        (-timedelta(days=1), "overdue"),
    ],
)
def test_the_time_left_has_a_name(left: timedelta, level: str | None) -> None:
    assert level_at(DUE, DUE - left) == level


def test_each_level_is_waited_for_once_and_one_that_was_missed_is_skipped() -> None:
    doc = told("needs_response")
    assert doc["warnAt"] == DUE - timedelta(days=3)
    assert warned_of(doc, "close")["warnAt"] == DUE - timedelta(days=1)
    assert warned_of(doc, "urgent")["warnAt"] == DUE
    assert warned_of(doc, "overdue")["warnAt"] is None


@pytest.mark.parametrize("status", ["under_review", "won", "lost", "warning_closed", "odd"])
def test_who_awaits_nothing_is_not_warned_of(status: str) -> None:
    assert told(status)["warnAt"] is None


@pytest.mark.parametrize(
    "status", ["needs_response", "warning_needs_response", "appeal_needs_response"]
)
def test_chargebacks_inquiries_and_appeals_await_an_answer(status: str) -> None:
    assert awaits(status)
    assert told(status)["warnAt"] is not None
    assert told(status, due=None)["warnAt"] is None


def test_what_was_submitted_is_not_warned_of_whatever_an_older_word_says() -> None:
    doc = told("needs_response")
    doc["evidence"] = {**doc["evidence"], "submittedAt": NOW}
    assert watched(doc) is None
    assert told("needs_response", doc)["warnAt"] is None


def test_what_opens_again_is_to_be_answered_again() -> None:
    asked = told("warning_needs_response")
    asked["evidence"] |= {"submittedAt": NOW, "submitted": "x", "warned": "close", "fields": ["a"]}
    reviewed = told("warning_under_review", asked)
    assert reviewed["evidence"]["submittedAt"] == NOW
    again = told("needs_response", reviewed)
    assert again["evidence"]["submittedAt"] is None
    assert again["evidence"]["fields"] == ["a"]
    assert again["warnAt"] == DUE - timedelta(days=3)


def test_a_lost_dispute_that_is_appealed_is_open_and_its_loss_stays_booked() -> None:
    lost = told("lost", told("needs_response"))
    assert lost["closedAt"] == NOW
    appealed = told("appeal_needs_response", lost)
    assert (appealed["closedAt"], appealed["settled"], appealed["lost"]) == (None, False, True)
    assert is_settled(appealed, word("appeal_under_review"))
    assert is_settled(appealed, word("lost"))


def test_a_loss_that_an_appeal_turns_is_noticed_once() -> None:
    appealed = told("appeal_under_review", told("lost"))
    assert is_turned(appealed, word("won"))
    assert not is_turned(appealed, word("lost"))
    assert not is_turned(told("won", appealed), word("won"))
    assert not is_turned(told("needs_response"), word("won"))


def test_a_won_dispute_that_is_appealed_freezes_again() -> None:
    won = told("won")
    assert is_settled(won, word("won"))
    assert not is_settled(won, word("appeal_needs_response"))
    assert not is_settled(told("warning_closed"), word("needs_response"))


def test_a_record_from_before_the_loss_was_named_is_known_by_its_status() -> None:
    assert is_settled({"status": "lost", "settled": True}, word("appeal_needs_response"))


def test_amounts_are_shown_in_major_units_and_nothing_of_the_evidence() -> None:
    shown = as_json("dp_1", told("needs_response"))
    assert str(shown["amount"]) == "200.00"
    assert shown["evidenceDueBy"] == "2026-11-10T12:00:00Z"
    assert "evidence" not in shown


def test_only_while_the_bank_holds_the_money_is_a_refund_a_second_payment() -> None:
    booking = a_booking().held_by("dispute", "dp_1")
    assert no_refund_because(booking) is None
