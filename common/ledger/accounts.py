"""The chart of accounts. Amounts are signed minor units: assets up, what we owe down.

| account | what it is |
|---|---|
| ``platform:stripe`` | our Stripe balance, pending and available; equals Stripe's own |
| ``bookings:held`` | customers' money for bookings that are not settled yet (owed: negative) |
| ``platform:commission`` | what we earned (income: negative) |
| ``platform:stripe_fees`` | what Stripe took for payments and disputes (cost) |
| ``platform:exchange`` | what Stripe exchanges between a booking's currency and the settled one |
| ``platform:bank`` | what Stripe paid out to our own bank |
| ``platform:adjustments`` | what Stripe moved for reasons that concern no booking |
| ``disputes:open`` | money that card disputes took and that may come back |
| ``platform:losses`` | what nobody will give back |
| ``provider:{uid}`` | what a provider earned and was not paid yet (owed: negative) |
| ``provider:{uid}:stripe`` | the connected account's balance |
| ``provider:{uid}:debt`` | what a provider owes us after a refund that could not be reversed |

Source: contract, section 4.
"""

from __future__ import annotations

STRIPE = "platform:stripe"
HELD = "bookings:held"
COMMISSION = "platform:commission"
STRIPE_FEES = "platform:stripe_fees"
EXCHANGE = "platform:exchange"
BANK = "platform:bank"
ADJUSTMENTS = "platform:adjustments"
DISPUTES = "disputes:open"
LOSSES = "platform:losses"


def owed(provider_id: str) -> str:
    """What the provider earned and was not paid yet."""
    return f"provider:{provider_id}"


def connected(provider_id: str) -> str:
    """The provider's connected balance at Stripe."""
    return f"provider:{provider_id}:stripe"


def debt(provider_id: str) -> str:
    """What the provider owes us."""
    return f"provider:{provider_id}:debt"
