"""A subscription: what was agreed, and where Stripe says that it stands. Pure.

What was agreed (``Terms``) is fixed when the customer subscribes; all else is Stripe's, and is
taken from its object as it is now.
Source: contract, sections 3 to 5; https://docs.stripe.com/billing/subscriptions/overview.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from common.bookings.cancellation import Policy
from common.bookings.pricing import Split
from common.bookings.view import pricing_as_json
from common.clock import from_unix, rfc3339
from common.money import to_major
from common.store.store import Document
from common.stripe_gateway.objects import id_of


class Status(StrEnum):
    """Where a subscription stands."""

    INCOMPLETE = "INCOMPLETE"  # the first payment has not come through; it may for 23 hours
    TRIALING = "TRIALING"  # nothing is paid before the trial ends
    ACTIVE = "ACTIVE"  # paid
    PAST_DUE = "PAST_DUE"  # a renewal was not paid; Stripe tries again
    UNPAID = "UNPAID"  # Stripe has given up trying; invoices go on, unpaid
    PAUSED = "PAUSED"  # nothing is collected until it is resumed
    CANCELLED = "CANCELLED"  # over
    EXPIRED = "EXPIRED"  # over: the first payment never came


_STATUSES = {
    "incomplete": Status.INCOMPLETE,
    "incomplete_expired": Status.EXPIRED,
    "trialing": Status.TRIALING,
    "active": Status.ACTIVE,
    "past_due": Status.PAST_DUE,
    "unpaid": Status.UNPAID,
    "paused": Status.PAUSED,
    "canceled": Status.CANCELLED,
}
#: No way leads out of these.
OVER = frozenset({Status.CANCELLED, Status.EXPIRED})
#: The interval as Stripe names it.
INTERVALS = {"WEEK": "week", "MONTH": "month", "YEAR": "year"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What customer and provider have agreed on.

    Attributes:
        price: Of one period, divided by the commission's rate, which is frozen.
        policy: How a period's refund by its customer is limited.
        trial_days: Free days before the first period; 0: none.
    """

    customer_id: str
    customer_email: str
    provider_id: str
    service_id: str
    title: str
    category: str
    interval: str
    trial_days: int
    price: Split
    policy: Policy

    def as_document(self) -> Document:
        """For the operation that subscribes, and for the subscription's own record."""
        price = self.price
        return {
            "customerId": self.customer_id,
            "customerEmail": self.customer_email,
            "providerId": self.provider_id,
            "serviceId": self.service_id,
            "title": self.title,
            "category": self.category,
            "billingInterval": self.interval,
            "trialDays": self.trial_days,
            "money": {
                "currency": price.currency,
                "total": price.total,
                "fee": price.fee,
                "provider": price.provider,
                "rateBps": price.rate_bps,
            },
            "policy": self.policy.as_document(),
        }

    @classmethod
    def of(cls, doc: Mapping[str, Any]) -> Terms:
        """The terms in a document that holds them."""
        money = doc["money"]
        return cls(
            customer_id=doc["customerId"],
            customer_email=doc["customerEmail"],
            provider_id=doc["providerId"],
            service_id=doc["serviceId"],
            title=doc["title"],
            category=doc["category"],
            interval=doc["billingInterval"],
            trial_days=doc["trialDays"],
            price=Split(
                money["total"],
                money["fee"],
                money["provider"],
                money["currency"],
                money["rateBps"],
            ),
            policy=Policy.from_document(doc["policy"]),
        )


def is_over(doc: Mapping[str, Any]) -> bool:
    """Whether a recorded subscription has ended."""
    return Status(doc["status"]) in OVER


def status_of(stripe: Mapping[str, Any]) -> Status:
    """Stripe's status in our words; one whose collection is paused is PAUSED while it lives."""
    status = _STATUSES[stripe["status"]]
    if stripe.get("pause_collection") and status not in (*OVER, Status.INCOMPLETE):
        return Status.PAUSED
    return status


def begun(
    terms: Mapping[str, Any], operation_id: str, stripe: Mapping[str, Any], now: datetime
) -> Document:
    """A subscription's record, as it begins."""
    fixed = {**terms, "operationId": operation_id, "createdAt": now}
    return following({**fixed, "lastInvoice": None, "lastFailure": None}, stripe)


