"""customer.subscription.* and invoice.*: where a customer's recurring purchase stands."""

from __future__ import annotations

from typing import Any

from common.clock import from_unix
from common.context import Context
from common.store import collections
from common.store.store import Replace
from common.stripe_gateway.calls import Json
from common.webhooks.finding import id_of


def changed(subscription: Json, event: Json, context: Context) -> bool:
    """Keep the subscription's state; an older event changes nothing."""
    metadata = subscription.get("metadata") or {}
    items = (subscription.get("items") or {}).get("data") or []
    ends = items[0].get("current_period_end") if items else None
    fields = {
        "customerId": metadata.get("customerId"),
        "providerId": metadata.get("providerId"),
        "serviceId": metadata.get("serviceId"),
        "status": subscription["status"],
        "cancelAtPeriodEnd": bool(subscription.get("cancel_at_period_end")),
        "currentPeriodEnd": from_unix(ends) if ends else None,
    }
    return _merge(subscription["id"], fields, "stateAt", event, context)


def invoice(paid: Json, event: Json, context: Context) -> bool:
    """Keep what became of the period's invoice."""
    parent = (paid.get("parent") or {}).get("subscription_details") or {}
    subscription_id = id_of(parent.get("subscription"))
    if subscription_id is None:
        return False
    fields = {
        "lastInvoice": {
            "id": paid["id"],
            "status": paid["status"],
            "amountPaid": paid["amount_paid"],
            "currency": str(paid["currency"]).upper(),
        }
    }
    return _merge(subscription_id, fields, "invoiceAt", event, context)


def _merge(
    subscription_id: str, fields: dict[str, Any], clock: str, event: Json, context: Context
) -> bool:
    key = collections.subscription(subscription_id)
    created = int(event["created"])

    def once() -> bool:
        was = context.read(key)[key]
        known = was.data or {}
        if known.get(clock, 0) > created:
            return True
        context.commit([Replace(was, {**known, **fields, clock: created})])
        return True

    return context.until_settled(once)
