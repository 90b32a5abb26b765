"""RESOLVE_REFUND_DISPUTE: an operator decides, and the money goes back or is free."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    a_provider_at_bank,
    arrive,
    as_customer,
    as_operator,
    as_provider,
    charge_of,
    earnings,
    maintenance,
    operations_left,
    payout,
    refund,
    refunds_of,
    together,
    transfers_of,
)
from tests.functions.books import (
    COMMISSION,
    HELD,
    booking_sums,
    books_balance,
    connected,
    debt,
    owed,
    provider_sums,
)
from tests.support.api import Answer
from tests.support.market import Booking, Market, fresh, usd

PROCESSOR = "refund-processor"


def disputed(market: Market, booking: Booking, amount: Any = None, **fields: Any) -> str:
    """A customer's dispute; its id."""
    asked = {} if amount is None else {"requestedAmount": amount}
    told = as_customer(
        market, booking, PROCESSOR, "DISPUTE_REFUND", reason="too short", **asked, **fields
    )
    return str(told.ok()["disputeId"])


def decide(market: Market, dispute_id: str, decision: str, amount: Any = None, **f: Any) -> Answer:
    asked = {} if amount is None else {"refundAmount": amount}
    return market.api.as_operator().post(
        PROCESSOR,
        "RESOLVE_REFUND_DISPUTE",
        disputeId=dispute_id,
        decision=decision,
        **{"note": "both were heard", **asked, **f},
    )


def holds(market: Market, booking: Booking) -> list[str]:
    found: list[str] = market.booking(booking.id)["payment"]["holds"]
    return found


def test_an_upheld_dispute_refunds_what_was_requested_and_frees_the_rest(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    dispute = disputed(market, booking, 50)
    told = decide(market, dispute, "UPHELD").ok()
    assert (told["disputeId"], told["status"]) == (dispute, "UPHELD")
    assert told["refund"]["refundAmount"] == 50
    assert told["refund"]["platformFeeRefunded"] == 4
    assert [one.amount for one in refunds_of(market, booking)] == [50_00]
    market.control.idle()
    assert holds(market, booking) == []
    found = earnings(market, provider)
    assert (found["totalEarnings"], found["heldEarnings"]) == (usd("138.00"), 0)
    assert payout(market, provider).ok()["amount"] == usd("138.00")
    market.control.idle()
    books_balance(market, booking)


def test_an_upheld_dispute_without_an_amount_gives_all_back_and_the_place(market: Market) -> None:
    booking = a_paid_booking(market)
    told = decide(market, disputed(market, booking), "UPHELD").ok()
    assert told["refund"]["refundAmount"] == 200
    market.control.idle()
    assert market.booking(booking.id)["status"] == "REFUNDED"
    assert holds(market, booking) == []
    assert market.book(booking.service, start=booking.start).status == 200
    assert {HELD, COMMISSION} & set(booking_sums(market, booking)) == set()
    books_balance(market, booking)


def test_a_rejected_dispute_gives_nothing_back_and_frees_the_earnings(market: Market) -> None:
    booking = a_completed_booking(market)
    told = decide(market, disputed(market, booking, 50), "REJECTED").ok()
    assert (told["status"], told["refund"], told["refundAmount"]) == ("REJECTED", None, 0)
    assert refunds_of(market, booking) == []
    assert holds(market, booking) == []
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_a_partial_decision_refunds_the_operators_amount(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, 80)
    decide(market, dispute, "PARTIAL").refused(400)
    assert decide(market, dispute, "PARTIAL", 30).ok()["refund"]["refundAmount"] == 30
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("156.40")
    market.control.idle()
    books_balance(market, booking)


def test_money_that_was_transferred_comes_back_in_proportion(market: Market) -> None:
    provider = a_provider_at_bank(market, "000111111116")
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)  # and back again
    decide(market, disputed(market, booking), "PARTIAL", 100).ok()
    market.control.idle()
    assert transfers_of(market, booking)[0].amount_reversed == 92_00
    assert provider_sums(market, provider)[connected(provider)] == 92_00
    books_balance(market, booking)