def following(known: Mapping[str, Any], stripe: Mapping[str, Any]) -> Document:
    """The record after Stripe's word; of the latest invoice only where that one is expanded."""
    items = (stripe.get("items") or {}).get("data") or [{}]
    invoice = stripe.get("latest_invoice")
    ends = stripe.get("ended_at") or stripe.get("cancel_at")
    return {
        **known,
        "status": str(status_of(stripe)),
        "stripeCustomerId": id_of(stripe["customer"]),
        "currentPeriodStart": _instant(items[0].get("current_period_start")),
        "currentPeriodEnd": _instant(items[0].get("current_period_end")),
        "trialEnd": _instant(stripe.get("trial_end")),
        "cancelAtPeriodEnd": bool(stripe.get("cancel_at_period_end")),
        "endsAt": _instant(ends),
        "lastInvoice": _invoice(invoice) if isinstance(invoice, Mapping) else known["lastInvoice"],
    }


def _invoice(invoice: Mapping[str, Any]) -> Document:
    return {
        "id": invoice["id"],
        "status": invoice["status"],
        "amountDue": invoice["amount_due"],
        "amountPaid": invoice["amount_paid"],
        "currency": str(invoice["currency"]).upper(),
        "attempts": invoice["attempt_count"],
        "nextAttemptAt": _instant(invoice.get("next_payment_attempt")),
    }


def failure_of(intent: Mapping[str, Any]) -> Document | None:
    """Why the latest payment did not come through, as a booking has it; None where it may yet."""
    error = intent.get("last_payment_error") or {}
    waits = intent["status"] in ("requires_action", "requires_confirmation")
    if intent["status"] == "succeeded" or not (error or waits):
        return None
    return {
        "code": error.get("code") or intent["status"],
        "declineCode": error.get("decline_code"),
        "message": error.get("message") or "The customer's bank asks them to confirm the payment",
    }


def intents_of(invoice: Mapping[str, Any]) -> list[str]:
    """The payment intents that an invoice is, or was, to be paid by."""
    payments = (invoice.get("payments") or {}).get("data") or []
    found = (id_of(one["payment"].get("payment_intent")) for one in payments)
    return [intent_id for intent_id in found if intent_id]


def subscription_of(invoice: Mapping[str, Any]) -> str | None:
    """The subscription that an invoice bills; None where it bills none."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription"))


def client_secret(stripe: Mapping[str, Any]) -> str | None:
    """What the customer's browser pays the latest invoice with, or sets a trial's card up with."""
    invoice = stripe.get("latest_invoice")
    secret = invoice.get("confirmation_secret") if isinstance(invoice, Mapping) else None
    if secret:
        return str(secret["client_secret"])
    setup = stripe.get("pending_setup_intent")
    return str(setup["client_secret"]) if isinstance(setup, Mapping) else None


def as_json(subscription_id: str, doc: Mapping[str, Any]) -> dict[str, Any]:
    """The subscription as answers show it; amounts in major units, times in UTC."""
    terms, invoice, failure = Terms.of(doc), doc["lastInvoice"], doc["lastFailure"]
    return {
        "id": subscription_id,
        "status": doc["status"],
        "service": {"id": terms.service_id, "title": terms.title, "category": terms.category},
        "customerId": terms.customer_id,
        "providerId": terms.provider_id,
        "billingInterval": terms.interval,
        "pricing": pricing_as_json(terms.price),
        "cancellationPolicy": terms.policy.as_document(),
        "currentPeriod": {
            "start": _when(doc["currentPeriodStart"]),
            "end": _when(doc["currentPeriodEnd"]),
        },
        "trialEndsAt": _when(doc["trialEnd"]),
        "cancelAtPeriodEnd": doc["cancelAtPeriodEnd"],
        "endsAt": _when(doc["endsAt"]),
        "lastInvoice": None if invoice is None else _invoice_as_json(invoice),
        "lastFailure": None if failure is None else _failure_as_json(failure),
        "createdAt": rfc3339(doc["createdAt"]),
    }


def _failure_as_json(failure: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "declineCode": failure["declineCode"] or failure["code"],
        "message": failure["message"],
    }


def _invoice_as_json(invoice: Mapping[str, Any]) -> dict[str, Any]:
    code = invoice["currency"]
    return {
        "invoiceId": invoice["id"],
        "status": invoice["status"],
        "amountDue": to_major(invoice["amountDue"], code),
        "amountPaid": to_major(invoice["amountPaid"], code),
        "currency": code,
        "attempts": invoice["attempts"],
        "nextAttemptAt": _when(invoice["nextAttemptAt"]),
    }


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else from_unix(seconds)


def _when(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)
