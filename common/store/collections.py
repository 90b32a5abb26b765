"""Keys of the documents, by what they hold. The names in Firestore come from the settings."""

from __future__ import annotations

from typing import NamedTuple

from common.ids import derived


class Key(NamedTuple):
    """One document: our name of its collection, and its id."""

    collection: str
    id: str


def profile(uid: str) -> Key:
    """A user; the provider's Stripe fields live here."""
    return Key("profiles", uid)


def service(service_id: str) -> Key:
    """What a provider offers; written by its provider."""
    return Key("services", service_id)


def booking(booking_id: str) -> Key:
    """One customer's purchase of one service at one time."""
    return Key("bookings", booking_id)


def calendar(service_id: str, day: str) -> Key:
    """The claims on one service's time on one UTC day (``YYYY-MM-DD``)."""
    return Key("calendars", f"{service_id}_{day}")


def transaction(transaction_id: str) -> Key:
    """One balanced ledger transaction."""
    return Key("transactions", transaction_id)


def operation(operation_id: str) -> Key:
    """What is about to be done, or was done, at Stripe."""
    return Key("operations", operation_id)


def idempotency(record_id: str) -> Key:
    """A client's idempotency key and the answer it stands for."""
    return Key("idempotency", record_id)


def event(event_id: str) -> Key:
    """A webhook event that was seen."""
    return Key("webhook_events", event_id)


def earnings(provider_id: str, currency: str) -> Key:
    """A provider's running totals in one currency."""
    return Key("earnings", f"{provider_id}_{currency}")


def payout(payout_id: str) -> Key:
    """One payout to one provider."""
    return Key("payouts", payout_id)


def refund(refund_id: str) -> Key:
    """One refund of one booking."""
    return Key("refunds", refund_id)


def dispute(dispute_id: str) -> Key:
    """A card dispute or a refund dispute."""
    return Key("disputes", dispute_id)


def subscription(subscription_id: str) -> Key:
    """A customer's recurring purchase."""
    return Key("subscriptions", subscription_id)


def subscriber(customer_id: str, service_id: str) -> Key:
    """A customer's subscription to one service: the newest, of which one at most is live."""
    return Key("subscribers", derived("subscriber", customer_id, service_id))


def account(account_id: str) -> Key:
    """Which provider a connected account belongs to."""
    return Key("accounts", account_id)


def payment_intent(payment_intent_id: str) -> Key:
    """Which booking a payment intent belongs to."""
    return Key("paymentIntents", payment_intent_id)


def payout_run(run_id: str) -> Key:
    """One run of the scheduled payouts."""
    return Key("payoutRuns", run_id)


def hold_release(booking_id: str, version: int) -> Key:
    """An operator's decision to end a hold of a booking, by the version that it ended."""
    return Key("holdReleases", f"{booking_id}-{version}")


def payouts_switch() -> Key:
    """Whether payouts are paused."""
    return Key("settings", "payouts")


def payouts_change(number: int) -> Key:
    """Who paused or resumed payouts, and why; numbered from 1."""
    return Key("payoutPauses", f"{number:06d}")


def audit(row_id: str) -> Key:
    """Who changed something, and what."""
    return Key("audit", row_id)


def cursor(name: str) -> Key:
    """How far a sweep has read."""
    return Key("cursors", name)


def daily_totals(day: str, currency: str, shard: int) -> Key:
    """One part of what a UTC day (``YYYY-MM-DD``) adds up to in one currency, by category."""
    return Key("dailyTotals", f"{day}_{currency}_{shard}")


def yearly_totals(provider_id: str, year: int, currency: str) -> Key:
    """What a provider's UTC year adds up to in one currency."""
    return Key("yearlyTotals", f"{provider_id}_{year}_{currency}")


def failed_payment(event_id: str) -> Key:
    """One attempt to pay a booking that failed, by the event that told of it."""
    return Key("failedPayments", event_id)
