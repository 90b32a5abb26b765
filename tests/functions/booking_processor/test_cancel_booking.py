"""CANCEL_BOOKING: who gets what back, when, and how often that happens (once)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    as_customer,
    as_operator,
    as_provider,
    earnings,
    maintenance,
    refund,
    refunds_of,
    soon,
    together,
    until_answered,
)
from tests.functions.books import COMMISSION, HELD, booking_sums, books_balance, owed
from tests.support.api import Answer
from tests.support.market import Booking, Market, fresh, usd

CUSTOM = [{"hoursBefore": 48, "refundPercent": 80}, {"hoursBefore": 12, "refundPercent": 25}]


def cancelled_by_customer(market: Market, booking: Booking, **fields: Any) -> Answer:
    return as_customer(market, booking, "booking-processor", "CANCEL_BOOKING", **fields)


@pytest.mark.parametrize(
    ("policy", "hours", "inside", "outside"),
    [
        ("FLEXIBLE", 24, "200.00", "100.00"),
        ("MODERATE", 120, "200.00", "100.00"),
        ("MODERATE", 24, "100.00", None),
        ("STRICT", 336, "200.00", "100.00"),
        ("STRICT", 168, "100.00", None),
        (CUSTOM, 48, "160.00", "50.00"),
        (CUSTOM, 12, "50.00", None),
    ],
)
def test_a_customer_gets_what_the_policy_gives_on_either_side_of_its_edge(
    market: Market, policy: Any, hours: int, inside: str | None, outside: str | None
) -> None:
    provider = market.a_provider()
    edge = soon(market, hours=hours)
    for start, expected in [(edge + timedelta(seconds=60), inside), (edge, outside)]:
        booking = a_paid_booking(market, provider, start=start, cancellationPolicy=policy)
        told = cancelled_by_customer(market, booking).ok()
        assert told["status"] == "CANCELLED"
        assert told["booking"]["status"] == "CANCELLED"
        back = usd(expected or "0.00")
        if expected is None:
            assert told["refund"] is None
            assert refunds_of(market, booking) == []
        else:
            assert told["refund"]["refundAmount"] == back
            assert told["refund"]["platformFeeRefunded"] == back * 8 / 100
            assert told["refund"]["providerCompensation"] == usd("184.00") - back * 92 / 100
            assert told["refund"]["currency"] == "USD"
            assert told["refund"]["status"] == "SUCCEEDED"
            assert [one.amount for one in refunds_of(market, booking)] == [int(back * 100)]
        rest = 200_00 - int(back * 100)
        totals = booking_sums(market, booking)
        assert -totals.get(owed(provider), 0) == rest * 92 // 100
        assert -totals.get(COMMISSION, 0) == rest * 8 // 100
        assert HELD not in totals
        market.control.idle()
        books_balance(market, booking)


def test_a_flexible_booking_gives_half_back_until_its_start_and_nothing_after_it(
    market: Market,
) -> None:
    provider = market.a_provider()
    before = a_paid_booking(market, provider, start=soon(market, seconds=30))
    after = a_paid_booking(market, provider, start=soon(market, minutes=6))
    assert cancelled_by_customer(market, before).ok()["refund"]["refundAmount"] == usd("100.00")
    market.control.advance(7 * 60)
    told = cancelled_by_customer(market, after).ok()
    assert (told["status"], told["refund"]) == ("CANCELLED", None)
    assert earnings(market, provider)["totalEarnings"] == usd("276.00")
    books_balance(market, before, after)


@pytest.mark.parametrize("act", [as_provider, as_operator])
def test_the_provider_and_the_operator_cancel_with_a_refund_in_full(
    market: Market, act: Any
) -> None:
    booking = a_paid_booking(market, start=soon(market), cancellationPolicy="STRICT")
    told = act(market, booking, "booking-processor", "CANCEL_BOOKING", reason="ill").ok()
    assert told["bookingId"] == booking.id
    assert told["status"] == "CANCELLED"
    assert told["refund"]["refundAmount"] == usd("200.00")
    assert told["refund"]["platformFeeRefunded"] == usd("16.00")
    assert told["refund"]["providerCompensation"] == usd("0.00")
    assert told["refund"]["refundId"]
    assert earnings(market, booking.service.provider)["totalEarnings"] == 0
    market.control.idle()
    books_balance(market, booking)


def test_what_a_cancellation_leaves_the_provider_is_eligible_at_once(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=20))
    cancelled_by_customer(market, booking).ok()
    told = earnings(market, booking.service.provider)
    assert told["totalEarnings"] == usd("92.00")
    assert [(one["bookingId"], one["amount"]) for one in told["eligibleBookings"]] == [
        (booking.id, usd("92.00"))
    ]
    assert told["heldEarnings"] == 0
    books_balance(market, booking)


def test_the_policy_counts_what_was_refunded_before(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=20))
    as_operator(
        market, booking, "refund-processor", "PROCESS_REFUND", refundAmount=30, reason="late"
    ).ok()
    told = cancelled_by_customer(market, booking).ok()
    assert told["refund"]["refundAmount"] == usd("70.00")
    assert told["refund"]["platformFeeRefunded"] == usd("5.60")
    assert told["refund"]["providerCompensation"] == usd("92.00")
    market.control.idle()
    books_balance(market, booking)


def test_a_refund_of_before_is_not_the_cancellations(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=20), cancellationPolicy="STRICT")
    refund(market, booking, 30).ok()
    for _ in range(2):
        assert cancelled_by_customer(market, booking).ok()["refund"] is None
    market.control.idle()
    books_balance(market, booking)


def test_cancelling_an_unpaid_booking_cancels_its_payment_and_frees_the_place(
    market: Market,
) -> None:
    booking = market.a_booking()
    told = cancelled_by_customer(market, booking).ok()
    assert (told["status"], told["refund"]) == ("CANCELLED", None)
    intent = market.stripe.v1.payment_intents.retrieve(booking.payment_intent)
    assert intent.status == "canceled"
    assert market.book(booking.service, start=booking.start).status == 200
    market.control.idle()
    books_balance(market, booking)


def test_cancelling_a_paid_booking_frees_the_place(market: Market) -> None:
    booking = a_paid_booking(market)
    cancelled_by_customer(market, booking).ok()
    assert market.book(booking.service, start=booking.start).status == 200


def test_cancelling_twice_answers_the_same_and_refunds_once(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=20))
    first = cancelled_by_customer(market, booking).ok()
    market.control.idle()
    second = cancelled_by_customer(market, booking).ok()
    assert second["refund"] == first["refund"]
    assert second["status"] == first["status"]
    by_operator = as_operator(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
    assert by_operator["refund"] == first["refund"]
    assert len(refunds_of(market, booking)) == 1
    books_balance(market, booking)


def test_the_same_key_replays_a_cancellation(market: Market) -> None:
    booking, key = a_paid_booking(market), fresh("key")
    first = cancelled_by_customer(market, booking, idempotency_key=key)
    second = cancelled_by_customer(market, booking, idempotency_key=key)
    assert second.ok() == first.ok()
    assert second.headers["Idempotent-Replayed"] == "true"
    books_balance(market, booking)


def test_customer_and_provider_cancelling_at_once_make_one_refund(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=20))
    answers = together(
        lambda: cancelled_by_customer(market, booking),
        lambda: as_provider(market, booking, "booking-processor", "CANCEL_BOOKING"),
        lambda: cancelled_by_customer(market, booking),
    )
    amounts = {answer.ok()["refund"]["refundAmount"] for answer in answers}
    assert len(amounts) == 1
    assert amounts <= {usd("100.00"), usd("200.00")}
    assert [one.amount for one in refunds_of(market, booking)] == [int(amounts.pop() * 100)]
    market.control.idle()
    books_balance(market, booking)


def test_a_payment_that_races_a_cancellation_leaves_nothing_with_us(market: Market) -> None:
    booking = market.a_booking()
    market.control.webhooks("hold")
    market.pay(booking, wait=False)
    told = cancelled_by_customer(market, booking).ok()
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert told["status"] == "CANCELLED"
    assert market.booking(booking.id)["status"] == "CANCELLED"
    assert [one.amount for one in refunds_of(market, booking)] == [200_00]
    books_balance(market, booking)


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "timeout_after"])
def test_a_cancellation_cut_short_at_stripe_is_finished_with_one_refund(
    market: Market, mode: str
) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=20))
    market.control.fault("POST", "/v1/refunds", mode, seconds=0.2)
    cut = cancelled_by_customer(market, booking)
    assert cut.status in (200, 502, 503), cut.text
    market.control.clear_faults()
    again = until_answered(lambda: cancelled_by_customer(market, booking)).ok()
    assert again["status"] == "CANCELLED"
    assert again["refund"]["refundAmount"] == usd("100.00")
    market.control.idle()
    maintenance(market)
    assert [one.amount for one in refunds_of(market, booking)] == [100_00]
    books_balance(market, booking)


def test_a_booking_that_is_over_can_no_longer_be_cancelled(market: Market) -> None:
    booking = a_completed_booking(market)
    told = cancelled_by_customer(market, booking).refused(409)
    assert told["currentStatus"] == "COMPLETED"
    books_balance(market, booking)


def test_a_stranger_does_not_learn_of_the_booking(market: Market) -> None:
    booking = a_paid_booking(market)
    stranger = market.api.as_user(fresh("customer"))
    stranger.post("booking-processor", "CANCEL_BOOKING", bookingId=booking.id).refused(404)
    assert market.booking(booking.id)["status"] == "CONFIRMED"
