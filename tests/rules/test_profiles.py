"""userProfiles/{uid}: owners write what is theirs, never what the functions decide."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from .conftest import AsCaller
from .firestore_rest import ALLOWED, REFUSED, FirestoreOfCaller

PROFILE = {
    "displayName": "Ada Photography",
    "email": "ada@example.com",
    "country": "US",
    "defaultCurrency": "USD",
    "payoutSchedule": {"interval": "WEEKLY", "anchor": "friday", "minimumAmount": 25.5},
}
SERVER_WRITTEN: dict[str, Any] = {
    "role": "PROVIDER",
    "commissionRateBps": 0,
    "stripeAccountId": "acct_other",
    "stripeOnboardingComplete": True,
    "stripeAccountStatus": "ACTIVE",
    "stripeChargesEnabled": True,
    "stripePayoutsEnabled": True,
    "stripeDetailsSubmitted": True,
    "stripeRequirements": {},
    "stripeCapabilities": {},
    "stripeOnboardingUrl": "https://example.com/",
    "neverHeardOf": 1,
}
MALFORMED: list[tuple[str, Any]] = [
    ("displayName", ""),
    ("displayName", "x" * 201),
    ("displayName", 7),
    ("email", "no at sign"),
    ("email", "two@at@signs"),
    ("country", "us"),
    ("country", "USA"),
    ("defaultCurrency", "usd"),
    ("defaultCurrency", None),
    ("payoutSchedule", "WEEKLY"),
    ("payoutSchedule", {"interval": "HOURLY"}),
    ("payoutSchedule", {"anchor": 1}),
    ("payoutSchedule", {"interval": "DAILY", "anchor": 1}),
    ("payoutSchedule", {"interval": "WEEKLY", "anchor": 5}),
    ("payoutSchedule", {"interval": "WEEKLY", "anchor": "someday"}),
    ("payoutSchedule", {"interval": "MONTHLY", "anchor": 32}),
    ("payoutSchedule", {"interval": "MANUAL", "minimumAmount": -1}),
    ("payoutSchedule", {"interval": "MANUAL", "minimumAmount": "25"}),
    ("payoutSchedule", {"interval": "MANUAL", "nextDate": "2030-01-01"}),
]


@pytest.fixture
def uid() -> str:
    """A fresh user."""
    return f"user-{secrets.token_hex(4)}"


@pytest.fixture
def owner(uid: str, as_caller: AsCaller) -> FirestoreOfCaller:
    """That user."""
    return as_caller(uid)


@pytest.fixture
def path(uid: str, server: FirestoreOfCaller) -> str:
    """Their profile, made by the functions: a provider's."""
    assert server.create(f"userProfiles/{uid}", {**PROFILE, **SERVER_WRITTEN}) == ALLOWED
    return f"userProfiles/{uid}"


def test_an_owner_makes_reads_and_changes_their_profile(uid: str, owner: FirestoreOfCaller) -> None:
    assert owner.create(f"userProfiles/{uid}", PROFILE) == ALLOWED
    assert owner.get(f"userProfiles/{uid}") == ALLOWED
    assert owner.update(f"userProfiles/{uid}", {"displayName": "Ada"}) == ALLOWED
    assert owner.update(f"userProfiles/{uid}", {}, removed=("country",)) == ALLOWED


@pytest.mark.parametrize("interval_and_anchor", [
    {"interval": "MANUAL"},
    {"interval": "DAILY", "minimumAmount": 1000},
    {"interval": "WEEKLY", "anchor": "FRI"},
    {"interval": "WEEKLY", "anchor": "Wednesday"},
    {"interval": "MONTHLY", "anchor": 31},
])  # fmt: skip
def test_every_payout_schedule_of_the_contract_is_accepted(
    path: str, owner: FirestoreOfCaller, interval_and_anchor: dict[str, Any]
) -> None:
    assert owner.update(path, {"payoutSchedule": interval_and_anchor}) == ALLOWED


def test_an_owner_changes_their_own_fields_beside_those_of_the_functions(
    path: str, owner: FirestoreOfCaller
) -> None:
    assert owner.update(path, {"email": "new@example.com"}) == ALLOWED


def test_what_the_functions_put_into_a_field_of_the_owners_stands_in_no_ones_way(
    path: str, owner: FirestoreOfCaller, server: FirestoreOfCaller
) -> None:
    schedule = {"interval": "DAILY", "nextDate": "2030-01-01"}
    assert server.update(path, {"payoutSchedule": schedule, "country": None}) == ALLOWED
    assert owner.update(path, {"displayName": "Ada"}) == ALLOWED


@pytest.mark.parametrize("field", SERVER_WRITTEN)
def test_no_owner_sets_what_the_functions_decide(
    field: str, uid: str, owner: FirestoreOfCaller, server: FirestoreOfCaller
) -> None:
    path = f"userProfiles/{uid}"
    assert owner.create(path, {**PROFILE, field: SERVER_WRITTEN[field]}) == REFUSED
    assert server.create(path, PROFILE) == ALLOWED
    assert owner.update(path, {field: SERVER_WRITTEN[field]}) == REFUSED


@pytest.mark.parametrize("field", SERVER_WRITTEN)
def test_no_owner_changes_or_removes_what_the_functions_decided(
    field: str, path: str, owner: FirestoreOfCaller
) -> None:
    assert owner.update(path, {field: "something else"}) == REFUSED
    assert owner.update(path, {}, removed=(field,)) == REFUSED


@pytest.mark.parametrize(("field", "value"), MALFORMED)
def test_a_malformed_field_is_refused(
    field: str, value: Any, uid: str, owner: FirestoreOfCaller, server: FirestoreOfCaller
) -> None:
    path = f"userProfiles/{uid}"
    assert owner.create(path, {**PROFILE, field: value}) == REFUSED
    assert server.create(path, PROFILE) == ALLOWED
    assert owner.update(path, {field: value}) == REFUSED


def test_nobody_else_sees_or_writes_a_profile(
    path: str, as_caller: AsCaller, owner: FirestoreOfCaller
) -> None:
    for stranger in (as_caller(None), as_caller("somebody-else")):
        assert stranger.get(path) == REFUSED
        assert stranger.list("userProfiles") == REFUSED
        assert stranger.update(path, {"displayName": "Mallory"}) == REFUSED
        assert stranger.create("userProfiles/of-another", PROFILE) == REFUSED
    assert owner.list("userProfiles") == REFUSED


def test_operators_read_profiles_and_write_none(path: str, as_caller: AsCaller) -> None:
    operator = as_caller("operator", admin=True)
    assert operator.get(path) == ALLOWED
    assert operator.list("userProfiles") == ALLOWED
    assert operator.update(path, {"displayName": "Operator"}) == REFUSED
    assert operator.create("userProfiles/operator", PROFILE) == REFUSED


def test_nobody_deletes_a_profile(path: str, uid: str, as_caller: AsCaller) -> None:
    for caller in (as_caller(None), as_caller(uid), as_caller("operator", admin=True)):
        assert caller.delete(path) == REFUSED
