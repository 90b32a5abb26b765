"""What the checker looks at: Firestore's documents as of one instant, and Stripe's dump.

Nothing here or in the checker comes from the code under test; names of fields are the documents'.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from google.cloud.firestore import Client as FirestoreClient
from google.cloud.firestore import transactional

Docs = dict[str, dict[str, Any]]
COLLECTIONS = (
    "bookings", "transactions", "payouts", "refunds", "disputes", "webhookEvents", "services",
    "userProfiles", "calendars", "operations", "idempotency", "earnings", "accounts",
    "paymentIntents", "dailyTotals", "yearlyTotals", "failedPayments", "subscriptions", "auditLog",
)  # fmt: skip


@dataclass
class Evidence:
    """Documents by collection and id; Stripe's objects by type (empty: only Firestore was read)."""

    docs: dict[str, Docs]
    stripe: dict[str, Any]

    def all(self, collection: str) -> Docs:
        """A collection's documents by id."""
        return self.docs.get(collection, {})

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Stripe's objects of one type, the platform's and the connected accounts'."""
        found: list[dict[str, Any]] = self.stripe.get("objects", {}).get(kind, [])
        return found

    @property
    def platform(self) -> str:
        """The platform's own account id at Stripe."""
        return str(self.stripe["platform"])

    def subscription_of(self, invoice: dict[str, Any]) -> str | None:
        """The subscription of ours that an invoice bills; None where it bills none."""
        details = (invoice["parent"] or {}).get("subscription_details") or {}
        id_ = details.get("subscription")
        return id_ if id_ in self.all("subscriptions") else None

    def bookings_paid(self) -> dict[str, str]:
        """Payment intent -> the booking that it pays: by its metadata, or by its invoice."""
        named = {
            one["id"]: one["metadata"]["bookingId"]
            for one in self.objects("payment_intent")
            if one["metadata"].get("bookingId")
        }
        invoices = {one["id"]: one for one in self.objects("invoice")}
        done = {o["id"] for o in self.objects("payment_intent") if o["status"] == "succeeded"}
        periods = {
            intent: f"period-{intent}"
            for one in self.objects("invoice_payment")
            if (intent := one["payment"]["payment_intent"]) in done
            and self.subscription_of(invoices[one["invoice"]])
        }
        return {**named, **periods}

    def ledger(self, field: str) -> dict[str, dict[str, int]]:
        """Sums of the ledger's accounts by the value of a field of its transactions."""
        sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for doc in self.all("transactions").values():
            if doc.get(field):
                for entry in doc["entries"]:
                    sums[doc[field]][entry["account"]] += entry["amount"]
        return sums


def gather(db: FirestoreClient, stripe: dict[str, Any] | None) -> Evidence:
    """Read all documents in one read-only transaction."""

    @transactional
    def read(txn: Any) -> dict[str, Docs]:
        return {
            name: {
                one.id: one.to_dict() or {} for one in db.collection(name).stream(transaction=txn)
            }
            for name in COLLECTIONS
        }

    return Evidence(read(db.transaction(read_only=True)), stripe or {})
