"""Stripe's price of one period of a service, made once and then used again.

Source: docs/decisions/0006-operations.md; https://docs.stripe.com/api/prices/create.
"""

from __future__ import annotations

from common.context import Context
from common.ids import derived
from common.operations.once import made
from common.subscriptions.model import INTERVALS, Terms


def price(context: Context, terms: Terms) -> str:
    """Stripe's price of one period of a service, of the service's one product; its id."""
    about = {"serviceId": terms.service_id, "providerId": terms.provider_id}
    product = made(context, derived("product", terms.service_id), {"name": terms.title}, about)
    total, code = terms.price.total, terms.price.currency
    params = {
        "product": product,
        "currency": code.lower(),
        "unit_amount": total,
        "recurring": {"interval": INTERVALS[terms.interval]},
    }
    same = derived("price", terms.service_id, str(total), code, terms.interval)
    return made(context, same, params, about)
