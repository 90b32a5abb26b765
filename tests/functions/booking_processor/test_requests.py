"""Requests to book: authorised by the customer, accepted, declined or left unanswered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.functions.acts import (
    DAY,
    as_customer,
    as_operator,
    as_provider,
    maintenance,
    operations_left,
    payout,
    soon,
    together,
)
from tests.functions.books import HELD, STRIPE, booking_sums, books_balance
from tests.support.api import Answer
from tests.support.market import Booking, Market, Provider, fresh, usd

BOOKINGS = "booking-processor"


def a_request(
    market: Market,
    provider: Provider | None = None,
    *,
    start: datetime | None = None,
    lasts: timedelta = timedelta(hours=1),
    authorised: bool = True,
    pm: str = "pm_card_visa",
    **service: Any,
) -> Booking:
    """A request of a customer whose bank has set the money aside."""
    offered = market.a_service(provider or market.a_provider(), bookingMode="REQUEST", **service)
    booking = market.a_booking(offered, start=start or soon(market, days=3), lasts=lasts)
    if authorised:
        market.pay(booking, pm)
    return booking


def accept(market: Market, booking: Booking, **fields: Any) -> Answer:
    return as_provider(market, booking, BOOKINGS, "CONFIRM_BOOKING", **fields)


def decline(market: Market, booking: Booking, **fields: Any) -> Answer:
    return as_provider(market, booking, BOOKINGS, "DECLINE_BOOKING", **fields)


def intent(market: Market, booking: Booking) -> Any:
    return market.stripe.v1.payment_intents.retrieve(booking.payment_intent)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_request_is_authorised_then_accepted_and_captured(market: Market) -> None:
    booking = a_request(market)
    waiting = market.booking(booking.id)
    assert waiting["status"] == "REQUESTED"
    assert waiting["payment"]["paidAmount"] == 0
    assert intent(market, booking).status == "requires_capture"
    assert market.ledger(booking.id) == []
    told = accept(market, booking).ok()
    assert (told["bookingId"], told["status"]) == (booking.id, "CONFIRMED")
    assert told["booking"]["payment"]["paidAmount"] == usd("200.00")
    assert intent(market, booking).status == "succeeded"
    market.control.idle()
    sums = booking_sums(market, booking)
    assert (sums[STRIPE], sums[HELD]) == (200_00 - 6_10, -200_00)
    assert [step["status"] for step in told["booking"]["history"]] == [
        "PENDING",
        "REQUESTED",
        "CONFIRMED",
    ]
    assert accept(market, booking).ok()["status"] == "CONFIRMED"
    market.complete(booking)
    assert payout(market, booking.service.provider).ok()["amount"] == usd("184.00")
    market.control.idle()
    books_balance(market, booking)


def test_an_operator_may_accept_and_a_customer_may_not(market: Market) -> None:
    booking = a_request(market)
    told = as_customer(market, booking, BOOKINGS, "CONFIRM_BOOKING").ok()
    assert told["status"] == "REQUESTED"
    assert intent(market, booking).status == "requires_capture"
    as_customer(market, booking, BOOKINGS, "DECLINE_BOOKING").refused(403)
    stranger = market.api.as_user(market.a_provider(ready=False).uid)
    for action in ("CONFIRM_BOOKING", "DECLINE_BOOKING"):
        stranger.post(BOOKINGS, action, bookingId=booking.id).refused(404)
    assert as_operator(market, booking, BOOKINGS, "CONFIRM_BOOKING").ok()["status"] == "CONFIRMED"


def test_a_declined_request_lets_the_money_go_and_the_place(market: Market) -> None:
    booking = a_request(market)
    told = decline(market, booking, reason="I am away").ok()
    assert told["status"] == "DECLINED"
    assert told["booking"]["request"]["declineReason"] == "I am away"
    assert intent(market, booking).status == "canceled"
    assert decline(market, booking).ok()["status"] == "DECLINED"
    refused = accept(market, booking)
    assert refused.refused(409)["currentStatus"] == "DECLINED"
    again = market.book(booking.service, start=booking.start)
    again.ok()
    market.control.idle()
    assert market.ledger(booking.id) == []
    assert operations_left(market, "bookingId", booking.id) == []
    books_balance(market, booking)


def test_a_customer_calls_a_request_off_without_any_charge(market: Market) -> None:
    booking = a_request(market)
    told = as_customer(market, booking, BOOKINGS, "CANCEL_BOOKING").ok()
    assert (told["status"], told["refund"]) == ("CANCELLED", None)
    assert intent(market, booking).status == "canceled"
    market.control.idle()
    assert market.booking(booking.id)["status"] == "CANCELLED"
    books_balance(market, booking)


@pytest.mark.parametrize(
    ("starts", "lasts", "expected"),
    [
        (timedelta(days=7), timedelta(hours=1), timedelta(days=6)),
        (timedelta(days=3), timedelta(days=9), timedelta(days=4)),
        (timedelta(days=3), timedelta(hours=2), timedelta(days=3, hours=2)),
    ],
    ids=["six days", "a day after the start", "the end"],
)
def test_the_provider_has_until_the_earliest_of_three_instants(
    market: Market, starts: timedelta, lasts: timedelta, expected: timedelta
) -> None:
    asked = soon(market, seconds=0)
    booking = a_request(market, start=asked + starts - timedelta(minutes=1), lasts=lasts)
    by = moment(market.booking(booking.id)["request"]["respondBy"])
    if expected == timedelta(days=6):
        assert timedelta(0) <= by - (asked + expected) < timedelta(minutes=1)
    else:
        assert by == asked + expected - timedelta(minutes=1)


def test_an_unanswered_request_expires_and_the_money_is_let_go(market: Market) -> None:
    booking = a_request(market, start=soon(market, days=6, hours=23))
    by = moment(market.booking(booking.id)["request"]["respondBy"])
    market.control.advance(int((by - market.control.now()).total_seconds()) - 60)
    maintenance(market)
    assert market.booking(booking.id)["status"] == "REQUESTED"
    market.control.advance(120)
    assert accept(market, booking).refused(409)["currentStatus"] == "REQUESTED"
    maintenance(market)
    assert market.booking(booking.id)["status"] == "EXPIRED"
    assert intent(market, booking).status == "canceled"
    market.control.idle()
    assert maintenance(market)["failed"] == 0
    books_balance(market, booking)


def test_a_request_that_keeps_its_place_keeps_others_out_until_it_lapses(market: Market) -> None:
    booking = a_request(market, start=soon(market, days=6, hours=20))
    taken = market.book(booking.service, start=booking.start)
    assert taken.refused(409)["reason"] == "full"
    market.control.advance(6 * DAY + 60)  # nobody has run the maintenance
    second = market.a_booking(booking.service, start=booking.start)
    assert market.booking(booking.id)["status"] == "EXPIRED"
    maintenance(market)
    assert intent(market, booking).status == "canceled"
    market.pay(second)
    assert market.booking(second.id)["status"] == "REQUESTED"
    books_balance(market, booking, second)


def test_requests_that_keep_no_place_are_many_until_one_is_accepted(market: Market) -> None:
    service = market.a_service(market.a_provider(), bookingMode="REQUEST", requestsBlock=False)
    start = soon(market, days=2)
    asked = [market.a_booking(service, start=start) for _ in range(3)]
    for booking in asked:
        market.pay(booking)
    shown = [market.booking(booking.id) for booking in asked]
    assert [one["status"] for one in shown] == ["REQUESTED"] * 3
    assert not shown[0]["request"]["keepsPlace"]
    answers = together(*(lambda booking=one: accept(market, booking) for one in asked))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    lost = [answer for answer in answers if answer.status == 409]
    assert {answer.json["reason"] for answer in lost} == {"full"}
    won = next(
        booking for booking, answer in zip(asked, answers, strict=True) if answer.status == 200
    )
    others = [booking for booking in asked if booking is not won]
    assert decline(market, others[0]).ok()["status"] == "DECLINED"
    as_customer(market, others[1], BOOKINGS, "CANCEL_BOOKING").ok()
    as_customer(market, won, BOOKINGS, "CANCEL_BOOKING").ok()
    market.book(service, start=start).ok()
    market.control.idle()
    books_balance(market, *asked)


def test_a_request_that_keeps_no_place_must_be_answered_before_its_start(market: Market) -> None:
    booking = a_request(
        market, start=soon(market, days=2), lasts=timedelta(days=3), requestsBlock=False
    )
    assert moment(market.booking(booking.id)["request"]["respondBy"]) == booking.start


def test_a_bank_that_lets_go_early_ends_the_request(market: Market) -> None:
    booking = a_request(market)
    market.stripe.v1.payment_intents.cancel(booking.payment_intent)
    market.control.idle()
    assert market.booking(booking.id)["status"] == "EXPIRED"
    assert accept(market, booking).refused(409)["paymentStatus"] == "canceled"
    market.book(booking.service, start=booking.start).ok()
    books_balance(market, booking)


def test_an_acceptance_that_finds_the_authorisation_gone_ends_the_request(market: Market) -> None:
    booking = a_request(market)
    market.control.webhooks("hold")
    market.stripe.v1.payment_intents.cancel(booking.payment_intent)
    assert accept(market, booking).refused(409)["paymentStatus"] == "canceled"
    assert market.booking(booking.id)["status"] == "EXPIRED"
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert market.booking(booking.id)["status"] == "EXPIRED"
    books_balance(market, booking)


def test_a_lost_authorisation_event_is_healed_by_asking(market: Market) -> None:
    booking = a_request(market, authorised=False)
    other = a_request(market, authorised=False)
    market.control.webhooks("drop")
    for one in (booking, other):
        market.pay(one, wait=False)
    market.control.idle()
    assert market.booking(booking.id)["status"] == "PENDING"
    market.control.webhooks("normal")
    assert accept(market, booking).ok()["status"] == "CONFIRMED"
    market.control.advance(16 * 60)  # the hold for payment has run out
    maintenance(market)
    assert market.booking(other.id)["status"] == "REQUESTED"
    assert accept(market, other).ok()["status"] == "CONFIRMED"
    market.control.idle()
    books_balance(market, booking, other)


def test_a_capture_by_hand_confirms_the_request(market: Market) -> None:
    booking = a_request(market)
    market.stripe.v1.payment_intents.capture(booking.payment_intent)
    market.control.idle()
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    books_balance(market, booking)


def test_a_capture_whose_answer_is_lost_is_found_not_made_again(market: Market) -> None:
    booking = a_request(market)
    market.control.webhooks("hold")
    market.control.fault("POST", r"/v1/payment_intents/.*/capture", "reset_after", times=2)
    assert accept(market, booking).status == 503
    market.control.clear_faults()
    assert market.booking(booking.id)["status"] == "REQUESTED"
    told = accept(market, booking, idempotency_key=fresh("key")).ok()
    assert told["status"] == "CONFIRMED"
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert [row["kind"] for row in market.ledger(booking.id)].count("charge") == 1
    books_balance(market, booking)


def test_a_cancellation_that_crosses_an_acceptance_leaves_nobody_charged_for_nothing(
    market: Market,
) -> None:
    for _ in range(4):
        booking = a_request(market)
        together(
            lambda booking=booking: accept(market, booking),
            lambda booking=booking: as_customer(market, booking, BOOKINGS, "CANCEL_BOOKING"),
        )
        market.control.idle()
        market.control.advance(10)
        maintenance(market)
        market.control.idle()
        assert market.booking(booking.id)["status"] in ("CONFIRMED", "CANCELLED")
        if market.booking(booking.id)["status"] == "CANCELLED":
            charged = intent(market, booking)
            if charged.status == "succeeded":
                refunds = market.stripe.v1.refunds.list({"payment_intent": charged.id}).data
                assert sum(one.amount for one in refunds) == 200_00
            else:
                assert charged.status == "canceled"
        assert operations_left(market, "bookingId", booking.id) == []
        books_balance(market, booking)


def test_an_acceptance_and_a_decline_at_once_have_one_outcome(market: Market) -> None:
    booking = a_request(market)
    answers = together(lambda: accept(market, booking), lambda: decline(market, booking))
    assert sorted(answer.status for answer in answers) == [200, 409]
    market.control.idle()
    status = market.booking(booking.id)["status"]
    assert status == ("CONFIRMED" if answers[0].status == 200 else "DECLINED")
    books_balance(market, booking)


def test_an_unpaid_request_can_be_neither_accepted_nor_declined(market: Market) -> None:
    booking = a_request(market, authorised=False)
    assert accept(market, booking).refused(409)["paymentStatus"] == "requires_payment_method"
    assert decline(market, booking).refused(409)["currentStatus"] == "PENDING"


def test_an_unaccepted_request_cannot_be_refunded(market: Market) -> None:
    booking = a_request(market)
    refused = as_customer(market, booking, "refund-processor", "PROCESS_REFUND")
    assert refused.refused(400)["currentStatus"] == "REQUESTED"
