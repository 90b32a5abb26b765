"""Stripe calls as data: a call can be written down before it is made, and made again as written.

Source: stripe-python 16, API version 2026-10-28.endive; https://docs.stripe.com/api.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stripe import StripeClient, StripeObject

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One changing call.

    Attributes:
        name: Its name within its operation, such as ``refund``.
        method: A key of ``METHODS``.
        target: The object it acts on, where the path names one.
        params: Stripe's parameters.
        idempotency_key: Ours, made of our own ids.
        account: The connected account to act as; None for the platform.
    """

    name: str
    method: str
    params: Mapping[str, Any]
    idempotency_key: str
    target: str | None = None
    account: str | None = None

    def as_document(self) -> Json:
        """For the operation's record."""
        return {
            "name": self.name,
            "method": self.method,
            "params": dict(self.params),
            "idempotencyKey": self.idempotency_key,
            "target": self.target,
            "account": self.account,
        }

    @classmethod
    def from_document(cls, doc: Mapping[str, Any]) -> Call:
        """The call as it was written down."""
        return cls(
            name=doc["name"],
            method=doc["method"],
            params=doc["params"],
            idempotency_key=doc["idempotencyKey"],
            target=doc["target"],
            account=doc["account"],
        )


_Make = Callable[["StripeClient", str, Any, Any], "StripeObject"]

METHODS: dict[str, _Make] = {
    "accounts.create": lambda c, _, p, o: c.v1.accounts.create(p, o),
    "payment_intents.create": lambda c, _, p, o: c.v1.payment_intents.create(p, o),
    "payment_intents.cancel": lambda c, t, p, o: c.v1.payment_intents.cancel(t, p, o),
    "payment_intents.capture": lambda c, t, p, o: c.v1.payment_intents.capture(t, p, o),
    "refunds.create": lambda c, _, p, o: c.v1.refunds.create(p, o),
    "transfers.create": lambda c, _, p, o: c.v1.transfers.create(p, o),
    "transfers.reverse": lambda c, t, p, o: c.v1.transfers.reversals.create(t, p, o),
    "payouts.create": lambda c, _, p, o: c.v1.payouts.create(p, o),
    "customers.create": lambda c, _, p, o: c.v1.customers.create(p, o),
    "products.create": lambda c, _, p, o: c.v1.products.create(p, o),
    "prices.create": lambda c, _, p, o: c.v1.prices.create(p, o),
    "subscriptions.create": lambda c, _, p, o: c.v1.subscriptions.create(p, o),
    "subscriptions.update": lambda c, t, p, o: c.v1.subscriptions.update(t, p, o),
    "subscriptions.cancel": lambda c, t, p, o: c.v1.subscriptions.cancel(t, p, o),
    "disputes.update": lambda c, t, p, o: c.v1.disputes.update(t, p, o),
    "setup_intents.create": lambda c, _, p, o: c.v1.setup_intents.create(p, o),
    "setup_intents.cancel": lambda c, t, p, o: c.v1.setup_intents.cancel(t, p, o),
    "payment_methods.detach": lambda c, t, p, o: c.v1.payment_methods.detach(t, p, o),
    "payouts.cancel": lambda c, t, p, o: c.v1.payouts.cancel(t, p, o),
}