def test_money_that_was_paid_out_is_refunded_and_the_providers_debt(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    payout(market, provider).ok()
    arrive(market)
    told = decide(market, disputed(market, booking, 100), "UPHELD").ok()
    assert told["refund"]["refundAmount"] == 100
    market.control.idle()
    assert provider_sums(market, provider)[debt(provider)] == 92_00
    books_balance(market, booking)


def test_a_cancelled_bookings_rest_may_go_back_by_decision(market: Market) -> None:
    booking = a_paid_booking(market, cancellationPolicy=[{"hoursBefore": 1, "refundPercent": 50}])
    cancelled = as_customer(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
    assert cancelled["refund"]["refundAmount"] == 100
    market.control.idle()
    provider = booking.service.provider
    dispute = disputed(market, booking, 60, refundId=cancelled["refund"]["refundId"])
    assert earnings(market, provider)["totalEarnings"] == 0
    assert decide(market, dispute, "UPHELD").ok()["refund"]["refundAmount"] == 60
    market.control.idle()
    shown = market.booking(booking.id)
    assert (shown["status"], shown["payment"]["refundedAmount"]) == ("CANCELLED", 160)
    assert earnings(market, provider)["totalEarnings"] == usd("36.80")
    books_balance(market, booking)


def test_a_compensation_pays_for_a_later_decision_only_as_far_as_it_must(market: Market) -> None:
    booking = a_paid_booking(market)
    provider = booking.service.provider
    refund(market, booking, 150, providerCompensation=50).ok()
    market.control.idle()
    decide(market, disputed(market, booking, 20), "UPHELD").ok()
    market.control.idle()
    totals = booking_sums(market, booking)
    assert totals[owed(provider)] == -30_00
    assert COMMISSION not in totals
    books_balance(market, booking)


def test_deciding_the_same_again_is_the_same_answer_and_one_refund(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, 50)
    first = decide(market, dispute, "UPHELD").ok()
    market.control.idle()
    for again in (decide(market, dispute, "UPHELD"), decide(market, dispute, "UPHELD", 50)):
        assert again.ok()["refund"]["refundId"] == first["refund"]["refundId"]
    key = fresh("key")
    keyed = [decide(market, dispute, "UPHELD", idempotency_key=key) for _ in range(2)]
    assert keyed[0].ok() == keyed[1].ok()
    assert [one.amount for one in refunds_of(market, booking)] == [50_00]
    books_balance(market, booking)


def test_a_decided_dispute_cannot_be_decided_otherwise(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, 50)
    decide(market, dispute, "REJECTED").ok()
    assert decide(market, dispute, "REJECTED").ok()["status"] == "REJECTED"
    refused = decide(market, dispute, "UPHELD").refused(409, "wrong_state")
    assert refused["currentStatus"] == "REJECTED"
    decide(market, dispute, "PARTIAL", 10).refused(409)
    assert refunds_of(market, booking) == []
    books_balance(market, booking)


def test_two_operators_who_decide_differently_at_once_decide_once(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, 50)
    answers = together(
        lambda: decide(market, dispute, "UPHELD"),
        lambda: decide(market, dispute, "REJECTED"),
        lambda: decide(market, dispute, "UPHELD"),
    )
    market.control.idle()
    status = {one.json["status"] for one in answers if one.status == 200}
    assert len(status) == 1, [one.text for one in answers]
    assert {one.status for one in answers} <= {200, 409}
    made = [one.amount for one in refunds_of(market, booking)]
    assert made == ([50_00] if status == {"UPHELD"} else [])
    assert holds(market, booking) == []
    books_balance(market, booking)


def test_what_went_back_since_counts_towards_what_was_requested(market: Market) -> None:
    booking, other = a_paid_booking(market), a_paid_booking(market)
    dispute, covered = disputed(market, booking, 80), disputed(market, other, 80)
    refund(market, booking, 50).ok()
    refund(market, other, 80).ok()
    market.control.idle()
    assert decide(market, dispute, "UPHELD").ok()["refund"]["refundAmount"] == 30
    told = decide(market, covered, "UPHELD").ok()
    assert (told["status"], told["refund"]) == ("UPHELD", None)
    market.control.idle()
    assert holds(market, other) == []
    books_balance(market, booking, other)


@pytest.mark.parametrize("how", ["refunded", "cancelled", "lost at the bank"])
def test_when_all_of_it_went_back_meanwhile_there_is_nothing_more_to_give(
    market: Market, how: str
) -> None:
    booking = a_paid_booking(market)
    dispute = disputed(market, booking, 80)
    if how == "refunded":
        refund(market, booking).ok()
    elif how == "cancelled":
        as_provider(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
    else:
        market.control.dispute(charge_of(market, booking), outcome="lost")
    market.control.idle()
    assert decide(market, dispute, "PARTIAL", 1).refused(400, "exceeds_remaining")["allowed"] == 0
    told = decide(market, dispute, "UPHELD").ok()
    assert (told["status"], told["refund"]) == ("UPHELD", None)
    assert holds(market, booking) == []
    books_balance(market, booking)


def test_while_the_bank_has_the_money_only_a_rejection_can_be_decided(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, 80)
    market.control.dispute(charge_of(market, booking))
    market.control.idle()
    refused = decide(market, dispute, "UPHELD").refused(400, "not_refundable")
    assert refused["currentStatus"] == "DISPUTED"
    assert holds(market, booking) == ["dispute", "refund_dispute"]
    decide(market, dispute, "REJECTED").ok()
    assert holds(market, booking) == ["dispute"]
    market.control.dispute(charge_of(market, booking), outcome="won")
    market.control.idle()
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_what_stripe_refuses_leaves_the_dispute_open_and_the_money_held(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    dispute = disputed(market, booking, 50)
    market.control.fault("POST", "/v1/refunds", "error_before", status=400, code="charge_disputed")
    assert decide(market, dispute, "UPHELD").refused(502)["stripeCode"] == "charge_disputed"
    assert holds(market, booking) == ["refund_dispute"]
    assert earnings(market, provider)["heldEarnings"] == usd("184.00")
    assert story(market, booking, booking.customer)[0]["status"] == "OPEN"
    assert decide(market, dispute, "UPHELD").ok()["refund"]["refundAmount"] == 50
    market.control.idle()
    assert [one.amount for one in refunds_of(market, booking)] == [50_00]
    assert earnings(market, provider)["totalEarnings"] == usd("138.00")
    books_balance(market, booking)


@pytest.mark.parametrize("mode", ["timeout_before", "reset_after"])
def test_a_lost_answer_keeps_the_money_held_until_somebody_finishes(
    market: Market, mode: str
) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, 50)
    market.control.fault("POST", "/v1/refunds", mode, times=2)
    market.control.fault("GET", "/v1/refunds", "error_before", status=500, times=4)
    decide(market, dispute, "UPHELD").refused(503)
    market.control.clear_faults()
    assert holds(market, booking) == ["refund_dispute"]
    assert decide(market, dispute, "REJECTED").refused(409)["currentStatus"] == "UPHELD"
    market.control.advance(10)
    maintenance(market)
    market.control.idle()
    assert decide(market, dispute, "UPHELD").ok()["refund"]["refundAmount"] == 50
    assert holds(market, booking) == []
    assert [one.amount for one in refunds_of(market, booking)] == [50_00]
    assert operations_left(market, "disputeId", dispute) == []
    books_balance(market, booking)


def test_only_an_operator_decides_and_only_with_sense(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, 50)
    fields = {"disputeId": dispute, "decision": "REJECTED", "note": "no"}
    for uid in (booking.customer, booking.service.provider.uid, fresh("customer")):
        market.api.as_user(uid).post(PROCESSOR, "RESOLVE_REFUND_DISPUTE", **fields).refused(403)
    decide(market, "dispute-nobody", "REJECTED").refused(404)
    decide(market, dispute, "MAYBE").refused(400)
    decide(market, dispute, "REJECTED", 5).refused(400)
    decide(market, dispute, "UPHELD", 0).refused(400)
    decide(market, dispute, "UPHELD", "10.001").refused(400)
    decide(market, dispute, "UPHELD", "1e3").refused(400)
    decide(market, dispute, "UPHELD", -5).refused(400)
    decide(market, dispute, "REJECTED", note="").refused(400)
    decide(market, dispute, "REJECTED", note=None).refused(400)
    allowed = decide(market, dispute, "PARTIAL", "200.01").refused(400, "exceeds_remaining")
    assert allowed["allowed"] == 200
    assert story(market, booking, booking.customer)[0]["status"] == "OPEN"
    books_balance(market, booking)


def test_a_card_dispute_is_the_banks_to_decide(market: Market) -> None:
    booking = a_completed_booking(market)
    market.control.dispute(charge_of(market, booking))
    market.control.idle()
    at_bank = market.stripe.v1.disputes.list({"payment_intent": booking.payment_intent}).data[0]
    decide(market, at_bank.id, "REJECTED").refused(404)
    assert holds(market, booking) == ["dispute"]


def story(market: Market, booking: Booking, uid: str) -> list[dict[str, Any]]:
    """GET_REFUND_STATUS's disputes as one of the parties sees them."""
    caller = market.api.as_user(uid)
    told = caller.post(PROCESSOR, "GET_REFUND_STATUS", bookingId=booking.id).ok()
    found: list[dict[str, Any]] = told["disputes"]
    return found


def test_both_sides_see_what_either_said_and_what_was_decided(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    dispute = disputed(market, booking, 80, evidence="a photo of the clock")
    answer = {"reason": "he came late", "evidence": "the door's log", "requestedAmount": 20}
    joined = as_provider(market, booking, PROCESSOR, "DISPUTE_REFUND", **answer).ok()
    assert joined["disputeId"] == dispute
    decide(market, dispute, "PARTIAL", 40, note="half of it each").ok()
    market.control.idle()
    told = [story(market, booking, uid) for uid in (booking.customer, provider.uid)]
    assert told[0] == told[1]
    (seen,) = told[0]
    assert (seen["openedBy"], seen["reason"], seen["requestedAmount"]) == (
        "customer",
        "too short",
        80,
    )
    assert [(one["by"], one["evidence"]) for one in seen["statements"]] == [
        ("customer", "a photo of the clock"),
        ("provider", "the door's log"),
    ]
    assert (seen["decision"], seen["refundAmount"], seen["note"]) == (
        "PARTIAL",
        40,
        "half of it each",
    )
    assert seen["createdAt"] <= seen["decidedAt"]
    made = market.api.as_user(provider.uid).post(
        PROCESSOR, "GET_REFUND_STATUS", bookingId=booking.id
    )
    assert seen["resolutionRefundId"] == made.ok()["refunds"][0]["refundId"]
    stranger = market.api.as_user(fresh("customer"))
    stranger.post(PROCESSOR, "GET_REFUND_STATUS", bookingId=booking.id).refused(404)
    books_balance(market, booking)


def test_each_side_is_heard_once_even_at_once(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    answers = together(
        *[
            lambda n=n: as_provider(  # type: ignore[misc]
                market, booking, PROCESSOR, "DISPUTE_REFUND", reason=f"not so {n}"
            )
            for n in range(3)
        ]
    )
    assert {one.ok()["disputeId"] for one in answers} == {dispute}
    as_customer(market, booking, PROCESSOR, "DISPUTE_REFUND", reason="still").ok()
    (seen,) = story(market, booking, booking.customer)
    assert [one["by"] for one in seen["statements"]] == ["customer", "provider"]
    assert {one.json["statements"][1]["reason"] for one in answers} == {
        seen["statements"][1]["reason"]
    }


def test_after_a_decision_there_may_be_another_dispute(market: Market) -> None:
    booking = a_completed_booking(market)
    first = disputed(market, booking, 50)
    decide(market, first, "REJECTED").ok()
    second = disputed(market, booking, 30)
    assert second != first
    assert holds(market, booking) == ["refund_dispute"]
    decide(market, second, "UPHELD").ok()
    market.control.idle()
    seen = story(market, booking, booking.customer)
    assert [(one["disputeId"], one["status"]) for one in seen] == [
        (first, "REJECTED"),
        (second, "UPHELD"),
    ]
    books_balance(market, booking)


def test_a_double_click_of_a_refund_is_known_after_a_decision(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, 20)
    asked = {"refundAmount": 10, "reason": "click"}
    first = as_operator(market, booking, PROCESSOR, "PROCESS_REFUND", **asked).ok()
    decide(market, dispute, "PARTIAL", 5).ok()
    again = as_operator(market, booking, PROCESSOR, "PROCESS_REFUND", **asked).ok()
    assert again["refundId"] == first["refundId"]
    market.control.idle()
    assert sorted(one.amount for one in refunds_of(market, booking)) == [5_00, 10_00]
    books_balance(market, booking)
