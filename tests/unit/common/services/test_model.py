"""A service's document, however it was written: read exactly, or refused with every bad field."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings.cancellation import POLICIES, Policy, Tier
from common.money import Money
from common.services.model import Service, ServiceMisconfigured, parse_service
from tests.unit.common.services.builders import a_service

LEAST = {"providerId": "provider-123", "title": "Photography Session", "price": 200}


def read(**fields: object) -> Service:
    return parse_service("service-123", {**LEAST, **fields})


def problems(**fields: object) -> dict[str, str]:
    with pytest.raises(ServiceMisconfigured) as refused:
        read(**fields)
    return dict(refused.value.fields)


def test_what_a_document_leaves_out_has_the_contracts_defaults() -> None:
    assert read() == a_service()
    nulls = dict.fromkeys(
        ["priceUnit", "currency", "capacity", "weeklyHours", "active", "category"]
    )
    assert read(**nulls) == a_service()


def test_every_field_is_read() -> None:
    service = read(
        category="TOUR",
        price="49.50",
        currency="eur",
        priceUnit="PERSON",
        capacityMode="SEATS",
        capacity=12.0,
        maxGroupSize=6,
        timezone="Europe/Berlin",
        weeklyHours={
            "mon": [{"start": "13:00", "end": "24:00"}, {"start": "09:00", "end": "12:00"}],
            "sun": [],
        },
        closedDates=["2026-12-25", "2026-12-26"],
        minNoticeMinutes=60,
        maxAdvanceDays=90,
        bufferMinutes=15,
        minDurationMinutes=30,
        maxDurationMinutes=240,
        cancellationPolicy=[{"hoursBefore": 48, "refundPercent": 80}],
        bookingMode="REQUEST",
        active=False,
        billingInterval="MONTH",
        trialDays=14,
        unknown="ignored",
    )
    assert service == Service(
        id="service-123",
        provider_id="provider-123",
        title="Photography Session",
        category="TOUR",
        price=Money(49_50, "EUR"),
        price_unit="PERSON",
        capacity_mode="SEATS",
        capacity=12,
        max_group_size=6,
        timezone="Europe/Berlin",
        weekly_hours={0: ((540, 720), (780, 1440)), 6: ()},
        closed_dates=frozenset({date(2026, 12, 25), date(2026, 12, 26)}),
        min_notice_minutes=60,
        max_advance_days=90,
        buffer_minutes=15,
        min_duration_minutes=30,
        max_duration_minutes=240,
        policy=Policy("CUSTOM", (Tier(48, 80),)),
        booking_mode="REQUEST",
        active=False,
        billing_interval="MONTH",
        trial_days=14,
    )


@pytest.mark.parametrize(
    ("price", "code", "minor"),
    [
        (49.99, "USD", 49_99),
        (0.57, "USD", 57),
        (1.1, "USD", 1_10),
        (200.0, "USD", 200_00),
        ("200", "USD", 200_00),
        (1500.0, "JPY", 1500),
        (1.25, "KWD", 1250),
        (800, "ISK", 800_00),
    ],
)
def test_a_price_is_read_exactly_whatever_its_type(price: object, code: str, minor: int) -> None:
    assert read(price=price, currency=code).price == Money(minor, code)


@pytest.mark.parametrize(
    ("price", "code", "problem"),
    [
        (None, "USD", "required"),
        (True, "USD", "required"),
        ([200], "USD", "required"),
        (0.1 + 0.2, "USD", "more decimals"),
        (float("nan"), "USD", "finite"),
        (float("inf"), "USD", "finite"),
        (1e300, "USD", "largest amount"),
        (5e-324, "USD", "more decimals"),
        (-5, "USD", "negative"),
        (0, "USD", "above 0"),
        ("abc", "USD", "plain decimal"),
        (0.49, "USD", "smallest charge, 0.50 USD"),
        (1.255, "KWD", "multiple of 0.010 KWD"),
        (10.5, "ISK", "more decimals"),
    ],
)
def test_a_price_that_cannot_be_charged_is_a_bad_field(
    price: object, code: str, problem: str
) -> None:
    assert problem in problems(price=price, currency=code)["price"]


@pytest.mark.parametrize("unit", ["HOUR", "PERSON"])
def test_an_hour_or_a_person_may_cost_less_than_the_smallest_charge(unit: str) -> None:
    assert read(price=0.30, priceUnit=unit).price == Money(30, "USD")
    assert "above 0" in problems(price=0, priceUnit=unit)["price"]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("providerId", None, "required"),
        ("providerId", 5, "required"),
        ("title", "  ", "required"),
        ("title", "x" * 501, "longer than 500"),
        ("currency", "XXX", "currency"),
        ("currency", 7, "must be a text"),
        ("currency", "DOLLARS", "currency"),
        ("priceUnit", "DAY", "SESSION, HOUR, PERSON"),
        ("priceUnit", ["HOUR"], "SESSION, HOUR, PERSON"),
        ("capacityMode", "seats", "EXCLUSIVE, SEATS"),
        ("capacity", 0, "from 1"),
        ("capacity", 2.5, "from 1"),
        ("capacity", "3", "from 1"),
        ("capacity", True, "from 1"),
        ("maxGroupSize", 0, "from 1"),
        ("timezone", "Mars/Olympus", "IANA"),
        ("timezone", "../etc/passwd", "IANA"),
        ("timezone", "America", "IANA"),
        ("timezone", "UTC\0", "IANA"),
        ("timezone", "\ud800", "IANA"),
        ("timezone", 1, "must be a text"),
        ("closedDates", "2026-12-25", "list"),
        ("closedDates", ["2026-02-30"], "2026-02-30"),
        ("closedDates", ["20261225"], "no date"),
        ("closedDates", [datetime(2026, 12, 25, tzinfo=UTC)], "no date"),
        ("weeklyHours", [], "object"),
        ("weeklyHours", {"monday": []}, "'monday'"),
        ("weeklyHours", {1: []}, "none of mon"),
        ("minNoticeMinutes", -1, "from 0"),
        ("maxAdvanceDays", 1e9, "from 0"),
        ("bufferMinutes", float("inf"), "from 0"),
        ("minDurationMinutes", float("nan"), "from 0"),
        ("maxDurationMinutes", 0, "from 1"),
        ("cancellationPolicy", "GENEROUS", "FLEXIBLE"),
        ("bookingMode", "MAYBE", "INSTANT, REQUEST"),
        ("active", "yes", "true or false"),
        ("active", 1, "true or false"),
        ("billingInterval", "DAY", "WEEK, MONTH, YEAR"),
        ("trialDays", 731, "730"),
    ],
)
def test_a_bad_field_is_named_with_its_problem(field: str, value: object, problem: str) -> None:
    found = problems(**{field: value})
    assert list(found) == [field]
    assert problem in found[field]


@pytest.mark.parametrize(
    ("ranges", "problem"),
    [
        ("09:00-17:00", "list"),
        ([["09:00", "17:00"]], "{start, end}"),
        ([{"start": "9:00", "end": "17:00"}], "HH:MM"),
        ([{"start": "09:00", "end": "24:01"}], "HH:MM"),
        ([{"start": "09:60", "end": "17:00"}], "HH:MM"),
        ([{"start": 9, "end": 17}], "HH:MM"),
        ([{"start": "09:00"}], "HH:MM"),
        ([{"start": "22:00", "end": "02:00"}], "24:00"),
        ([{"start": "09:00", "end": "09:00"}], "after its start"),
    ],
)
def test_bad_hours_are_named_with_their_weekday(ranges: object, problem: str) -> None:
    assert problem in problems(weeklyHours={"tue": ranges})["weeklyHours.tue"]


def test_ranges_that_touch_or_overlap_are_one() -> None:
    ranges = [
        {"start": "12:00", "end": "14:00"},
        {"start": "09:00", "end": "12:00"},
        {"start": "10:00", "end": "11:00"},
        {"start": "15:00", "end": "24:00"},
    ]
    assert read(weeklyHours={"wed": ranges}).weekly_hours == {2: ((540, 840), (900, 1440))}


def test_seats_need_their_number_and_exclusive_services_do_not() -> None:
    assert "SEATS" in problems(capacityMode="SEATS")["capacity"]
    assert read(capacityMode="SEATS", capacity=3).capacity == 3
    assert read(capacityMode="EXCLUSIVE").capacity == 1


def test_the_longest_duration_is_not_below_the_shortest() -> None:
    assert list(problems(minDurationMinutes=61, maxDurationMinutes=60)) == ["maxDurationMinutes"]
    assert read(minDurationMinutes=60, maxDurationMinutes=60).max_duration_minutes == 60


def test_every_bad_field_is_listed_not_only_the_first() -> None:
    found = problems(price=-1, active="no", timezone="?", weeklyHours={"mon": 5}, title=None)
    assert set(found) == {"price", "active", "timezone", "weeklyHours.mon", "title"}


def test_a_service_without_a_policy_has_the_flexible_one() -> None:
    assert read().policy is POLICIES["FLEXIBLE"]


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.datetimes(),
    st.sampled_from(["SEATS", "USD", "09:00", "24:00", "mon", "2026-12-25", "UTC", "STRICT"]),
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["mon", "start", "end", "hoursBefore", "x"]), inner)
    ),
    max_leaves=6,
)
NAMES = [
    "providerId title category price currency priceUnit capacityMode capacity maxGroupSize",
    "timezone weeklyHours closedDates minNoticeMinutes maxAdvanceDays bufferMinutes",
    "minDurationMinutes maxDurationMinutes cancellationPolicy bookingMode active billingInterval",
    "trialDays",
]


@given(st.dictionaries(st.sampled_from(" ".join(NAMES).split()), anything))
def test_whatever_a_document_holds_it_is_read_or_refused_by_field(said: dict[str, object]) -> None:
    bad, service = [], None
    try:
        service = read(**said)
    except ServiceMisconfigured as refused:
        bad = refused.fields
    assert {field.split(".")[0] for field, _ in bad} <= set(said) | {"capacity"}
    assert bad if service is None else service.price.amount > 0
