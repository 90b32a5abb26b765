"""CREATE_SUBSCRIPTION, CANCEL_SUBSCRIPTION, GET_SUBSCRIPTION and LIST_SUBSCRIPTIONS."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from stripe import CardError

from tests.functions.acts import together
from tests.support.market import Market, fresh, payment_intent_of, usd
from tests.support.subscriptions import (
    HOUR,
    Subscription,
    a_recurring_service,
    a_subscription,
    cancel,
    periods_of,
    record_of,
    renew,
    subscribe,
)

DAY = 24 * HOUR


def at_stripe(market: Market, subscription: Subscription) -> list[Any]:
    """The subscriptions of this one's customer at Stripe, whatever became of them."""
    customer = market.stripe.v1.subscriptions.retrieve(subscription.id).customer
    listed = market.stripe.v1.subscriptions.list({"customer": str(customer), "status": "all"})
    return list(listed.data)


def test_a_subscription_begins_unpaid_with_the_price_of_a_period_and_a_secret_to_pay_with(
    market: Market,
) -> None:
    sub = a_subscription(market)
    assert sub.json["status"] == "INCOMPLETE"
    assert sub.json["pricing"] == {
        "totalAmount": usd("40.00"),
        "platformFee": usd("3.20"),
        "providerEarnings": usd("36.80"),
        "platformFeeRate": usd("0.08"),
        "currency": "USD",
    }
    assert payment_intent_of(str(sub.client_secret)).startswith("pi_")
    assert record_of(market, sub)["billingInterval"] == "MONTH"
    assert periods_of(market, sub) == []
    [made] = at_stripe(market, sub)
    assert made.metadata["customerId"] == sub.customer
    stored = market.db.collection("subscriptions").document(sub.id).get().to_dict()
    assert "_secret_" not in str(stored)


