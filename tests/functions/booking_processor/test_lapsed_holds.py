"""Lapsed holds give their whole time back, and a late payer gets what is still free."""

from __future__ import annotations

from datetime import timedelta

from tests.support.market import Booking, Market, Service

LAPSE = 16 * 60
DAY = timedelta(days=1)


def test_a_lapsed_hold_over_midnight_gives_back_all_its_days(market: Market) -> None:
    service = market.a_service(market.a_provider())
    evening = (market.control.now() + 5 * DAY).replace(hour=22, minute=0, second=0, microsecond=0)
    market.a_booking(service, start=evening, lasts=timedelta(hours=30))
    market.control.advance(LAPSE)
    market.a_booking(service, start=evening, lasts=timedelta(hours=1))
    market.book(service, start=evening + DAY, lasts=timedelta(hours=1)).ok()


def test_a_late_payer_is_confirmed_whatever_notice_the_service_asks(market: Market) -> None:
    service = market.a_service(market.a_provider(), minNoticeMinutes=60)
    booking = market.a_booking(service, starts_in=timedelta(minutes=70))
    _displace(market, service, booking)
    assert market.booking(booking.id)["status"] == "EXPIRED"
    market.pay(booking)
    assert market.booking(booking.id)["status"] == "CONFIRMED"


def test_a_late_payer_takes_a_place_that_only_another_lapsed_hold_has(market: Market) -> None:
    service = market.a_service(market.a_provider())
    first = market.a_booking(service)
    market.control.advance(LAPSE)
    second = market.a_booking(service, start=first.start)
    assert market.booking(first.id)["status"] == "EXPIRED"
    market.control.advance(LAPSE)
    market.pay(first)
    assert market.booking(first.id)["status"] == "CONFIRMED"
    assert market.booking(second.id)["status"] == "EXPIRED"


def _displace(market: Market, service: Service, booking: Booking) -> None:
    """Let a hold lapse and its place be taken and given back, before any maintenance run."""
    market.control.advance(LAPSE)
    market.db.collection("services").document(service.id).update({"minNoticeMinutes": 0})
    other = market.a_booking(service, start=booking.start, lasts=booking.end - booking.start)
    market.db.collection("services").document(service.id).update({"minNoticeMinutes": 60})
    caller = market.api.as_user(other.customer)
    caller.post("booking-processor", "CANCEL_BOOKING", bookingId=other.id).ok()


def test_an_intent_that_is_born_after_the_cancellation_is_cancelled_too(market: Market) -> None:
    service = market.a_service(market.a_provider())
    customer = "customer-late-intent"
    market.control.fault("POST", "/v1/payment_intents", "error_before", times=3, status=500)
    refused = market.book(service, customer=customer, idempotency_key="late-intent")
    assert refused.status == 503
    market.control.clear_faults()
    caller = market.api.as_user(customer)
    listed = caller.post("booking-processor", "LIST_BOOKINGS", limit=1).ok()["bookings"]
    booking_id = listed[0]["id"]
    caller.post("booking-processor", "CANCEL_BOOKING", bookingId=booking_id).ok()
    market.control.advance(10)
    operator = market.api.as_operator()
    operator.post("booking-processor", "RUN_MAINTENANCE").ok()
    operator.post("booking-processor", "RUN_MAINTENANCE").ok()
    intent = market.booking(booking_id)["payment"]["paymentIntentId"]
    assert market.stripe.v1.payment_intents.retrieve(intent).status == "canceled"
