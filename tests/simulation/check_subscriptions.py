"""I4 I8 I13 for subscriptions: one to one with Stripe's, and every paid invoice one period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.simulation.evidence import Evidence

_STATUSES = {
    "incomplete": "INCOMPLETE",
    "incomplete_expired": "EXPIRED",
    "trialing": "TRIALING",
    "active": "ACTIVE",
    "past_due": "PAST_DUE",
    "unpaid": "UNPAID",
    "canceled": "CANCELLED",
}
_OVER = ("EXPIRED", "CANCELLED")


def single(seen: Evidence) -> Iterator[str]:
    """I8 at every instant: a customer has one live subscription to a service."""
    live: dict[tuple[str, str], list[str]] = defaultdict(list)
    for id_, doc in seen.all("subscriptions").items():
        if doc["status"] not in _OVER:
            live[(doc["customerId"], doc["serviceId"])].append(id_)
    for (customer, service), ids in live.items():
        if len(ids) > 1:
            yield f"I8 {customer} has live subscriptions {ids} to {service}"


def records(seen: Evidence) -> Iterator[str]:
    """I8 at rest: each of ours at Stripe is in one record, as it is, and the other way round."""
    theirs = {one["id"]: one for one in seen.objects("subscription")}
    for id_, one in theirs.items():
        doc = seen.all("subscriptions").get(id_)
        if doc is None:
            if one["metadata"].get("operationId"):
                yield f"I8 subscription {id_} of {one['metadata']} is in no record"
        elif doc["status"] != _STATUSES[one["status"]]:
            yield f"I8 subscription {id_} is {one['status']}, its record {doc['status']}"
        elif doc["cancelAtPeriodEnd"] != one["cancel_at_period_end"]:
            yield f"I8 subscription {id_}: its record is wrong about its end"
    for id_ in seen.all("subscriptions"):
        if id_ not in theirs:
            yield f"I8 subscription {id_} is unknown to Stripe"


def periods(seen: Evidence) -> Iterator[str]:
    """I4 I13 at rest: a paid invoice is one earned period over what was charged, and no other."""
    expected: dict[str, tuple[str, str, int]] = {}
    for invoice in seen.objects("invoice"):
        subscription = seen.subscription_of(invoice)
        if subscription is None or invoice["status"] != "paid" or not invoice["amount_paid"]:
            continue
        for payment in seen.objects("invoice_payment"):
            if payment["invoice"] == invoice["id"] and payment["status"] == "paid":
                intent = payment["payment"]["payment_intent"]
                expected[intent] = (subscription, invoice["id"], payment["amount_paid"])
    found = {
        doc["payment"]["intentId"]: (id_, doc)
        for id_, doc in seen.all("bookings").items()
        if doc["mode"] == "SUBSCRIPTION"
    }
    for intent, (subscription, invoice_id, amount) in expected.items():
        if intent not in found:
            yield f"I13 invoice {invoice_id} of {subscription}: {amount} were paid for no period"
            continue
        id_, doc = found[intent]
        said = (doc["subscriptionId"], doc["payment"]["invoiceId"], doc["money"]["total"])
        if said != (subscription, invoice_id, amount):
            yield f"I13 booking {id_} says {said} of {(subscription, invoice_id, amount)}"
        if doc["earnedAt"] is None:
            yield f"I13 booking {id_}: its invoice is paid and it is not earned"
        if doc["money"]["rateBps"] != seen.all("subscriptions")[subscription]["money"]["rateBps"]:
            yield f"I4 booking {id_} has another rate than its subscription {subscription}"
    for intent, (id_, _) in found.items():
        if intent not in expected:
            yield f"I13 booking {id_} is a period that no invoice was paid for"
