"""customer.subscription.* and invoice.*: in any order, twice, late or never, to the same end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter
from stripe import StripeClient

from common.webhooks.events import PLATFORM_EVENTS
from tests.functions.acts import maintenance
from tests.functions.books import books_balance
from tests.support.market import Market, fresh
from tests.support.subscriptions import (
    a_recurring_service,
    a_subscription,
    period_of,
    periods_of,
    record_of,
    renew,
    subscribe,
)


def events_since(market: Market, known: set[str]) -> list[str]:
    """The subscribed events of the platform that are not known yet, the oldest first."""
    listed = market.stripe.v1.events.list({"limit": 100}).data
    wanted = [event for event in reversed(listed) if event.type in PLATFORM_EVENTS]
    return [event.id for event in wanted if event.id not in known]


@pytest.mark.parametrize("order", ["reverse", "shuffled 1", "shuffled 2", "shuffled 3"])
def test_the_events_of_a_payment_may_come_in_any_order(market: Market, order: str) -> None:
    service, customer = a_recurring_service(market), fresh("customer")
    market.control.idle()
    known = set(events_since(market, set()))
    market.control.webhooks("hold")
    sub = a_subscription(market, service, customer=customer)
    market.pay(str(sub.client_secret), wait=False)
    told = events_since(market, known)
    assert "invoice.paid" in {market.stripe.v1.events.retrieve(id_).type for id_ in told}
    told = told[::-1] if order == "reverse" else Random(order).sample(told, len(told))
    market.control.release_webhooks(told)
    market.control.webhooks("normal")
    market.control.idle()
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert len(periods_of(market, sub)) == 1
    books_balance(market, period_of(market, sub))


def test_events_that_come_twice_count_once(market: Market) -> None:
    market.control.webhooks("duplicate")
    sub = a_subscription(market, paid=True)
    renew(market, sub)
    assert len(periods_of(market, sub)) == 2
    books_balance(market, period_of(market, sub, 0), period_of(market, sub, 1))


def test_events_that_never_come_are_found_by_the_maintenance_run(market: Market) -> None:
    sub = a_subscription(market, a_recurring_service(market, billingInterval="WEEK"))
    market.control.webhooks("drop")
    market.pay(str(sub.client_secret))
    renew(market, sub)
    market.control.webhooks("normal")
    assert periods_of(market, sub) == []
    assert record_of(market, sub)["status"] == "INCOMPLETE"
    maintenance(market)
    market.control.idle()
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert len(periods_of(market, sub)) == 2
    books_balance(market, period_of(market, sub, 0), period_of(market, sub, 1))


def test_what_stripe_tells_before_its_answer_is_recorded_all_the_same(market: Market) -> None:
    service, customer = a_recurring_service(market), fresh("customer")
    market.control.idle()
    market.control.fault("POST", "/v1/subscriptions", "hold_after")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(subscribe, market, service, customer)
        of_it = FieldFilter("customerId", "==", customer)
        found: list[Any] = []
        while not found:
            found = list(market.db.collection("subscriptions").where(filter=of_it).stream())
        market.control.release_faults()
        answer = asked.result().ok()
    assert answer["subscriptionId"] == found[0].id
    market.pay(str(answer["clientSecret"]))
    stored = market.db.collection("subscriptions").document(found[0].id).get().to_dict() or {}
    assert stored["status"] == "ACTIVE"
    assert stored["operationId"].startswith("subscribe-")


def test_a_subscription_made_at_stripe_by_hand_is_nobodys_and_its_money_an_adjustment(
    market: Market, stripe: StripeClient
) -> None:
    v1 = stripe.v1
    customer = v1.customers.create({"payment_method": "pm_card_visa"})
    card = v1.customers.payment_methods.list(customer.id).data[0].id
    product = v1.products.create({"name": "Piano lessons"})
    recurring: Any = {"interval": "month"}
    price = v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 4_000, "recurring": recurring}
    )
    made = v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "default_payment_method": card,
            "metadata": {"operationId": "subscribe-nobody", "providerId": "provider-sub"},
            "expand": ["latest_invoice.payments"],
        }
    )
    market.control.idle()
    assert not market.db.collection("subscriptions").document(made.id).get().exists
    invoice: Any = made.latest_invoice
    intent = v1.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)
    moved = v1.charges.retrieve(str(intent.latest_charge)).balance_transaction
    posted = market.db.collection("transactions").document(f"adjustment_{moved}").get()
    assert posted.exists
    v1.subscriptions.cancel(made.id)
    market.control.idle()


def test_a_paused_collection_is_shown_as_paused_and_earns_nothing(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    v1 = market.stripe.v1
    v1.subscriptions.update(sub.id, {"pause_collection": {"behavior": "void"}})
    market.control.idle()
    assert record_of(market, sub)["status"] == "PAUSED"
    renew(market, sub)
    assert len(periods_of(market, sub)) == 1
    v1.subscriptions.update(sub.id, {"pause_collection": ""})
    market.control.idle()
    assert record_of(market, sub)["status"] == "ACTIVE"
    renew(market, sub)
    assert len(periods_of(market, sub)) == 2


def test_a_proration_earns_of_what_it_charges_and_a_credit_lessens_the_next_period(
    market: Market,
) -> None:
    sub = a_subscription(market, paid=True)
    market.control.advance(15 * 86_400)
    v1 = market.stripe.v1
    item = v1.subscriptions.retrieve(sub.id)["items"].data[0].id
    more: Any = {"items": [{"id": item, "quantity": 2}], "proration_behavior": "always_invoice"}
    v1.subscriptions.update(sub.id, more)
    market.control.idle()
    first, proration = periods_of(market, sub)
    assert 0 < proration["money"]["total"] < first["money"]["total"]
    less: Any = {"items": [{"id": item, "quantity": 1}], "proration_behavior": "always_invoice"}
    v1.subscriptions.update(sub.id, less)
    market.control.idle()
    assert len(periods_of(market, sub)) == 2  # nothing was charged, a credit was given
    renew(market, sub)
    renewal = periods_of(market, sub)[2]
    assert renewal["money"]["total"] < first["money"]["total"]
    books_balance(market, *(period_of(market, sub, number) for number in range(3)))
