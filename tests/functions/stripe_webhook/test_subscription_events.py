"""customer.subscription.* and invoice.*: a subscription's own record follows what Stripe says."""

from __future__ import annotations

from typing import Any

from stripe import StripeClient

from tests.support.market import Market


def subscribed(stripe: StripeClient) -> Any:
    """A customer with a card that works and a monthly subscription, made at Stripe."""
    v1 = stripe.v1
    customer = v1.customers.create({"payment_method": "pm_card_visa"})
    card = v1.customers.payment_methods.list(customer.id).data[0].id
    product = v1.products.create({"name": "Piano lessons"})
    recurring: Any = {"interval": "month"}
    price = v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 4_000, "recurring": recurring}
    )
    return v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "default_payment_method": card,
            "metadata": {"customerId": "customer-sub", "providerId": "provider-sub"},
        }
    )


def test_a_subscription_is_recorded_with_its_paid_invoice_and_its_end(
    market: Market, stripe: StripeClient
) -> None:
    subscription = subscribed(stripe)
    market.control.idle()

    def record() -> dict[str, Any]:
        found = market.db.collection("subscriptions").document(subscription.id).get()
        return found.to_dict() or {}

    begun = record()
    assert begun["status"] == "active"
    assert begun["providerId"] == "provider-sub"
    assert begun["lastInvoice"]["status"] == "paid"
    assert begun["lastInvoice"]["amountPaid"] == 4_000
    assert begun["currentPeriodEnd"] > market.control.now()
    stripe.v1.subscriptions.cancel(subscription.id)
    market.control.idle()
    assert record()["status"] == "canceled"
