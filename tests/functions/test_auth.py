"""Who is let in, and what strangers are told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.functions.test_http import JSON_PROCESSORS
from tests.support.api import Answer, Api
from tests.support.market import Booking, Market, fresh
from tests.support.tokens import unsigned_token

ANY_ACTION: dict[str, tuple[str, dict[str, Any]]] = {
    "booking-processor": ("GET_BOOKING", {"bookingId": "b-1"}),
    "stripe-connect": ("CHECK_ACCOUNT_STATUS", {"providerId": "p-1"}),
    "payout-manager": ("CALCULATE_EARNINGS", {"providerId": "p-1"}),
    "refund-processor": ("CALCULATE_REFUND", {"bookingId": "b-1"}),
    "reporting": ("RECONCILE", {}),
}


def part(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def ask(api: Api, token: str, processor: str = "booking-processor") -> Answer:
    action, fields = ANY_ACTION[processor]
    return api.with_token(token).post(processor, action, **fields)


@pytest.mark.parametrize("processor", JSON_PROCESSORS)
def test_nobody_is_let_in_without_a_token(api: Api, processor: str) -> None:
    action, fields = ANY_ACTION[processor]
    api.anonymous().post(processor, action, **fields).refused(401)


@pytest.mark.parametrize("processor", JSON_PROCESSORS)
def test_an_expired_token_is_a_401(api: Api, processor: str) -> None:
    ask(api, unsigned_token("somebody", project=api.project, expired=True), processor).refused(401)


@pytest.mark.parametrize("processor", JSON_PROCESSORS)
def test_a_token_for_another_project_is_a_401(api: Api, processor: str) -> None:
    token = unsigned_token("somebody", project=api.project, audience="another-project")
    ask(api, token, processor).refused(401)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://securetoken.google.com/another-project"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": ["https://accounts.google.com"]},
        {"iss": "https://accounts.google.com"},
        {"aud": ["demo-marketplace"]},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 129},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 0},
        {"exp": True},
    ],
    ids=str,
)
def test_a_token_with_a_claim_that_does_not_fit_is_a_401(api: Api, claims: dict[str, Any]) -> None:
    ask(api, unsigned_token("somebody", project=api.project, claims=claims)).refused(401)


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "a.b.c",
        "..",
        "....",
        f"{part({'alg': 'none'})}.{part('not json')}.",
        f"{part({'alg': 'none'})}.{part([1])}.",
        f"{part({'alg': 'none'})}.{part('[' * 2500)}.",
        f"{part('[]')}.{part({'sub': 'somebody'})}.",
        f"{part({'alg': 'none'})}.{part({'sub': 'somebody'})}",
        "\xff\xfe",
    ],
)
def test_garbage_for_a_token_is_a_401(api: Api, token: str) -> None:
    ask(api, token).refused(401)


@pytest.mark.parametrize("header", ["Basic c29tZWJvZHk6eA==", "Bearer", "Bearer ", "somebody", ""])
def test_an_authorization_that_is_no_bearer_token_is_a_401(api: Api, header: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": header}
    body = json.dumps({"action": "GET_BOOKING", "bookingId": "b-1"}).encode()
    api.request("POST", "/booking-processor", data=body, headers=headers).refused(401)


def test_a_google_token_nobody_signed_does_not_make_a_scheduler(api: Api) -> None:
    claims = {"iss": "https://accounts.google.com", "email": "scheduler@x.example"}
    token = unsigned_token("1234", project=api.project, claims={**claims, "email_verified": True})
    api.with_token(token).post("booking-processor", "RUN_MAINTENANCE").refused(401)


@pytest.mark.parametrize("admin", ["true", 1, "yes", None, False, [True]])
def test_only_the_claim_admin_true_makes_an_operator(api: Api, admin: object) -> None:
    caller = api.as_user("somebody", claims={"admin": admin})
    caller.post("booking-processor", "RUN_MAINTENANCE").refused(403)


def test_actions_of_operators_are_forbidden_to_users(api: Api) -> None:
    api.as_user("somebody").post("booking-processor", "RUN_MAINTENANCE").refused(403)
    api.as_user("somebody").post("reporting", "RECONCILE").refused(403)


@pytest.mark.parametrize(
    ("processor", "action"),
    [
        ("booking-processor", "GET_BOOKING"),
        ("booking-processor", "CONFIRM_BOOKING"),
        ("booking-processor", "CANCEL_BOOKING"),
        ("booking-processor", "COMPLETE_BOOKING"),
        ("stripe-connect", "CREATE_PAYMENT_INTENT"),
        ("refund-processor", "CALCULATE_REFUND"),
        ("refund-processor", "PROCESS_REFUND"),
        ("refund-processor", "GET_REFUND_STATUS"),
    ],
)
def test_a_stranger_cannot_tell_a_booking_from_one_that_does_not_exist(
    market: Market, stranger_proof: Callable[[], Booking], processor: str, action: str
) -> None:
    booking = stranger_proof()
    stranger = market.api.as_user(fresh("stranger"))
    theirs = stranger.post(processor, action, bookingId=booking.id).refused(404)
    nobodys = stranger.post(processor, action, bookingId=fresh("booking")).refused(404)
    assert {**theirs, "requestId": ""} == {**nobodys, "requestId": ""}
    assert market.booking(booking.id)["status"] == "PENDING"


@pytest.fixture(scope="module")
def _kept() -> list[Booking]:
    return []


@pytest.fixture
def stranger_proof(market: Market, _kept: list[Booking]) -> Callable[[], Booking]:
    """One unpaid booking for all these tests: nothing they do may change it."""

    def booking() -> Booking:
        if not _kept:
            _kept.append(market.a_booking())
        return _kept[0]

    return booking


@pytest.mark.parametrize(
    ("processor", "action"),
    [
        ("stripe-connect", "CHECK_ACCOUNT_STATUS"),
        ("stripe-connect", "CREATE_ACCOUNT_LINK"),
        ("stripe-connect", "CREATE_LOGIN_LINK"),
        ("payout-manager", "CALCULATE_EARNINGS"),
        ("payout-manager", "SCHEDULE_PAYOUT"),
        ("payout-manager", "INSTANT_PAYOUT"),
        ("payout-manager", "GET_PAYOUT_HISTORY"),
    ],
)
def test_a_provider_is_no_business_of_another_users(
    market: Market, processor: str, action: str
) -> None:
    provider = market.a_provider(ready=False)
    stranger = market.api.as_user(fresh("stranger"))
    theirs = stranger.post(processor, action, providerId=provider.uid).refused(404)
    nobodys = stranger.post(processor, action, providerId=fresh("provider")).refused(404)
    assert {**theirs, "requestId": ""} == {**nobodys, "requestId": ""}


def test_an_account_is_not_made_for_somebody_else(market: Market) -> None:
    provider = market.a_provider(ready=False)
    stranger = market.api.as_user(fresh("stranger"))
    answer = stranger.post("stripe-connect", "CREATE_ACCOUNT", providerId=provider.uid)
    assert answer.status in (403, 404)
    answer.refused(answer.status)
    profile = market.db.collection("userProfiles").document(provider.uid).get().to_dict() or {}
    assert "stripeAccountId" not in profile


def test_a_customer_id_in_the_body_grants_nothing(market: Market) -> None:
    service = market.a_service(market.a_provider())
    booked = market.book(service, customer=fresh("customer"), customerId=fresh("victim"))
    booked.refused(403)


def test_parties_of_a_booking_may_do_only_what_is_theirs(
    market: Market, stranger_proof: Callable[[], Booking]
) -> None:
    booking = stranger_proof()
    customer = market.api.as_user(booking.customer)
    provider = market.api.as_user(booking.service.provider.uid)
    customer.post("booking-processor", "COMPLETE_BOOKING", bookingId=booking.id).refused(403)
    provider.post("stripe-connect", "CREATE_PAYMENT_INTENT", bookingId=booking.id).refused(403)
    assert provider.post("booking-processor", "GET_BOOKING", bookingId=booking.id).ok()
    assert customer.post("booking-processor", "GET_BOOKING", bookingId=booking.id).ok()


def test_the_client_secret_is_shown_to_nobody_but_the_customer(
    market: Market, stranger_proof: Callable[[], Booking]
) -> None:
    booking = stranger_proof()
    for caller in (
        market.api.as_user(booking.customer),
        market.api.as_user(booking.service.provider.uid),
        market.api.as_operator(),
    ):
        shown = caller.post("booking-processor", "GET_BOOKING", bookingId=booking.id)
        assert shown.status == 200
        assert "_secret_" not in shown.text


@pytest.mark.parametrize("uid", ["a/b", "..", "__x__"])
def test_a_uid_that_can_name_no_document_ends_in_a_refusal_not_a_crash(api: Api, uid: str) -> None:
    answer = api.as_user(uid).post("stripe-connect", "CREATE_ACCOUNT")
    assert 400 <= answer.status < 500, answer.text
    answer.refused(answer.status)
