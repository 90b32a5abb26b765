"""The guide's examples for bookings, accounts and webhooks, sent as they stand.

They book a day of 2024, so they have a stack of their own whose clock stands before it.
Source: guide.md, sections 1 to 3, Error Handling, Testing with Stripe Test Mode.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client as FirestoreClient
from stripe import CardError, StripeClient

from emulator.stack.handle import running_stack
from emulator.stack.ports import free_base
from tests.support.api import Answer, Api
from tests.support.market import Market, payment_intent_of, usd
from tests.support.stripe_control import StripeControl

NOVEMBER = datetime(2024, 11, 20, 9, tzinfo=UTC)
CREATE_BOOKING = """
{
  "action": "CREATE_BOOKING",
  "serviceId": "service-123",
  "customerId": "customer-456",
  "customerEmail": "customer@example.com",
  "startDateTime": "2024-12-01T10:00:00Z",
  "endDateTime": "2024-12-01T12:00:00Z",
  "groupSize": 2,
  "specialRequests": "Please provide parking"
}
"""
CREATE_ACCOUNT = """
{
  "action": "CREATE_ACCOUNT",
  "providerId": "provider-123"
}
"""
SERVICE = {
    "providerId": "provider-123",
    "title": "Photography Session",
    "category": "SERVICE",
    "price": 100,
    "priceUnit": "HOUR",
    "currency": "USD",
    "timezone": "UTC",
    "capacityMode": "SEATS",
    "capacity": 100,
    "cancellationPolicy": "FLEXIBLE",
    "active": True,
}


@pytest.fixture(scope="module")
def market_of_2024(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A stack in November 2024 in which the guide's provider has not signed up yet."""
    logs = tmp_path_factory.mktemp("stack-of-2024")
    options = ["--port-base", str(free_base()), "--logs", str(logs)]
    with (logs / "up.log").open("wb") as progress, running_stack(options, progress=progress) as up:
        api, control = Api(up.functions, up.project), StripeControl(up.stripe)
        stripe = StripeClient(up.stripe_key, base_addresses={"api": up.stripe})
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FIRESTORE_EMULATOR_HOST", up.firestore)
            db = FirestoreClient(project=up.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
        control.advance(int((NOVEMBER - control.now()).total_seconds()))
        db.collection("services").document("service-123").set(SERVICE)
        db.collection("userProfiles").document("provider-123").set({"role": "PROVIDER"})
        yield Market(api, control, stripe, db)
        db.close()  # type: ignore[no-untyped-call]


def send(market: Market, uid: str, path: str, body: str) -> Answer:
    """The guide's text itself, as its caller."""
    headers = {"Content-Type": "application/json"}
    return market.api.as_user(uid).send("POST", path, body.encode(), headers)


def test_before_onboarding_the_example_meets_the_guides_error(market_of_2024: Market) -> None:
    told = send(market_of_2024, "customer-456", "/booking-processor", CREATE_BOOKING).refused(400)
    assert told["error"] == "Provider payment processing not set up"
    assert told["code"] == 400


def test_the_example_of_an_account_gives_an_account_and_a_link(market_of_2024: Market) -> None:
    told = send(market_of_2024, "provider-123", "/stripe-connect", CREATE_ACCOUNT).ok()
    assert told["accountId"].startswith("acct_")
    assert f"/setup/e/{told['accountId']}/" in told["onboardingUrl"]
    again = send(market_of_2024, "provider-123", "/stripe-connect", CREATE_ACCOUNT).ok()
    assert again["accountId"] == told["accountId"]


@pytest.fixture(scope="module")
def onboarded(market_of_2024: Market) -> Market:
    """The provider has signed up and finished onboarding."""
    told = send(market_of_2024, "provider-123", "/stripe-connect", CREATE_ACCOUNT).ok()
    market_of_2024.control.onboard(told["accountId"])
    market_of_2024.control.idle()
    return market_of_2024


@pytest.mark.parametrize("path", ["/booking-processor", "/api/booking-processor"])
def test_the_example_of_a_booking_gives_the_guides_answer(onboarded: Market, path: str) -> None:
    told = send(onboarded, "customer-456", path, CREATE_BOOKING).ok()
    booking_id = told["bookingId"]
    assert booking_id.startswith("booking-")
    assert told["clientSecret"].startswith("pi_")
    assert "_secret_" in told["clientSecret"]
    booking = told["booking"]
    assert booking["id"] == booking_id
    assert booking["status"] == "PENDING"
    assert booking["service"]["title"] == "Photography Session"
    assert booking["service"]["category"] == "SERVICE"
    assert booking["dateTime"] == {
        "start": "2024-12-01T10:00:00Z",
        "end": "2024-12-01T12:00:00Z",
    }
    pricing = {name: booking["pricing"][name] for name in booking["pricing"] if name != "currency"}
    assert pricing == {
        "totalAmount": 200,
        "platformFee": 16,
        "providerEarnings": 184,
        "platformFeeRate": usd("0.08"),
    }
    assert booking["pricing"]["currency"] == "USD"
    assert booking["qrCode"] == f"qr_{booking_id}"


def test_money_is_written_with_the_currencys_own_decimals(onboarded: Market) -> None:
    text = send(onboarded, "customer-456", "/booking-processor", CREATE_BOOKING).text
    assert '"totalAmount": 200.00' in text
    assert '"providerEarnings": 184.00' in text


def test_availability_of_the_example_is_told_with_the_same_price(onboarded: Market) -> None:
    asked = json.loads(CREATE_BOOKING)
    wanted = ("serviceId", "startDateTime", "endDateTime", "groupSize")
    told = onboarded.api.as_user("customer-456").post(
        "booking-processor", "CHECK_AVAILABILITY", **{name: asked[name] for name in wanted}
    )
    assert told.ok()["available"] is True
    assert told.json["pricing"]["totalAmount"] == 200


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        ("4242424242424242", "CONFIRMED"),
        ("4000000000000002", "declined"),
        ("4000002500003155", "requires_action"),
    ],
)
def test_the_guides_test_cards_do_what_the_guide_says(
    onboarded: Market, number: str, outcome: str
) -> None:
    told = send(onboarded, "customer-456", "/booking-processor", CREATE_BOOKING).ok()
    card: Any = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = onboarded.stripe.v1.payment_methods.create({"type": "card", "card": card})
    seen = outcome
    if outcome == "declined":
        with pytest.raises(CardError):
            onboarded.pay(told["clientSecret"], method.id)
        onboarded.control.idle()
        shown = onboarded.booking(told["bookingId"])
        assert shown["payment"]["lastFailure"]["declineCode"] == "generic_decline"
        seen = "PENDING"
    elif outcome == "requires_action":
        assert onboarded.pay(told["clientSecret"], method.id).status == "requires_action"
        onboarded.control.authenticate(payment_intent_of(told["clientSecret"]))
        onboarded.control.idle()
        seen = "CONFIRMED"
    else:
        onboarded.pay(told["clientSecret"], method.id)
    assert onboarded.booking(told["bookingId"])["status"] == seen


def test_confirming_and_cancelling_the_example_walk_the_guides_flow(onboarded: Market) -> None:
    told = send(onboarded, "customer-456", "/booking-processor", CREATE_BOOKING).ok()
    booking_id = told["bookingId"]
    onboarded.pay(told["clientSecret"])
    caller = onboarded.api.as_user("customer-456")
    confirmed = caller.post("booking-processor", "CONFIRM_BOOKING", bookingId=booking_id).ok()
    assert confirmed["status"] == "CONFIRMED"
    cancelled = caller.post("booking-processor", "CANCEL_BOOKING", bookingId=booking_id).ok()
    assert cancelled["status"] == "CANCELLED"
    assert cancelled["refund"]["refundAmount"] == usd("200.00")
    assert cancelled["refund"]["platformFeeRefunded"] == usd("16.00")
