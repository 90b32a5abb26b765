"""Payment intents of invoices and checkout sessions: nobody else ends or changes them."""

from __future__ import annotations

from typing import Any

from emulator.stripe.errors import refused
from emulator.stripe.store import Obj

_OWNERS = ("amount", "currency", "customer", "capture_method", "setup_future_usage")
"""What the owner of an intent has decided."""


def owner_of(intent: Obj) -> str | None:
    """The invoice or checkout session an intent is to pay, in words; None for one of its own."""
    if "_invoice" in intent:
        return f"invoice {intent['_invoice']}"
    return f"Checkout Session {intent['_checkout']}" if "_checkout" in intent else None


def check_update(intent: Obj, given: dict[str, Any]) -> None:
    """Raises the 400 of a change to what the intent's owner has decided."""
    owner = owner_of(intent)
    for name in _OWNERS:
        if owner and name in given:
            raise refused(
                f"The {name} of this PaymentIntent cannot be changed: it belongs to the {owner}.",
                param=name,
            )


def check_cancel(intent: Obj) -> None:
    """Raises the 400 of cancelling what is not the caller's to cancel."""
    if owner := owner_of(intent):
        instead = "void the invoice" if "_invoice" in intent else "expire the Checkout Session"
        raise refused(
            f"You cannot cancel this PaymentIntent because it belongs to the {owner}; {instead} "
            "instead."
        )
