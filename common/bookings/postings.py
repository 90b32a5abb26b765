"""What a booking's events mean in the ledger. Pure.

Source: contract, section 4; docs/ledger.md works each one in figures.
"""

from __future__ import annotations

from common.bookings.model import Booking
from common.ledger import accounts
from common.ledger.posting import Posting, entries


def concerns(booking: Booking, **more: str) -> dict[str, str]:
    """Whom and what a posting of this booking concerns."""
    return {
        "bookingId": booking.id,
        "customerId": booking.customer_id,
        "providerId": booking.provider_id,
        "category": booking.category,
        **more,
    }


def charge(booking: Booking, charge_id: str) -> Posting:
    """The customer paid: the money is ours to hold."""
    total = booking.money.total
    return Posting(
        "charge",
        charge_id,
        booking.money.currency,
        entries((accounts.STRIPE, total), (accounts.HELD, -total)),
        concerns(booking),
    )


def charge_id_of(posting_charge: str) -> str:
    """The id of the charge's posting."""
    return f"charge_{posting_charge}"


def earning(booking: Booking) -> Posting | None:
    """What is left of the payment is earned: the provider's part by ``due``, the rest ours.

    None where nothing is left.
    """
    money = booking.money
    if not money.remaining:
        return None
    return Posting(
        "earning",
        booking.id,
        money.currency,
        entries(
            (accounts.HELD, money.remaining),
            (accounts.owed(booking.provider_id), -money.due),
            (accounts.COMMISSION, money.due - money.remaining),
        ),
        concerns(booking),
    )


def compensation(before: Booking, after: Booking, source: str) -> Posting | None:
    """An operator has set what the provider keeps of what was earned; None where it is the same.

    Args:
        source: The id of the request that set it.
    """
    less = before.money.due - after.money.due
    if not less:
        return None
    return Posting(
        "compensation",
        source,
        before.money.currency,
        entries((accounts.owed(before.provider_id), less), (accounts.COMMISSION, -less)),
        concerns(before),
    )


def stripe_fee(transaction_id: str, fee: int, currency: str, about: dict[str, str]) -> Posting:
    """What Stripe took for a charge; told later than the charge itself."""
    return Posting(
        "stripe_fee",
        transaction_id,
        currency,
        entries((accounts.STRIPE, -fee), (accounts.STRIPE_FEES, fee)),
        about,
    )
