"""An Idempotency-Key holds for refusals and links as it does for everything else."""

from __future__ import annotations

from datetime import timedelta

from tests.support.api import Answer
from tests.support.market import Market, fresh

LONG = timedelta(days=400)


def test_the_same_key_for_a_link_gives_the_same_account_again(market: Market) -> None:
    provider = market.a_provider()
    caller, key = market.api.as_user(provider.uid), fresh("key")
    answers = [
        caller.post(
            "stripe-connect", "CREATE_ACCOUNT_LINK", idempotency_key=key, providerId=provider.uid
        )
        for _ in range(2)
    ]
    assert [one.ok()["accountId"] for one in answers] == [provider.account_id] * 2
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_the_same_key_for_a_login_link_gives_a_link_that_is_good_again(market: Market) -> None:
    provider = market.a_provider()
    caller, key = market.api.as_user(provider.uid), fresh("key")
    urls = [
        caller.post(
            "stripe-connect", "CREATE_LOGIN_LINK", idempotency_key=key, providerId=provider.uid
        ).ok()["url"]
        for _ in range(2)
    ]
    assert urls[0] != urls[1]


def test_a_key_reused_for_a_body_that_is_refused_at_once_is_still_a_422(market: Market) -> None:
    service, key, customer = market.a_service(market.a_provider()), fresh("key"), fresh("customer")
    market.book(service, customer=customer, idempotency_key=key).ok()
    again = market.book(service, customer=customer, idempotency_key=key, lasts=LONG)
    again.refused(422, "idempotency_key_reused")


def test_a_refusal_is_given_again_under_its_key(market: Market) -> None:
    service, key, customer = market.a_service(market.a_provider()), fresh("key"), fresh("customer")
    start = market.control.now() + timedelta(days=9)
    first, second = (
        market.book(service, customer=customer, idempotency_key=key, start=start, lasts=LONG)
        for _ in range(2)
    )
    assert first.refused(409, "not_available")["reason"] == "bad_duration"
    assert second.json == first.json
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_refusal_ends_a_key_whose_first_attempt_was_lost_half_way(market: Market) -> None:
    provider = market.a_provider()
    service = market.a_service(provider, billingInterval="MONTH")
    customer, key = fresh("customer"), fresh("key")
    fields = {"serviceId": service.id, "customerEmail": f"{customer}@example.com"}

    def subscribe() -> Answer:
        caller = market.api.as_user(customer)
        return caller.post("stripe-connect", "CREATE_SUBSCRIPTION", idempotency_key=key, **fields)

    market.control.fault("POST", "/v1/products", "error_before", status=500, times=2)
    assert subscribe().status == 503  # the customer's object stands by now, under the key
    market.control.clear_faults()
    profile = market.db.collection("userProfiles").document(provider.uid)
    profile.update({"stripeAccountId": None})
    market.control.advance(10)
    assert subscribe().refused(400)["type"] == "provider_not_set_up"
    again = subscribe()
    assert again.refused(400)["type"] == "provider_not_set_up"
    assert again.headers["Idempotent-Replayed"] == "true"
