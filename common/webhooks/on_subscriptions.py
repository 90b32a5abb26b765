"""customer.subscription.* and invoice.*: where a recurring purchase stands, and what it earns.

An event only says where to look: the subscription and the invoice are read anew.
"""

from __future__ import annotations

from common.context import Context
from common.stripe_gateway.calls import Json
from common.subscriptions import following, model, periods


def changed(stale: Json, event: Json, context: Context) -> bool:
    """Bring the subscription's record to what Stripe says; one of nobody's changes nothing."""
    context.notes["subscriptionId"] = stale["id"]
    return following.follow(context, stale["id"]) is not None


def invoiced(stale: Json, event: Json, context: Context) -> bool:
    """The same for the invoice's subscription, and the periods that the invoice has paid."""
    subscription_id = model.subscription_of(stale)
    if subscription_id is None:
        return False
    context.notes.update(subscriptionId=subscription_id, invoiceId=stale["id"])
    periods.of_invoice(context.services.stripe.invoice(stale["id"]), context)
    return following.follow(context, subscription_id) is not None
