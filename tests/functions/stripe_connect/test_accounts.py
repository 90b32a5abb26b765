"""Providers' accounts at Stripe: made once, and seen here as Stripe sees them."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.functions.acts import a_completed_booking, payout, together
from tests.support.api import Answer
from tests.support.market import Market, Provider, fresh
from tests.support.stripe_control import StripeControl


def create(market: Market, uid: str, **fields: Any) -> Answer:
    return market.api.as_user(uid).post(
        "stripe-connect", "CREATE_ACCOUNT", providerId=uid, **fields
    )


def check(market: Market, provider: Provider | str) -> dict[str, Any]:
    uid = provider if isinstance(provider, str) else provider.uid
    caller = market.api.as_user(uid)
    return caller.post("stripe-connect", "CHECK_ACCOUNT_STATUS", providerId=uid).ok()


def profile(market: Market, uid: str) -> dict[str, Any]:
    return market.db.collection("userProfiles").document(uid).get().to_dict() or {}


def accounts_at_stripe(market: Market, uid: str) -> list[str]:
    every = market.stripe.v1.accounts.list({"limit": 100}).auto_paging_iter()
    return [one.id for one in every if (one.metadata or {"providerId": None})["providerId"] == uid]


def test_an_account_answers_its_id_and_a_link(market: Market) -> None:
    uid = market.a_provider(ready=False).uid
    told = create(market, uid).ok()
    assert told["accountId"].startswith("acct_")
    assert told["accountId"] in told["onboardingUrl"]
    kept = profile(market, uid)
    assert kept["stripeAccountId"] == told["accountId"]
    assert kept["stripeAccountStatus"] == "PENDING"
    assert kept["stripeOnboardingComplete"] is False
    assert kept["stripeOnboardingUrl"] == told["onboardingUrl"]
    assert kept["displayName"] == "Ada"


def test_the_account_is_an_express_one_on_manual_payouts_in_its_country(market: Market) -> None:
    uid = market.a_provider(ready=False, country="DE").uid
    told = create(market, uid).ok()
    account = market.stripe.v1.accounts.retrieve(told["accountId"])
    assert account.country == "DE"
    assert account.controller is not None
    assert account.controller.stripe_dashboard is not None
    assert account.controller.stripe_dashboard.type == "express"
    assert account.settings is not None
    assert account.settings.payouts is not None
    assert account.settings.payouts.schedule.interval == "manual"
    assert account.capabilities is not None
    assert "transfers" in account.capabilities


def test_a_second_call_answers_the_same_account_with_a_fresh_link(market: Market) -> None:
    uid = market.a_provider(ready=False).uid
    first, second = create(market, uid).ok(), create(market, uid).ok()
    assert second["accountId"] == first["accountId"]
    assert second["onboardingUrl"] != first["onboardingUrl"]
    assert accounts_at_stripe(market, uid) == [first["accountId"]]


def test_calls_at_once_make_one_account(market: Market) -> None:
    uid = market.a_provider(ready=False).uid
    answers = together(*[lambda: create(market, uid)] * 6)
    ids = {one.ok()["accountId"] for one in answers}
    assert accounts_at_stripe(market, uid) == list(ids)


def test_any_signed_in_user_becomes_a_provider_by_it(market: Market) -> None:
    uid = fresh("newcomer")
    told = market.api.as_user(uid).post("stripe-connect", "CREATE_ACCOUNT", country="FR")
    assert profile(market, uid)["role"] == "PROVIDER"
    assert profile(market, uid)["stripeAccountId"] == told.ok()["accountId"]


def test_an_operator_makes_an_account_for_a_provider_but_not_for_nobody(market: Market) -> None:
    uid = market.a_provider(ready=False).uid
    operator = market.api.as_operator()
    told = operator.post("stripe-connect", "CREATE_ACCOUNT", providerId=uid).ok()
    assert profile(market, uid)["stripeAccountId"] == told["accountId"]
    operator.post("stripe-connect", "CREATE_ACCOUNT", providerId=fresh("nobody")).refused(404)


@pytest.mark.parametrize(
    ("field", "value"), [("country", "usa"), ("country", "us"), ("email", "nobody"), ("tax", "1")]
)
def test_a_field_that_cannot_be_right_is_named(market: Market, field: str, value: str) -> None:
    told = create(market, fresh("newcomer"), **{field: value}).refused(400)
    assert [one["field"] for one in told["fields"]] == [field]


def test_a_country_that_stripe_does_not_serve_is_refused_and_can_be_mended(market: Market) -> None:
    uid = market.a_provider(ready=False).uid
    create(market, uid, country="AQ").refused(502)
    assert create(market, uid, country="US").ok()["accountId"]


@pytest.mark.parametrize("mode", ["timeout_after", "error_after"])
def test_a_lost_answer_still_makes_one_account(
    market: Market, control: StripeControl, mode: str
) -> None:
    uid = market.a_provider(ready=False).uid
    control.fault("POST", "/v1/accounts", mode, times=9, seconds=0)
    first = create(market, uid)
    control.clear_faults()
    assert first.status in (200, 503)
    told = create(market, uid).ok()
    assert accounts_at_stripe(market, uid) == [told["accountId"]]


@pytest.mark.parametrize(
    ("outcome", "status", "enabled"),
    [
        ("complete", "ACTIVE", True),
        ("restricted", "RESTRICTED", False),
        ("rejected", "REJECTED", False),
        ("pending", "PENDING", False),
    ],
)
def test_the_outcome_of_onboarding_reaches_the_profile_by_webhook_and_the_status_by_asking(
    market: Market, control: StripeControl, outcome: str, status: str, enabled: bool
) -> None:
    uid = market.a_provider(ready=False).uid
    account = create(market, uid).ok()["accountId"]
    before = check(market, uid)
    assert (before["accountId"], before["status"]) == (account, "PENDING")
    assert before["detailsSubmitted"] is before["onboardingComplete"] is False
    assert before["requirements"]["currently_due"]
    control.onboard(account, outcome)
    control.idle()
    kept = profile(market, uid)
    assert kept["stripeAccountStatus"] == status
    assert kept["stripeDetailsSubmitted"] is True
    assert kept["stripeChargesEnabled"] is enabled
    assert kept["stripePayoutsEnabled"] is enabled
    after = check(market, uid)
    assert after["status"] == status
    assert after["detailsSubmitted"] is True
    assert (after["chargesEnabled"], after["payoutsEnabled"]) == (enabled, enabled)
    assert kept["stripeRequirements"] == after["requirements"]
    assert kept["stripeCapabilities"] == after["capabilities"]
    booked = market.book(market.a_service(Provider(uid, account)))
    if enabled:
        booked.ok()
    else:
        assert booked.refused(400)["error"] == "Provider payment processing not set up"


def test_an_account_that_is_restricted_later_takes_no_new_bookings(
    market: Market, control: StripeControl
) -> None:
    provider = market.a_provider()
    service = market.a_service(provider)
    assert provider.account_id is not None
    control.onboard(provider.account_id, "restricted")
    control.idle()
    market.book(service).refused(400, "provider_not_set_up")
    control.onboard(provider.account_id, "complete")
    control.idle()
    market.book(service).ok()


def test_asking_for_the_status_heals_a_profile_whose_webhooks_were_lost(
    market: Market, control: StripeControl
) -> None:
    uid = market.a_provider(ready=False).uid
    account = create(market, uid).ok()["accountId"]
    control.idle()  # what was told of its making is heard, and reads the account as it stands
    control.webhooks("drop")
    control.onboard(account)
    assert profile(market, uid)["stripeAccountStatus"] == "PENDING"
    assert check(market, uid)["status"] == "ACTIVE"
    assert profile(market, uid)["stripeAccountStatus"] == "ACTIVE"


@pytest.mark.parametrize(
    "action", ["CHECK_ACCOUNT_STATUS", "CREATE_ACCOUNT_LINK", "CREATE_LOGIN_LINK"]
)
def test_a_provider_without_an_account_is_told_so_in_the_guides_words(
    market: Market, action: str
) -> None:
    uid = market.a_provider(ready=False).uid
    told = market.api.as_user(uid).post("stripe-connect", action, providerId=uid).refused(400)
    assert told["error"] == "Provider payment processing not set up"


def test_an_account_link_is_fresh_and_says_when_it_ends(market: Market) -> None:
    uid = market.a_provider(ready=False).uid
    first = create(market, uid).ok()
    caller = market.api.as_user(uid)
    told = caller.post("stripe-connect", "CREATE_ACCOUNT_LINK", providerId=uid).ok()
    assert told["accountId"] == first["accountId"]
    assert told["onboardingUrl"] != first["onboardingUrl"]
    assert told["expiresAt"].endswith("Z")
    assert told["expiresAt"] > market.control.now().isoformat()[:19]


def test_a_login_link_is_the_providers_alone(market: Market) -> None:
    provider = market.a_provider()
    caller = market.api.as_user(provider.uid)
    told = caller.post("stripe-connect", "CREATE_LOGIN_LINK", providerId=provider.uid).ok()
    assert told["url"].startswith("http")
    operator = market.api.as_operator()
    answer = operator.post("stripe-connect", "CREATE_LOGIN_LINK", providerId=provider.uid)
    assert answer.status in (403, 404)


def test_a_replayed_account_answer_has_a_link_that_is_good_still(market: Market) -> None:
    uid = market.a_provider(ready=False).uid
    first = create(market, uid, idempotency_key="k-1")
    second = create(market, uid, idempotency_key="k-1")
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.ok()["accountId"] == first.ok()["accountId"]
    assert second.json["onboardingUrl"]
    of_caller = FieldFilter("caller", "==", uid)
    for one in market.db.collection("idempotency").where(filter=of_caller).stream():
        assert first.json["onboardingUrl"] not in str(one.to_dict())


def test_a_provider_whose_account_left_the_platform_takes_no_new_bookings_and_keeps_earnings(
    market: Market, control: StripeControl
) -> None:
    provider = market.a_provider()
    service = market.a_service(provider)
    booking = market.a_booking(service, paid=True)
    control.call("POST", f"accounts/{provider.account_id}/deauthorize", {})
    control.idle()
    market.book(service).refused(400, "provider_not_set_up")
    told = market.api.as_user(provider.uid).post(
        "payout-manager", "CALCULATE_EARNINGS", providerId=provider.uid
    )
    assert told.ok()["heldEarnings"] == 184
    assert market.booking(booking.id)["status"] == "CONFIRMED"


def test_an_account_that_left_the_platform_does_not_keep_the_books_from_being_judged(
    market: Market, control: StripeControl
) -> None:
    provider = market.a_provider()
    booking = a_completed_booking(market, provider)
    paid_out = payout(market, provider).ok()["payoutId"]
    control.idle()
    control.call("POST", f"accounts/{provider.account_id}/deauthorize", {})
    control.idle()
    ours = {booking.id, paid_out, provider.uid, provider.account_id}
    judged = market.api.as_operator().post("reporting", "RECONCILE").ok()
    assert [one for one in judged["mismatches"] if ours & set(one["objects"])] == []
