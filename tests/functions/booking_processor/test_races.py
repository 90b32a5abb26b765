"""Many customers, few places: whoever is first gets them, and nobody gets one twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from google.cloud.firestore_v1.base_query import FieldFilter

from tests.functions.acts import made_by, together
from tests.support.api import Answer
from tests.support.market import Market, Service, fresh


def stored(market: Market, service: Service) -> list[str]:
    """Statuses of every booking of a service."""
    found = market.db.collection("bookings").where(
        filter=FieldFilter("serviceId", "==", service.id)
    )
    return [(one.to_dict() or {})["status"] for one in found.stream()]


def told(answers: list[Answer]) -> Counter[str]:
    """Each answer as ``200`` or ``409 reason``; anything else shows itself."""
    return Counter(
        str(one.status) if one.status == 200 else f"{one.status} {one.json.get('reason', one.text)}"
        for one in answers
    )


def test_forty_at_once_for_seven_seats_sell_exactly_seven(market: Market) -> None:
    service = market.a_service(market.a_provider(), capacityMode="SEATS", capacity=7)
    start = market.control.now().replace(microsecond=0) + timedelta(days=5)
    answers = together(*[lambda: market.book(service, start=start)] * 40)
    assert told(answers) == {"200": 7, "409 full": 33}
    assert len({one.json["bookingId"] for one in answers if one.status == 200}) == 7
    assert stored(market, service) == ["PENDING"] * 7


def test_groups_at_once_never_take_more_seats_than_there_are(market: Market) -> None:
    service = market.a_service(market.a_provider(), capacityMode="SEATS", capacity=10)
    start = market.control.now().replace(microsecond=0) + timedelta(days=5)
    answers = together(*[lambda: market.book(service, start=start, groupSize=3)] * 12)
    assert told(answers) == {"200": 3, "409 full": 9}
    market.book(service, start=start, groupSize=1).ok()
    assert market.book(service, start=start, groupSize=1).refused(409)["reason"] == "full"


def test_an_exclusive_time_raced_by_thirty_two_has_one_winner(market: Market) -> None:
    service = market.a_service(market.a_provider())
    start = market.control.now().replace(microsecond=0) + timedelta(days=5)
    answers = together(*[lambda: market.book(service, start=start)] * 32)
    assert told(answers) == {"200": 1, "409 full": 31}
    assert stored(market, service) == ["PENDING"]


def test_overlapping_times_raced_from_both_sides_never_overlap(market: Market) -> None:
    service = market.a_service(market.a_provider(), bufferMinutes=15)
    start = market.control.now().replace(microsecond=0) + timedelta(days=5)
    shifts = [timedelta(minutes=10 * step) for step in range(-6, 7)]
    answers = together(*[lambda by=by: market.book(service, start=start + by) for by in shifts])
    won = [by for by, one in zip(shifts, answers, strict=True) if one.status == 200]
    assert won
    assert all(abs(a - b) >= timedelta(minutes=75) for a in won for b in won if a != b)
    assert set(told(answers)) <= {"200", "409 full"}


def test_eight_requests_with_one_key_make_one_booking_and_one_intent(market: Market) -> None:
    service = market.a_service(market.a_provider(), capacityMode="SEATS", capacity=20)
    customer, key = fresh("customer"), fresh("key")
    start = market.control.now().replace(microsecond=0) + timedelta(days=5)

    def book() -> Answer:
        return market.book(service, customer=customer, start=start, idempotency_key=key)

    answers = together(*[book] * 8)
    for one in answers:
        if one.status != 200:
            assert one.refused(409, "idempotency_key_in_flight")
            assert one.headers["Retry-After"]
    again = book().ok()
    assert {one.json["bookingId"] for one in answers if one.status == 200} <= {again["bookingId"]}
    assert stored(market, service) == ["PENDING"]
    made = market.stripe.v1.payment_intents.list({"limit": 100}).auto_paging_iter()
    assert len([one for one in made if made_by(one) == customer]) == 1
