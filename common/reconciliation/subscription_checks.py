"""Subscriptions and their paid periods against Stripe's subscriptions, invoices and payments. Pure.

Source: invariants I4, I8, I13; docs/decisions/0011-a-paid-period-is-a-booking.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from common.bookings.model import PERIOD, Booking
from common.bookings.status import Status
from common.money import platform_fee
from common.reconciliation.evidence import Evidence, Mismatch, of_ours
from common.stripe_gateway.objects import id_of
from common.subscriptions import model


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Records and objects one to one, one live subscription each, every payment one period."""
    yield from _objects(evidence)
    yield from _records(evidence)
    yield from _periods(evidence)


def invoices_of_ours(evidence: Evidence) -> dict[str, str]:
    """Payment intent -> the invoice that it pays, for invoices of our subscriptions; by Stripe's
    own lists, since a payment of an invoice bears no word of ours."""
    found: dict[str, str] = {}
    for payment in evidence.stripe.invoice_payments.values():
        intent_id = id_of(payment["payment"].get("payment_intent"))
        invoice_id = str(id_of(payment["invoice"]))
        invoice = evidence.stripe.invoices.get(invoice_id, {})
        if intent_id and _is_ours(evidence, model.subscription_of(invoice)):
            found[intent_id] = invoice_id
    return found


def _is_ours(evidence: Evidence, id_: str | None) -> bool:
    """Whether CREATE_SUBSCRIPTION made it, by our record or by the operation that it names."""
    if id_ is None:
        return False
    if evidence.document("subscriptions", id_) is not None:
        return True
    operation = evidence.document(
        "operations", of_ours(evidence.stripe.subscriptions.get(id_, {}), "operationId")
    )
    if operation is None or operation["kind"] != "subscription":
        return False
    return operation["plan"].get("subscriptionId") in (None, id_)


def _objects(evidence: Evidence) -> Iterator[Mismatch]:
    for id_, stripe in sorted(evidence.stripe.subscriptions.items()):
        if not _is_ours(evidence, id_):
            continue
        doc = evidence.document("subscriptions", id_)
        if doc is None:
            yield Mismatch("subscription.unrecorded", "I8", "nobody here knows it", (id_,))
        elif doc["status"] != (there := str(model.status_of(stripe))):
            yield Mismatch(
                "subscription.status", "I8", f"{doc['status']} here, {there} there", (id_,)
            )


def _records(evidence: Evidence) -> Iterator[Mismatch]:
    live: dict[tuple[str, str], list[str]] = defaultdict(list)
    for id_, doc in evidence.documents("subscriptions"):
        if id_ not in evidence.stripe.subscriptions:
            yield Mismatch("subscription.missing", "I8", "Stripe does not know it", (id_,))
        yield from _price(id_, doc["money"])
        if not model.is_over(doc):
            live[(doc["customerId"], doc["serviceId"])].append(id_)
    for (customer, service), ids in sorted(live.items()):
        if len(ids) > 1:
            yield Mismatch(
                "subscription.twice", "I8", f"{customer} has several to {service}", tuple(ids)
            )


def _price(id_: str, money: Mapping[str, Any]) -> Iterator[Mismatch]:
    fee = platform_fee(money["total"], money["rateBps"], money["currency"])
    if (money["fee"], money["provider"]) != (fee, money["total"] - fee):
        yield Mismatch(
            "subscription.price",
            "I4",
            f"{money['fee']} and {money['provider']} of {money['total']}; the rate makes {fee}",
            (id_,),
        )


def _periods(evidence: Evidence) -> Iterator[Mismatch]:
    paid_by = invoices_of_ours(evidence)
    periods = {
        str(booking.payment.get("intentId")): booking
        for booking in evidence.bookings()
        if booking.mode == PERIOD
    }
    for intent_id, invoice_id in sorted(paid_by.items()):
        intent = evidence.stripe.payment_intents.get(intent_id, {})
        if intent.get("status") == "succeeded" and intent_id not in periods:
            yield Mismatch(
                "period.unrecorded",
                "I8",
                f"{intent['amount_received']} were paid for no period",
                (invoice_id, intent_id),
            )
    for intent_id, booking in sorted(periods.items()):
        yield from _period(evidence, booking, paid_by.get(intent_id))


def _period(evidence: Evidence, booking: Booking, invoice_id: str | None) -> Iterator[Mismatch]:
    doc = evidence.document("subscriptions", booking.subscription_id)
    about = (booking.customer_id, booking.provider_id, booking.service_id)
    if doc is None or about != (doc["customerId"], doc["providerId"], doc["serviceId"]):
        yield Mismatch(
            "period.orphan", "I8", "its subscription is not one of these people", (booking.id,)
        )
    said = str(booking.payment.get("invoiceId"))
    if said != invoice_id:
        yield Mismatch(
            "period.invoice", "I8", f"it names {said}, its payment {invoice_id}", (booking.id, said)
        )
    invoice = evidence.stripe.invoices.get(said, {})
    if invoice.get("status") == "paid" and booking.status is Status.CONFIRMED:
        yield Mismatch(
            "period.unearned", "I13", "its invoice is paid and it is not earned", (booking.id, said)
        )
