"""CREATE_BOOKING: what is accepted, what is refused and by which name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.market import Market, Service, fresh, usd


@pytest.fixture(scope="module")
def _offered() -> list[Service]:
    return []


@pytest.fixture
def service(market: Market, _offered: list[Service]) -> Service:
    """One service of 200.00 USD for all tests that only have their request refused."""
    if not _offered:
        _offered.append(market.a_service(market.a_provider(), price=200))
    return _offered[0]


def test_a_booking_answers_in_the_guides_shape(market: Market, service: Service) -> None:
    booking = market.a_booking(service, starts_in=timedelta(days=40), specialRequests="Parking")
    assert booking.json["id"] == booking.id
    assert booking.json["status"] == "PENDING"
    assert booking.json["service"]["title"] == service.document["title"]
    assert booking.json["service"]["category"] == service.document["category"]
    assert booking.json["dateTime"] == {
        "start": booking.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end": booking.end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert booking.json["pricing"] == {
        "totalAmount": usd("200.00"),
        "platformFee": usd("16.00"),
        "providerEarnings": usd("184.00"),
        "platformFeeRate": usd("0.08"),
        "currency": "USD",
    }
    assert booking.json["qrCode"] == f"qr_{booking.id}"


def test_the_intent_at_stripe_is_the_bookings_own(market: Market) -> None:
    booking = market.a_booking(market.a_service(market.a_provider(), price="45.50", currency="EUR"))
    intent = market.stripe.v1.payment_intents.retrieve(booking.payment_intent)
    assert (intent.amount, intent.currency) == (45_50, "eur")
    assert intent.client_secret == booking.client_secret
    assert intent.transfer_group == booking.id
    assert intent.metadata["bookingId"] == booking.id
    assert intent.metadata["customerId"] == booking.customer
    assert intent.status == "requires_payment_method"


def test_the_request_id_is_in_stripes_metadata(market: Market, service: Service) -> None:
    given = fresh("req")
    start = market.control.now().replace(microsecond=0) + timedelta(days=41)
    customer = fresh("customer")
    told = market.api.as_user(customer).post(
        "booking-processor",
        "CREATE_BOOKING",
        headers={"X-Request-Id": given},
        serviceId=service.id,
        customerEmail="c@example.com",
        startDateTime=start.isoformat(),
        endDateTime=(start + timedelta(hours=1)).isoformat(),
    )
    intent_id = told.ok()["booking"]["payment"]["paymentIntentId"]
    assert market.stripe.v1.payment_intents.retrieve(intent_id).metadata["requestId"] == given


def test_the_customer_id_may_be_left_out_and_the_group_is_one(
    market: Market, service: Service
) -> None:
    start = market.control.now().replace(microsecond=0) + timedelta(days=42)
    customer = fresh("customer")
    told = market.api.as_user(customer).post(
        "booking-processor",
        "CREATE_BOOKING",
        serviceId=service.id,
        customerEmail="c@example.com",
        startDateTime=start.isoformat(),
        endDateTime=(start + timedelta(hours=1)).isoformat(),
    )
    booking = told.ok()["booking"]
    assert booking["customerId"] == customer
    assert booking["groupSize"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serviceId", None),
        ("serviceId", "a/b"),
        ("customerEmail", None),
        ("customerEmail", "nobody"),
        ("customerEmail", "a@b@c"),
        ("customerEmail", "a\n@example.com"),
        ("customerEmail", f"{'x' * 300}@example.com"),
        ("groupSize", 0),
        ("groupSize", -1),
        ("groupSize", 1.5),
        ("groupSize", "2"),
        ("groupSize", True),
        ("groupSize", 10**30),
        ("startDateTime", None),
        ("startDateTime", "2030-01-01"),
        ("startDateTime", "2030-01-01T10:00:00"),
        ("startDateTime", "2030-02-30T10:00:00Z"),
        ("startDateTime", "2030-01-01T25:00:00Z"),
        ("startDateTime", "2030-01-01T10:00:00+99:00"),
        ("startDateTime", "0001-01-01T00:00:00+14:00"),
        ("startDateTime", "9999-12-31T23:59:59-14:00"),
        ("startDateTime", 1893456000),
        ("endDateTime", "tomorrow"),
        ("specialRequests", "x" * 1001),
        ("specialRequests", "bell \x07"),
        ("specialRequests", "null \x00"),
        ("specialRequests", 7),
        ("tip", 5),
    ],
)
def test_a_field_that_cannot_be_right_is_named(
    market: Market, service: Service, field: str, value: Any
) -> None:
    told = market.book(service, **{field: value}).refused(400)
    assert [one["field"] for one in told["fields"]] == [field]
    assert told["fields"][0]["problem"]


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(hours=-1)])
def test_an_end_that_is_not_after_the_start_is_named(
    market: Market, service: Service, lasts: timedelta
) -> None:
    told = market.book(service, lasts=lasts).refused(400)
    assert [one["field"] for one in told["fields"]] == ["endDateTime"]


def test_a_thousand_characters_of_any_script_and_line_breaks_are_kept(
    market: Market, service: Service
) -> None:
    wish = "Bitte läuten!\nありがとう 🎹" + "x" * 979
    assert len(wish) == 1000
    booking = market.a_booking(service, starts_in=timedelta(days=43), specialRequests=wish)
    assert market.booking(booking.id)["specialRequests"] == wish


def test_times_with_an_offset_are_answered_in_utc(market: Market, service: Service) -> None:
    day = (market.control.now() + timedelta(days=44)).date().isoformat()
    told = market.book(
        service, startDateTime=f"{day}T10:00:00+05:30", endDateTime=f"{day}T11:00:00.5+05:30"
    )
    assert told.ok()["booking"]["dateTime"] == {
        "start": f"{day}T04:30:00Z",
        "end": f"{day}T05:30:00.500000Z",
    }


def test_an_unknown_service_is_a_404(market: Market, service: Service) -> None:
    market.book(service, serviceId=fresh("service")).refused(404)


def test_a_service_of_a_provider_who_is_not_set_up_is_refused_in_the_guides_words(
    market: Market,
) -> None:
    provider = market.a_provider(ready=False)
    told = market.book(market.a_service(provider)).refused(400)
    assert told["error"] == "Provider payment processing not set up"
    started = market.api.as_user(provider.uid).post("stripe-connect", "CREATE_ACCOUNT")
    assert started.ok()["accountId"]
    told = market.book(market.a_service(provider)).refused(400)
    assert told["error"] == "Provider payment processing not set up"


@pytest.mark.parametrize(
    ("fields", "ahead", "lasts", "reason"),
    [
        ({"active": False}, timedelta(days=3), timedelta(hours=1), "inactive"),
        ({}, timedelta(hours=-2), timedelta(hours=1), "too_soon"),
        ({"minNoticeMinutes": 600}, timedelta(hours=2), timedelta(hours=1), "too_soon"),
        ({"maxAdvanceDays": 30}, timedelta(days=32), timedelta(hours=1), "too_far"),
        ({"minDurationMinutes": 60}, timedelta(days=3), timedelta(minutes=30), "bad_duration"),
        ({"maxDurationMinutes": 60}, timedelta(days=3), timedelta(minutes=90), "bad_duration"),
        ({}, timedelta(days=3), timedelta(days=370), "bad_duration"),
        ({"weeklyHours": {}}, timedelta(days=3), timedelta(hours=1), "closed"),
    ],
)
def test_a_place_that_cannot_be_had_is_a_409_with_the_reason_that_availability_gives(
    market: Market,
    service: Service,
    fields: dict[str, Any],
    ahead: timedelta,
    lasts: timedelta,
    reason: str,
) -> None:
    offered = market.a_service(service.provider, **fields)
    start = market.control.now().replace(microsecond=0) + ahead
    assert market.book(offered, start=start, lasts=lasts).refused(409)["reason"] == reason
    told = market.api.as_user("anyone").post(
        "booking-processor",
        "CHECK_AVAILABILITY",
        serviceId=offered.id,
        startDateTime=start.isoformat(),
        endDateTime=(start + lasts).isoformat(),
    )
    assert (told.ok()["available"], told.json["reason"]) == (False, reason)


def test_a_group_over_the_limit_is_too_large(market: Market, service: Service) -> None:
    seats = market.a_service(
        service.provider, capacityMode="SEATS", capacity=10, maxGroupSize=4, priceUnit="PERSON"
    )
    assert market.book(seats, groupSize=5).refused(409)["reason"] == "group_too_large"
    booking = market.book(seats, groupSize=4).ok()["booking"]
    assert booking["pricing"]["totalAmount"] == usd("800.00")


@pytest.mark.parametrize(
    "fields",
    [
        {"price": 0.10},
        {"price": 1_000_000},
        {"price": "12.345"},
        {"price": "NaN"},
        {"price": -5},
        {"currency": "XXX"},
        {"currency": "KWD", "price": "1.255"},
        {"cancellationPolicy": [{"hoursBefore": 24, "refundPercent": 120}]},
        {"cancellationPolicy": "GENEROUS"},
    ],
    ids=str,
)
def test_a_service_whose_price_or_policy_makes_no_sense_is_refused_before_anything_is_stored(
    market: Market, service: Service, fields: dict[str, Any]
) -> None:
    customer = fresh("customer")
    market.book(market.a_service(service.provider, **fields), customer=customer).refused(400)
    listed = market.api.as_user(customer).post("booking-processor", "LIST_BOOKINGS")
    assert listed.ok()["bookings"] == []


def test_a_free_time_is_available_with_its_price(market: Market, service: Service) -> None:
    start = market.control.now().replace(microsecond=0) + timedelta(days=45)
    told = market.api.as_user("anyone").post(
        "booking-processor",
        "CHECK_AVAILABILITY",
        serviceId=service.id,
        startDateTime=start.isoformat(),
        endDateTime=(start + timedelta(hours=2)).isoformat(),
        groupSize=1,
    )
    body = told.ok()
    assert (body["serviceId"], body["available"]) == (service.id, True)
    assert body["remainingCapacity"] >= 1
    assert body["pricing"]["totalAmount"] == usd("200.00")
    assert body["pricing"]["platformFee"] == usd("16.00")
    assert "reason" not in body
    assert body["alternatives"] == []


def test_a_full_time_comes_with_other_times_that_can_be_booked(
    market: Market, service: Service
) -> None:
    offered = market.a_service(service.provider)
    booking = market.a_booking(offered)
    told = market.api.as_user("anyone").post(
        "booking-processor",
        "CHECK_AVAILABILITY",
        serviceId=offered.id,
        startDateTime=booking.start.isoformat(),
        endDateTime=booking.end.isoformat(),
    )
    body = told.ok()
    assert (body["available"], body["reason"], body["remainingCapacity"]) == (False, "full", 0)
    assert body["alternatives"]
    first = body["alternatives"][0]
    market.book(offered, startDateTime=first["start"], endDateTime=first["end"]).ok()


def test_a_list_is_paged_without_gaps_or_repeats(market: Market, service: Service) -> None:
    customer = fresh("customer")
    offered = market.a_service(service.provider, capacityMode="SEATS", capacity=9)
    made = [market.a_booking(offered, customer=customer).id for _ in range(5)]
    caller = market.api.as_user(customer)
    seen: list[str] = []
    cursor: str | None = None
    for expected in (2, 2, 1):
        page = caller.post("booking-processor", "LIST_BOOKINGS", limit=2, cursor=cursor).ok()
        assert len(page["bookings"]) == expected
        seen += [one["id"] for one in page["bookings"]]
        cursor = page["nextCursor"]
    assert cursor is None
    assert seen == made[::-1]


def test_a_provider_lists_what_is_booked_with_them_by_status(
    market: Market, service: Service
) -> None:
    provider = market.a_provider()
    offered = market.a_service(provider, capacityMode="SEATS", capacity=9)
    unpaid, paid = market.a_booking(offered), market.a_booking(offered, paid=True)
    caller = market.api.as_user(provider.uid)
    every = caller.post("booking-processor", "LIST_BOOKINGS", role="provider").ok()["bookings"]
    assert {one["id"] for one in every} == {unpaid.id, paid.id}
    confirmed = caller.post(
        "booking-processor", "LIST_BOOKINGS", role="provider", status="CONFIRMED"
    )
    assert [one["id"] for one in confirmed.ok()["bookings"]] == [paid.id]
    assert caller.post("booking-processor", "LIST_BOOKINGS").ok()["bookings"] == []
