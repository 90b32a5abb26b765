"""services/{id}: providers write their own in the contract's shapes; who is signed in reads."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from .conftest import AsCaller
from .firestore_rest import ALLOWED, REFUSED, FirestoreOfCaller

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FULL_DAY = [
    {"start": "00:00", "end": "11:30"},
    {"start": "12:00", "end": "17:59"},
    {"start": "19:00", "end": "24:00"},
]
SMALLEST = {"title": "Portraits", "category": "SERVICE", "price": 200, "currency": "USD"}
LARGEST: dict[str, Any] = {
    **SMALLEST,
    "price": 199.99,
    "priceUnit": "HOUR",
    "capacityMode": "SEATS",
    "capacity": 12,
    "maxGroupSize": 4,
    "timezone": "America/Argentina/Buenos_Aires",
    "weeklyHours": dict.fromkeys(DAYS, FULL_DAY),
    "closedDates": ["2030-12-24", "2030-12-25"],
    "minNoticeMinutes": 60,
    "maxAdvanceDays": 90,
    "bufferMinutes": 15,
    "minDurationMinutes": 30,
    "maxDurationMinutes": 240,
    "cancellationPolicy": [
        {"hoursBefore": hours, "refundPercent": percent}
        for hours, percent in ((96, 100), (72, 75), (48, 75), (24, 50), (0, 0))
    ],
    "bookingMode": "REQUEST",
    "billingInterval": "MONTH",
    "trialDays": 14,
    "active": True,
}
ACCEPTED: list[tuple[str, Any]] = [
    ("price", "199.99"),
    ("price", 1500),
    ("weeklyHours", {}),
    ("weeklyHours", {"mon": [{"start": "09:00", "end": "17:00"}], "tue": []}),
    ("closedDates", []),
    ("cancellationPolicy", "STRICT"),
    ("cancellationPolicy", [{"hoursBefore": 24, "refundPercent": 100}]),
    ("capacityMode", "EXCLUSIVE"),
    ("timezone", "UTC"),
    ("active", False),
]
MALFORMED: list[tuple[str, Any]] = [
    ("title", ""),
    ("title", 7),
    ("category", None),
    ("price", 0),
    ("price", -5),
    ("price", float("inf")),
    ("price", float("nan")),
    ("price", "0.00"),
    ("price", "1,50"),
    ("price", True),
    ("currency", "usd"),
    ("currency", "DOLLAR"),
    ("priceUnit", "DAY"),
    ("capacityMode", "UNLIMITED"),
    ("capacity", 0),
    ("capacity", 2.5),
    ("maxGroupSize", 0),
    ("timezone", "not a zone"),
    ("timezone", 2),
    ("weeklyHours", []),
    ("weeklyHours", {"monday": []}),
    ("weeklyHours", {"mon": "09:00-17:00"}),
    ("weeklyHours", {"sun": [{"start": "9:00", "end": "17:00"}]}),
    ("weeklyHours", {"sun": [{"start": "24:00", "end": "24:00"}]}),
    ("weeklyHours", {"sun": [{"start": "09:00"}]}),
    ("weeklyHours", {"sun": [{"start": "18:00", "end": "25:00"}]}),
    ("weeklyHours", {"sun": [{"start": "18:00", "end": "20:00", "note": "late"}]}),
    ("weeklyHours", {"sun": FULL_DAY * 5}),
    ("closedDates", "2030-12-24"),
    ("closedDates", ["24.12.2030"]),
    ("closedDates", ["2030-12-24", "2030-13-01"]),
    ("minNoticeMinutes", -1),
    ("maxAdvanceDays", 0),
    ("bufferMinutes", "15"),
    ("minDurationMinutes", 0),
    ("maxDurationMinutes", 29),
    ("cancellationPolicy", "LENIENT"),
    ("cancellationPolicy", []),
    ("cancellationPolicy", [{"hoursBefore": 24}]),
    ("cancellationPolicy", [{"hoursBefore": 24, "refundPercent": 101}]),
    ("cancellationPolicy", [{"hoursBefore": -1, "refundPercent": 100}]),
    ("cancellationPolicy", [{"hoursBefore": 24, "refundPercent": 50, "fee": 1}]),
    ("bookingMode", "AUCTION"),
    ("billingInterval", "DAY"),
    ("trialDays", -1),
    ("trialDays", 731),
    ("trialDays", "14"),
    ("active", "yes"),
    ("platformFeeRate", 0),
    ("providerReady", True),
]


@pytest.fixture
def uid(server: FirestoreOfCaller) -> str:
    """A fresh provider's uid."""
    name = f"provider-{secrets.token_hex(4)}"
    assert server.create(f"userProfiles/{name}", {"role": "PROVIDER"}) == ALLOWED
    return name


@pytest.fixture
def provider(uid: str, as_caller: AsCaller) -> FirestoreOfCaller:
    """That provider."""
    return as_caller(uid)


@pytest.fixture
def service(uid: str, server: FirestoreOfCaller) -> str:
    """Their service, on which the functions have put a field of their own."""
    path = f"services/{secrets.token_hex(6)}"
    document = {**LARGEST, "providerId": uid, "providerReady": False}
    assert server.create(path, document) == ALLOWED
    return path


