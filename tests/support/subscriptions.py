"""Builders of recurring services and of subscriptions to them, made as customers make them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.cloud.firestore_v1.base_query import FieldFilter
from stripe import InvalidRequestError, StripeClient

from tests.support.api import Answer
from tests.support.market import Booking, Market, Service, fresh
from tests.support.stripe_control import StripeControl

HOUR = 3600
#: Subscriptions that tests have made and that are not ended yet.
_made: list[str] = []


@dataclass(frozen=True)
class Subscription:
    """A subscription that was accepted, unpaid as yet unless it says so."""

    id: str
    client_secret: str | None
    customer: str
    service: Service
    json: dict[str, Any]


def a_recurring_service(market: Market, *, price: Any = 40, **fields: Any) -> Service:
    """A service of a new provider, billed by the month unless told otherwise."""
    provider = fields.pop("provider", None) or market.a_provider()
    return market.a_service(provider, price=price, **{"billingInterval": "MONTH", **fields})


def subscribe(
    market: Market,
    service: Service,
    customer: str,
    *,
    idempotency_key: str | None = None,
    **fields: Any,
) -> Answer:
    """Ask for a subscription; the raw answer."""
    answer = market.api.as_user(customer).post(
        "stripe-connect",
        "CREATE_SUBSCRIPTION",
        idempotency_key=idempotency_key,
        **{
            "serviceId": service.id,
            "customerEmail": f"{customer}@example.com",
            **fields,
        },
    )
    if answer.status == 200:
        _made.append(answer.json["subscriptionId"])
    return answer


def a_subscription(
    market: Market,
    service: Service | None = None,
    *,
    customer: str | None = None,
    paid: bool = False,
    pm: str = "pm_card_visa",
) -> Subscription:
    """A subscription; ``paid`` with a card that works (or another), its webhooks delivered."""
    service, customer = service or a_recurring_service(market), customer or fresh("customer")
    told = subscribe(market, service, customer).ok()
    market.control.idle()
    subscription = Subscription(
        told["subscriptionId"], told["clientSecret"], customer, service, told
    )
    if paid:
        assert subscription.client_secret is not None
        market.pay(subscription.client_secret, pm)
    return subscription


def end_all(stripe: StripeClient, control: StripeControl) -> None:
    """End what tests have made: on a shared stack it would be renewed by every later test."""
    if not _made:
        return
    while _made:
        with suppress(InvalidRequestError):  # ended by its test
            stripe.v1.subscriptions.cancel(_made.pop())
    control.idle()


def cancel(market: Market, subscription: Subscription, **fields: Any) -> Answer:
    """CANCEL_SUBSCRIPTION by its customer."""
    return market.api.as_user(subscription.customer).post(
        "stripe-connect", "CANCEL_SUBSCRIPTION", subscriptionId=subscription.id, **fields
    )


def record_of(market: Market, subscription: Subscription) -> dict[str, Any]:
    """The subscription as its customer sees it now."""
    told = market.api.as_user(subscription.customer).post(
        "stripe-connect", "GET_SUBSCRIPTION", subscriptionId=subscription.id
    )
    shown: dict[str, Any] = told.ok()["subscription"]
    return shown


def periods_of(market: Market, subscription: Subscription) -> list[dict[str, Any]]:
    """The bookings' documents of a subscription's paid periods, the oldest first."""
    of_it = FieldFilter("subscriptionId", "==", subscription.id)
    found = market.db.collection("bookings").where(filter=of_it).stream()
    docs = [{**(one.to_dict() or {}), "id": one.id} for one in found]
    return sorted(docs, key=lambda doc: doc["createdAt"])


def period_of(market: Market, subscription: Subscription, number: int = -1) -> Booking:
    """A paid period as the builders' booking, so that all that is done to those is done to it."""
    doc = periods_of(market, subscription)[number]
    return Booking(
        id=doc["id"],
        client_secret=f"{doc['payment']['intentId']}_secret_of_nobody",
        customer=subscription.customer,
        service=subscription.service,
        start=doc["start"],
        end=doc["end"],
        json={},
    )


def renew(market: Market, subscription: Subscription) -> None:
    """Time passes until the next period has begun and its invoice was collected, an hour later."""
    found = market.db.collection("subscriptions").document(subscription.id).get().to_dict() or {}
    left: timedelta = found["currentPeriodEnd"] - market.control.now()
    market.control.advance(max(0, int(left.total_seconds())) + 1)
    market.control.advance(HOUR + 1)