def test_it_is_active_once_its_customer_has_paid(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    record = record_of(market, sub)
    assert record["status"] == "ACTIVE"
    assert record["lastInvoice"]["status"] == "paid"
    assert record["lastInvoice"]["amountPaid"] == usd("40.00")
    assert record["currentPeriod"]["end"] > record["currentPeriod"]["start"]
    assert (record["endsAt"], record["lastFailure"]) == (None, None)


def test_a_repeat_is_answered_with_the_first_and_a_secret_that_works(market: Market) -> None:
    sub = a_subscription(market)
    again = subscribe(market, sub.service, sub.customer).ok()
    assert again["subscriptionId"] == sub.id
    market.pay(str(again["clientSecret"]))
    assert record_of(market, sub)["status"] == "ACTIVE"
    third = subscribe(market, sub.service, sub.customer).ok()
    assert (third["subscriptionId"], third["status"]) == (sub.id, "ACTIVE")
    assert len(at_stripe(market, sub)) == 1


def test_two_screens_at_once_make_one_subscription(market: Market) -> None:
    service, customer = a_recurring_service(market), fresh("customer")
    told = together(*[lambda: subscribe(market, service, customer)] * 4)
    ids = {answer.ok()["subscriptionId"] for answer in told}
    assert len(ids) == 1
    market.control.idle()
    sub = Subscription(ids.pop(), None, customer, service, {})
    assert len(at_stripe(market, sub)) == 1


def test_the_same_key_gives_the_first_answer_with_its_secret_again(market: Market) -> None:
    service, customer, key = a_recurring_service(market), fresh("customer"), fresh("key")
    first = subscribe(market, service, customer, idempotency_key=key)
    again = subscribe(market, service, customer, idempotency_key=key)
    assert again.ok() == first.ok()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_customer_product_and_price_are_made_once(market: Market) -> None:
    service, customer = a_recurring_service(market), fresh("customer")
    first = a_subscription(market, service, customer=customer, paid=True)
    cancel(market, first, atPeriodEnd=False).ok()
    market.control.idle()
    second = a_subscription(market, service, customer=customer, paid=True)
    assert second.id != first.id
    a_subscription(market, service)
    assert len(at_stripe(market, first)) == 2
    email = f"{customer}@example.com"
    assert len(market.stripe.v1.customers.list({"email": email}).data) == 1
    items = [one["items"].data[0] for one in at_stripe(market, first)]
    product = str(items[0].price.product)
    assert len(market.stripe.v1.prices.list({"product": product}).data) == 1


def test_a_new_price_is_for_new_subscriptions_only(market: Market) -> None:
    service = a_recurring_service(market)
    old = a_subscription(market, service, paid=True)
    market.db.collection("services").document(service.id).update({"price": 50})
    new = a_subscription(market, service)
    assert new.json["pricing"]["totalAmount"] == usd("50.00")
    renew(market, old)
    assert [one["money"]["total"] for one in periods_of(market, old)] == [40_00, 40_00]


@pytest.mark.parametrize(
    ("service", "code", "kind"),
    [
        ({"billingInterval": None}, 400, "not_a_subscription"),
        ({"active": False}, 409, "not_available"),
        ({"billingInterval": "DAY"}, 400, "service_misconfigured"),
        ({"priceUnit": "HOUR"}, 400, "service_misconfigured"),
        ({"bookingMode": "REQUEST"}, 400, "service_misconfigured"),
        ({"price": "0.10"}, 400, "service_misconfigured"),
    ],
)
def test_a_service_that_cannot_be_subscribed_to_is_refused_and_leaves_nothing(
    market: Market, service: dict[str, Any], code: int, kind: str
) -> None:
    customer = fresh("customer")
    subscribe(market, a_recurring_service(market, **service), customer).refused(code, kind)
    email = f"{customer}@example.com"
    assert market.stripe.v1.customers.list({"email": email}).data == []


def test_who_may_subscribe_and_to_what(market: Market) -> None:
    unready = market.a_provider(ready=False)
    told = subscribe(market, a_recurring_service(market, provider=unready), fresh("customer"))
    assert told.refused(400)["error"] == "Provider payment processing not set up"
    service, customer = a_recurring_service(market), fresh("customer")
    subscribe(market, service, customer, serviceId="service-nobody").refused(404, "not_found")
    subscribe(market, service, customer, customerId=fresh("customer")).refused(403, "forbidden")
    subscribe(market, service, customer, customerEmail="nobody").refused(400, "invalid_input")


def test_a_recurring_service_is_not_booked(market: Market) -> None:
    refused = market.book(a_recurring_service(market)).refused(400, "booking_mode_unsupported")
    assert "subscribe" in refused["error"]


def test_a_bank_that_asks_for_3d_secure_is_answered_and_the_subscription_begins(
    market: Market,
) -> None:
    sub = a_subscription(market)
    intent = market.pay(str(sub.client_secret), "pm_card_authenticationRequired")
    assert intent.status == "requires_action"
    assert record_of(market, sub)["status"] == "INCOMPLETE"
    assert periods_of(market, sub) == []
    market.control.authenticate(intent.id)
    market.control.idle()
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert len(periods_of(market, sub)) == 1


def test_a_declined_card_is_told_and_another_one_works(market: Market) -> None:
    sub = a_subscription(market)
    with suppress(CardError):
        market.pay(str(sub.client_secret), "pm_card_chargeDeclinedInsufficientFunds")
    market.control.idle()
    record = record_of(market, sub)
    assert record["status"] == "INCOMPLETE"
    assert record["lastFailure"]["declineCode"] == "insufficient_funds"
    market.pay(str(sub.client_secret))
    assert (record_of(market, sub)["status"], record_of(market, sub)["lastFailure"]) == (
        "ACTIVE",
        None,
    )


def test_a_subscription_that_nobody_pays_for_23_hours_has_expired(market: Market) -> None:
    sub = a_subscription(market)
    market.control.advance(23 * HOUR + 1)
    assert record_of(market, sub)["status"] == "EXPIRED"
    again = subscribe(market, sub.service, sub.customer).ok()
    assert again["subscriptionId"] != sub.id
    assert cancel(market, sub).ok()["status"] == "EXPIRED"


def test_cancelled_at_the_periods_end_it_runs_until_then(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    told = cancel(market, sub).ok()
    assert (told["subscriptionId"], told["status"]) == (sub.id, "ACTIVE")
    assert told["endsAt"] == record_of(market, sub)["currentPeriod"]["end"]
    market.control.idle()
    again = cancel(market, sub).ok()
    assert again["endsAt"] == told["endsAt"]
    renew(market, sub)
    ended = record_of(market, sub)
    assert ended["status"] == "CANCELLED"
    assert ended["endsAt"] >= told["endsAt"]
    assert len(periods_of(market, sub)) == 1


def test_cancelled_at_once_it_is_over_at_once(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    cancel(market, sub).ok()
    told = cancel(market, sub, atPeriodEnd=False).ok()
    assert told["status"] == "CANCELLED"
    assert told["endsAt"] is not None
    assert cancel(market, sub, atPeriodEnd=False).ok() == told
    assert cancel(market, sub).ok() == told


def test_what_was_never_paid_is_over_at_once(market: Market) -> None:
    sub = a_subscription(market)
    assert cancel(market, sub).ok()["status"] == "CANCELLED"
    market.control.idle()
    intent = market.stripe.v1.payment_intents.retrieve(payment_intent_of(str(sub.client_secret)))
    assert intent.status == "canceled"


def test_what_has_ended_at_stripe_unheard_is_found_ended(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    market.control.webhooks("drop")
    market.stripe.v1.subscriptions.cancel(sub.id)
    market.control.idle()
    market.control.webhooks("normal")
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert cancel(market, sub).ok()["status"] == "CANCELLED"


def test_subscribing_again_looks_whether_the_first_still_stands(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    market.control.webhooks("drop")
    market.stripe.v1.subscriptions.cancel(sub.id)
    market.control.idle()
    market.control.webhooks("normal")
    assert subscribe(market, sub.service, sub.customer).ok()["subscriptionId"] != sub.id


@pytest.mark.parametrize("path", ["customers", "products", "prices", "subscriptions"])
@pytest.mark.parametrize("mode", ["error_before", "error_after", "reset_after"])
def test_a_lost_answer_of_stripes_makes_nothing_twice(market: Market, path: str, mode: str) -> None:
    service, customer, key = a_recurring_service(market), fresh("customer"), fresh("key")
    market.control.fault("POST", f"/v1/{path}", mode, times=4)
    subscribe(market, service, customer, idempotency_key=key)
    market.control.clear_faults()
    told = subscribe(market, service, customer, idempotency_key=key)
    if told.status == 503:  # Stripe keeps its failure under the key: after an hour it is asked anew
        market.control.advance(HOUR + 1)
        told = subscribe(market, service, customer, idempotency_key=key)
    sub = Subscription(
        told.ok()["subscriptionId"], told.json["clientSecret"], customer, service, told.json
    )
    market.pay(str(sub.client_secret))
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert len(at_stripe(market, sub)) == 1
    email = f"{customer}@example.com"
    assert len(market.stripe.v1.customers.list({"email": email}).data) == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_a_cancellation_whose_answer_is_lost_is_seen_to_have_happened(
    market: Market, at_once: bool
) -> None:
    sub = a_subscription(market, paid=True)
    method = "DELETE" if at_once else "POST"
    market.control.fault(method, f"/v1/subscriptions/{sub.id}", "error_after", times=3)
    told = cancel(market, sub, atPeriodEnd=not at_once).ok()
    market.control.clear_faults()
    assert told["status"] == ("CANCELLED" if at_once else "ACTIVE")
    assert told["endsAt"] == record_of(market, sub)["endsAt"]


def test_provider_and_operator_may_end_it_and_strangers_know_nothing_of_it(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    about = {"subscriptionId": sub.id}
    stranger = market.api.as_user(fresh("stranger"))
    for action in ("GET_SUBSCRIPTION", "CANCEL_SUBSCRIPTION"):
        stranger.post("stripe-connect", action, **about).refused(404, "not_found")
    provider = market.api.as_user(sub.service.provider.uid)
    assert provider.post("stripe-connect", "GET_SUBSCRIPTION", **about).status == 200
    assert provider.post("stripe-connect", "CANCEL_SUBSCRIPTION", **about).ok()["endsAt"]
    operator = market.api.as_operator()
    now = operator.post("stripe-connect", "CANCEL_SUBSCRIPTION", atPeriodEnd=False, **about)
    assert now.ok()["status"] == "CANCELLED"


def test_customers_and_providers_list_their_own_newest_first_page_by_page(market: Market) -> None:
    provider, customer = market.a_provider(), fresh("customer")
    services = [a_recurring_service(market, provider=provider) for _ in range(3)]
    ids = [a_subscription(market, service, customer=customer).id for service in services]
    caller, seen, cursor = market.api.as_user(customer), list[str](), None
    while True:
        page = caller.post("stripe-connect", "LIST_SUBSCRIPTIONS", limit=2, cursor=cursor).ok()
        seen += [one["id"] for one in page["subscriptions"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    seller = market.api.as_user(provider.uid)
    sold = seller.post("stripe-connect", "LIST_SUBSCRIPTIONS", role="provider", status="INCOMPLETE")
    assert [one["id"] for one in sold.ok()["subscriptions"]] == ids[::-1]
    none = seller.post("stripe-connect", "LIST_SUBSCRIPTIONS", role="provider", status="ACTIVE")
    assert none.ok()["subscriptions"] == []


def test_a_trial_is_free_and_its_first_period_is_paid_after_it(market: Market) -> None:
    sub = a_subscription(market, a_recurring_service(market, trialDays=10))
    record = record_of(market, sub)
    assert (record["status"], record["lastInvoice"]["amountPaid"]) == ("TRIALING", 0)
    assert record["trialEndsAt"] == record["currentPeriod"]["end"]
    assert periods_of(market, sub) == []
    customer = str(market.stripe.v1.subscriptions.retrieve(sub.id).customer)
    card = market.stripe.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    market.stripe.v1.subscriptions.update(sub.id, {"default_payment_method": card.id})
    renew(market, sub)
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert [one["money"]["due"] for one in periods_of(market, sub)] == [36_80]