@pytest.mark.parametrize("document", [SMALLEST, LARGEST], ids=["smallest", "largest"])
def test_a_provider_makes_and_reads_services_of_the_contracts_shape(
    document: dict[str, Any], uid: str, provider: FirestoreOfCaller
) -> None:
    path = f"services/{secrets.token_hex(6)}"
    assert provider.create(path, {**document, "providerId": uid}) == ALLOWED
    assert provider.get(path) == ALLOWED
    assert provider.list("services", {"providerId": uid}) == ALLOWED


@pytest.mark.parametrize(("field", "value"), ACCEPTED)
def test_every_shape_a_field_may_have_is_accepted(
    field: str, value: Any, uid: str, provider: FirestoreOfCaller, service: str
) -> None:
    path = f"services/{secrets.token_hex(6)}"
    assert provider.create(path, {**SMALLEST, "providerId": uid, field: value}) == ALLOWED
    assert provider.update(service, {field: value}) == ALLOWED


@pytest.mark.parametrize(("field", "value"), MALFORMED)
def test_a_malformed_or_unknown_field_is_refused(
    field: str, value: Any, uid: str, provider: FirestoreOfCaller, service: str
) -> None:
    path = f"services/{secrets.token_hex(6)}"
    assert provider.create(path, {**LARGEST, "providerId": uid, field: value}) == REFUSED
    assert provider.update(service, {field: value}) == REFUSED


@pytest.mark.parametrize("field", ["title", "category", "price", "currency", "providerId"])
def test_a_service_must_say_what_it_is_and_what_it_costs(
    field: str, uid: str, provider: FirestoreOfCaller, service: str
) -> None:
    document = {k: v for k, v in {**SMALLEST, "providerId": uid}.items() if k != field}
    assert provider.create(f"services/{secrets.token_hex(6)}", document) == REFUSED
    assert provider.update(service, {}, removed=(field,)) == REFUSED


def test_seats_need_a_capacity(uid: str, provider: FirestoreOfCaller) -> None:
    document = {**SMALLEST, "providerId": uid, "capacityMode": "SEATS"}
    assert provider.create(f"services/{secrets.token_hex(6)}", document) == REFUSED


def test_a_service_never_changes_hands(
    uid: str, provider: FirestoreOfCaller, service: str, as_caller: AsCaller
) -> None:
    assert provider.update(service, {"providerId": "another"}) == REFUSED
    document = {**SMALLEST, "providerId": "another"}
    assert provider.create(f"services/{secrets.token_hex(6)}", document) == REFUSED


def test_another_provider_neither_changes_nor_takes_a_service(
    service: str, as_caller: AsCaller, server: FirestoreOfCaller
) -> None:
    other = f"provider-{secrets.token_hex(4)}"
    assert server.create(f"userProfiles/{other}", {"role": "PROVIDER"}) == ALLOWED
    assert as_caller(other).update(service, {"title": "Mine now"}) == REFUSED
    assert as_caller(other).update(service, {"providerId": other}) == REFUSED


@pytest.mark.parametrize("profile", [None, {}, {"role": "CUSTOMER"}])
def test_who_is_no_provider_makes_and_changes_no_service(
    profile: dict[str, Any] | None, server: FirestoreOfCaller, as_caller: AsCaller
) -> None:
    uid = f"customer-{secrets.token_hex(4)}"
    if profile is not None:
        assert server.create(f"userProfiles/{uid}", profile) == ALLOWED
    path = f"services/{secrets.token_hex(6)}"
    assert as_caller(uid).create(path, {**SMALLEST, "providerId": uid}) == REFUSED
    assert server.create(path, {**SMALLEST, "providerId": uid}) == ALLOWED
    assert as_caller(uid).update(path, {"title": "Changed"}) == REFUSED


def test_who_is_signed_in_reads_what_is_active(
    service: str, server: FirestoreOfCaller, as_caller: AsCaller
) -> None:
    reader, anonymous = as_caller("reader"), as_caller(None)
    assert reader.get(service) == ALLOWED
    assert reader.list("services", {"active": True}) == ALLOWED
    assert anonymous.get(service) == REFUSED
    assert anonymous.list("services", {"active": True}) == REFUSED
    assert server.update(service, {}, removed=("active",)) == ALLOWED
    assert reader.get(service) == ALLOWED


def test_what_is_not_active_is_for_its_provider_and_operators(
    service: str, provider: FirestoreOfCaller, as_caller: AsCaller
) -> None:
    assert provider.update(service, {"active": False}) == ALLOWED
    assert provider.get(service) == ALLOWED
    assert as_caller("operator", admin=True).get(service) == ALLOWED
    assert as_caller("reader").get(service) == REFUSED
    assert as_caller("reader").list("services") == REFUSED
    assert as_caller("reader").list("services", {"active": False}) == REFUSED


def test_operators_write_no_service(
    service: str, uid: str, as_caller: AsCaller, server: FirestoreOfCaller
) -> None:
    operator = as_caller(uid, admin=True)
    assert operator.update(service, {"title": "Changed"}) == REFUSED
    document = {**SMALLEST, "providerId": uid}
    assert operator.create(f"services/{secrets.token_hex(6)}", document) == REFUSED


def test_nobody_deletes_a_service(service: str, uid: str, as_caller: AsCaller) -> None:
    for caller in (as_caller(None), as_caller(uid), as_caller(uid, admin=True)):
        assert caller.delete(service) == REFUSED
