"""Every collection, every kind of caller, every operation: who gets through."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import pytest

from .conftest import AsCaller
from .firestore_rest import ALLOWED, REFUSED, FirestoreOfCaller

CALLERS = ("anonymous", "customer", "provider", "other", "operator")
CUSTOMER_AND_PROVIDER = {"customer", "provider", "operator"}
MAY_READ: Mapping[str, set[str]] = {
    "bookings": CUSTOMER_AND_PROVIDER,
    "transactions": CUSTOMER_AND_PROVIDER,
    "refunds": CUSTOMER_AND_PROVIDER,
    "disputes": CUSTOMER_AND_PROVIDER,
    "subscriptions": CUSTOMER_AND_PROVIDER,
    "payouts": {"provider", "operator"},
    **{
        name: {"operator"}
        for name in (
            "accounts",
            "auditLog",
            "calendars",
            "config",
            "cursors",
            "earnings",
            "holdReleases",
            "idempotency",
            "operations",
            "paymentIntents",
            "payoutPauses",
            "payoutRuns",
            "settings",
            "webhookEvents",
            "neverHeardOf",
        )
    },
}
CASES = [(name, caller) for name in MAY_READ for caller in CALLERS]


@pytest.fixture(scope="module")
def uids() -> dict[str, str]:
    """A fresh uid for each kind of caller who signs in."""
    return {name: f"{name}-{secrets.token_hex(4)}" for name in CALLERS[1:]}


@pytest.fixture(scope="module")
def document(uids: dict[str, str]) -> dict[str, Any]:
    """What every server-written document says of its parties."""
    return {"customerId": uids["customer"], "providerId": uids["provider"], "amount": 184_00}


@pytest.fixture(scope="module", autouse=True)
def seeded(server: FirestoreOfCaller, document: dict[str, Any], uids: dict[str, str]) -> None:
    """One document in every collection, and the provider's profile."""
    for name in MAY_READ:
        assert server.create(f"{name}/one", document) == ALLOWED
        assert server.create(f"{name}/one/parts/part", document) == ALLOWED
        assert server.create(f"{name}/nobodys", {"amount": 1}) == ALLOWED
    assert server.create(f"userProfiles/{uids['provider']}", {"role": "PROVIDER"}) == ALLOWED


@pytest.fixture
def caller(request: pytest.FixtureRequest, as_caller: AsCaller, uids: dict[str, str]) -> Any:
    """Firestore as the caller of this name sees it."""
    name = request.param
    if name == "anonymous":
        return as_caller(None)
    return as_caller(uids[name], **({"admin": True} if name == "operator" else {}))


def expected(may: bool) -> int:
    return ALLOWED if may else REFUSED


@pytest.mark.parametrize(("collection", "caller"), CASES, indirect=["caller"])
def test_only_its_parties_and_operators_read_a_document(
    collection: str, caller: FirestoreOfCaller, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["caller"]
    assert caller.get(f"{collection}/one") == expected(name in MAY_READ[collection])


@pytest.mark.parametrize(("collection", "caller"), CASES, indirect=["caller"])
def test_a_query_is_answered_only_to_who_asks_for_what_is_theirs(
    collection: str,
    caller: FirestoreOfCaller,
    uids: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:
    name = request.node.callspec.params["caller"]
    assert caller.list(collection) == expected(name == "operator")
    for party in ("customer", "provider"):
        may = name == "operator" or (name == party and name in MAY_READ[collection])
        assert caller.list(collection, {f"{party}Id": uids[party]}) == expected(may)


@pytest.mark.parametrize(("collection", "caller"), CASES, indirect=["caller"])
def test_nobody_writes_what_the_functions_write(
    collection: str, caller: FirestoreOfCaller, document: dict[str, Any]
) -> None:
    assert caller.create(f"{collection}/two", document) == REFUSED
    assert caller.update(f"{collection}/one", {"amount": 1}) == REFUSED
    assert caller.delete(f"{collection}/one") == REFUSED


@pytest.mark.parametrize(("collection", "caller"), CASES, indirect=["caller"])
def test_what_lies_under_a_document_is_the_operators_to_read_and_nobodys_to_write(
    collection: str,
    caller: FirestoreOfCaller,
    document: dict[str, Any],
    request: pytest.FixtureRequest,
) -> None:
    name = request.node.callspec.params["caller"]
    assert caller.get(f"{collection}/one/parts/part") == expected(name == "operator")
    assert caller.create(f"{collection}/one/parts/new", document) == REFUSED


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
@pytest.mark.parametrize("collection", MAY_READ)
def test_a_document_without_parties_is_read_by_operators_only(
    collection: str, caller: FirestoreOfCaller, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["caller"]
    assert caller.get(f"{collection}/nobodys") == expected(name == "operator")


@pytest.mark.parametrize("party", ["customer", "provider"])
def test_a_document_that_names_one_party_is_read_by_that_party(
    party: str, server: FirestoreOfCaller, as_caller: AsCaller, uids: dict[str, str]
) -> None:
    path = f"refunds/only-{party}"
    assert server.create(path, {f"{party}Id": uids[party]}) == ALLOWED
    for name in ("customer", "provider"):
        assert as_caller(uids[name]).get(path) == expected(name == party)


def test_a_claim_of_another_name_or_value_makes_no_operator(as_caller: AsCaller) -> None:
    for claims in ({"admin": False}, {"admin": "true"}, {"admin": 1}, {"operator": True}):
        assert as_caller("somebody", **claims).get("bookings/one") == REFUSED
