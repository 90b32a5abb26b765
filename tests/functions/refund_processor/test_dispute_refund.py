"""DISPUTE_REFUND: what is not transferred yet waits; at most one is open."""

from __future__ import annotations

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    as_customer,
    as_operator,
    as_provider,
    earnings,
    payout,
    refund,
    together,
    transfers_of,
)
from tests.functions.books import books_balance
from tests.support.market import Market, fresh, usd

ACT = "refund-processor", "DISPUTE_REFUND"


def test_a_refund_dispute_holds_the_earnings_and_a_second_call_answers_the_first(
    market: Market,
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    told = as_customer(market, booking, *ACT, reason="half an hour short", requestedAmount=80).ok()
    assert told["status"] == "OPEN"
    assert told["disputeId"]
    found = earnings(market, provider)
    assert (found["totalEarnings"], found["heldEarnings"]) == (0, usd("184.00"))
    assert payout(market, provider).refused(400)["available"] == 0
    again = as_customer(market, booking, *ACT, reason="still").ok()
    by_provider = as_provider(market, booking, *ACT, reason="not so").ok()
    assert again["disputeId"] == by_provider["disputeId"] == told["disputeId"]
    assert transfers_of(market, booking) == []
    books_balance(market, booking)


def test_refund_disputes_opened_at_once_are_one(market: Market) -> None:
    booking = a_paid_booking(market)
    answers = together(*[lambda: as_customer(market, booking, *ACT, reason="cold")] * 3)
    assert len({answer.ok()["disputeId"] for answer in answers}) == 1
    books_balance(market, booking)


def test_a_refund_can_be_contested_by_its_parties_only_and_with_sense(market: Market) -> None:
    booking, unpaid = a_paid_booking(market), market.a_booking()
    given = refund(market, booking, 50).ok()
    stranger = market.api.as_user(fresh("customer"))
    stranger.post(*ACT, bookingId=booking.id, reason="mine").refused(404)
    as_operator(market, booking, *ACT, reason="why").refused(403)
    as_customer(market, booking, *ACT).refused(400)
    as_customer(market, booking, *ACT, reason="x", requestedAmount="200.01").refused(400)
    as_customer(market, unpaid, *ACT, reason="x").refused(409)
    told = as_customer(market, booking, *ACT, reason="too little", refundId=given["refundId"]).ok()
    assert told["status"] == "OPEN"
    market.control.idle()
    books_balance(market, booking)


def test_a_refund_of_somebody_elses_booking_cannot_be_named(market: Market) -> None:
    booking, other = a_paid_booking(market), a_paid_booking(market)
    theirs = refund(market, other, 50).ok()["refundId"]
    told = as_customer(market, booking, *ACT, reason="x", refundId=theirs)
    assert told.status in (400, 404), told.text
    market.control.idle()
    books_balance(market, booking, other)
