"""The same key, caller and body: the first answer again, whatever happened in between."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.functions.acts import made_by
from tests.stack.test_process import until
from tests.support.api import Answer
from tests.support.market import Market, Service, fresh
from tests.support.stripe_control import StripeControl


class Attempt:
    """One customer's request, to be sent as often as a test likes."""

    def __init__(self, market: Market, service: Service | None = None) -> None:
        self.market = market
        self.service = service or market.a_service(market.a_provider())
        self.customer, self.key = fresh("customer"), fresh("key")
        self.start: datetime = market.control.now().replace(microsecond=0) + timedelta(days=3)

    def send(self, **fields: Any) -> Answer:
        return self.market.book(
            self.service,
            customer=self.customer,
            start=self.start,
            idempotency_key=self.key,
            **fields,
        )

    def intents(self) -> list[str]:
        """Ids of the payment intents that this customer's requests made."""
        made = self.market.stripe.v1.payment_intents.list({"limit": 100}).auto_paging_iter()
        return [one.id for one in made if made_by(one) == self.customer]

    def bookings(self) -> list[str]:
        """Ids of the bookings that they made."""
        found = self.market.db.collection("bookings").where(
            filter=FieldFilter("customerId", "==", self.customer)
        )
        return [one.id for one in found.stream()]


def test_the_same_request_gets_the_first_answer_again_and_says_so(market: Market) -> None:
    attempt = Attempt(market)
    first, second = attempt.send(), attempt.send()
    assert second.ok() == first.ok()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(attempt.bookings()) == len(attempt.intents()) == 1


def test_the_first_answer_comes_again_even_after_the_booking_has_moved_on(market: Market) -> None:
    attempt = Attempt(market)
    first = attempt.send().ok()
    market.pay(first["clientSecret"])
    assert market.booking(first["bookingId"])["status"] == "CONFIRMED"
    assert attempt.send().ok()["booking"]["status"] == "PENDING"


def test_the_key_with_another_body_is_a_422(market: Market) -> None:
    attempt = Attempt(market)
    attempt.send().ok()
    attempt.send(specialRequests="and tea").refused(422)
    assert len(attempt.bookings()) == 1


def test_the_order_of_the_fields_does_not_make_another_body(market: Market) -> None:
    attempt = Attempt(market)
    first = attempt.send(specialRequests="tea", groupSize=1)
    second = attempt.send(groupSize=1, specialRequests="tea")
    assert second.ok()["bookingId"] == first.ok()["bookingId"]


def test_the_same_key_of_another_caller_is_another_key(market: Market) -> None:
    service = market.a_service(market.a_provider(), capacityMode="SEATS", capacity=5)
    one, other = Attempt(market, service), Attempt(market, service)
    other.key = one.key
    assert one.send().ok()["bookingId"] != other.send().ok()["bookingId"]


def test_the_same_key_for_another_action_is_another_key(market: Market) -> None:
    attempt = Attempt(market)
    booking_id = attempt.send().ok()["bookingId"]
    cancelled = market.api.as_user(attempt.customer).post(
        "booking-processor", "CANCEL_BOOKING", idempotency_key=attempt.key, bookingId=booking_id
    )
    assert cancelled.ok()["status"] == "CANCELLED"


def test_a_refusal_is_kept_under_the_key_too(market: Market) -> None:
    service = market.a_service(market.a_provider())
    winner, loser = Attempt(market, service), Attempt(market, service)
    booking_id = winner.send().ok()["bookingId"]
    first = loser.send().refused(409)
    market.api.as_user(winner.customer).post(
        "booking-processor", "CANCEL_BOOKING", bookingId=booking_id
    ).ok()
    second = loser.send()
    assert second.refused(409) == first
    assert second.headers["Idempotent-Replayed"] == "true"


def test_without_a_key_the_same_request_twice_is_two_requests(market: Market) -> None:
    service = market.a_service(market.a_provider(), capacityMode="SEATS", capacity=5)
    customer = fresh("customer")
    ids = {market.book(service, customer=customer).ok()["bookingId"] for _ in range(2)}
    assert len(ids) == 2


@pytest.mark.parametrize("mode", ["timeout_before", "timeout_after", "error_before", "reset_after"])
def test_when_stripes_answer_is_lost_the_same_key_finishes_with_one_intent_and_one_booking(
    market: Market, control: StripeControl, mode: str
) -> None:
    attempt = Attempt(market)
    control.fault("POST", "/v1/payment_intents", mode, times=9, seconds=0)
    lost = attempt.send()
    control.clear_faults()
    lost.refused(503, "unavailable")
    assert lost.headers["Retry-After"]
    told = attempt.send()
    assert told.ok()["booking"]["status"] == "PENDING"
    assert attempt.bookings() == [told.json["bookingId"]]
    assert len(attempt.intents()) == 1
    market.pay(told.json["clientSecret"])
    assert market.booking(told.json["bookingId"])["status"] == "CONFIRMED"
    assert attempt.send().headers["Idempotent-Replayed"] == "true"


def test_when_stripe_keeps_a_500_under_our_key_the_intent_it_made_is_found_all_the_same(
    market: Market, control: StripeControl
) -> None:
    attempt = Attempt(market)
    control.fault("POST", "/v1/payment_intents", "error_after")
    until(lambda: attempt.send().status == 200, seconds=10)
    assert len(attempt.intents()) == len(attempt.bookings()) == 1


def test_when_stripe_stumbles_once_nobody_notices(market: Market, control: StripeControl) -> None:
    attempt = Attempt(market)
    control.fault("POST", "/v1/payment_intents", "timeout_after", seconds=0)
    attempt.send().ok()
    assert len(attempt.intents()) == len(attempt.bookings()) == 1


def test_when_the_process_dies_after_the_intent_the_same_key_finishes_with_one_of_each(
    market: Market, control: StripeControl
) -> None:
    attempt = Attempt(market)
    control.fault("POST", "/v1/payment_intents", "kill_after")
    attempt.send().refused(503)
    assert len(attempt.intents()) == 1
    control.advance(6)  # past the dead request's lease
    answers: list[Answer] = []

    def booked() -> bool:
        answers.append(attempt.send())
        return answers[-1].status == 200

    until(booked, seconds=30)
    assert attempt.bookings() == [answers[-1].json["bookingId"]]
    assert len(attempt.intents()) == 1


def test_when_nobody_asks_again_maintenance_finishes_what_a_lost_answer_left_open(
    market: Market, control: StripeControl
) -> None:
    attempt = Attempt(market)
    control.fault("POST", "/v1/payment_intents", "timeout_after", times=9, seconds=0)
    attempt.send().refused(503)
    control.clear_faults()
    control.advance(6)
    told = market.api.as_operator().post("booking-processor", "RUN_MAINTENANCE").ok()
    assert told["recovered"] >= 1
    [booking_id] = attempt.bookings()
    assert market.booking(booking_id)["payment"]["paymentIntentId"] == attempt.intents()[0]
    assert attempt.send().ok()["bookingId"] == booking_id


def test_a_price_that_stripe_refuses_for_good_is_a_502_and_frees_the_place(
    market: Market, control: StripeControl
) -> None:
    attempt = Attempt(market)
    control.fault(
        "POST", "/v1/payment_intents", "error_before", status=400, code="amount_too_small"
    )
    told = attempt.send().refused(502)
    assert told["stripeCode"] == "amount_too_small"
    assert attempt.send().refused(502) == told
    market.book(attempt.service, start=attempt.start).ok()
