"""What transfers and payouts mean in the ledger. Pure."""

from __future__ import annotations

from common.ledger import accounts
from common.ledger.posting import Posting, entries
from common.payouts.model import Payout


def transfer(
    provider_id: str, currency: str, transfer_id: str, amount: int, about: dict[str, str]
) -> Posting:
    """Money from our balance to the connected account's."""
    return Posting(
        "transfer",
        transfer_id,
        currency,
        entries((accounts.STRIPE, -amount), (accounts.connected(provider_id), amount)),
        about,
    )


def payout(of: Payout, stripe_id: str, taken: int) -> Posting:
    """Money from the connected account to the provider's bank, Stripe's instant fee included.

    Args:
        taken: What left the connected balance, minor units.
    """
    return Posting(
        "payout",
        stripe_id,
        of.currency,
        entries(
            (accounts.connected(of.provider_id), -taken), (accounts.owed(of.provider_id), taken)
        ),
        {"providerId": of.provider_id, "payoutId": of.id},
    )


def payout_returned(of: Payout, stripe_id: str, returned: int) -> Posting:
    """Money back on the connected account; what Stripe kept of it stays the provider's cost.

    Args:
        returned: What came back to the connected balance, minor units.
    """
    return Posting(
        "payout_returned",
        stripe_id,
        of.currency,
        entries(
            (accounts.connected(of.provider_id), returned),
            (accounts.owed(of.provider_id), -returned),
        ),
        {"providerId": of.provider_id, "payoutId": of.id},
    )


def debt_recovered(of: Payout) -> Posting:
    """Earnings kept back for what the provider owed."""
    return Posting(
        "debt_recovered",
        of.id,
        of.currency,
        entries(
            (accounts.owed(of.provider_id), of.debt_recovered),
            (accounts.debt(of.provider_id), -of.debt_recovered),
        ),
        {"providerId": of.provider_id, "payoutId": of.id},
    )


def platform_payout(stripe_id: str, amount: int, currency: str) -> Posting:
    """Stripe paid our own balance out to our bank."""
    return Posting(
        "platform_payout",
        stripe_id,
        currency,
        entries((accounts.STRIPE, -amount), (accounts.BANK, amount)),
        {},
    )
