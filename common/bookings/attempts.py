"""Attempts to pay that failed: one document each, counted in their day's totals.

An attempt that succeeded is a charge in the ledger. One that failed moves no money, so it stands
beside the ledger; the event that tells of it makes it happen once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.bookings.model import Booking
from common.ledger import figures
from common.store import collections
from common.store.store import Create, Write


def failed_attempt(
    event_id: str, booking: Booking, intent: Mapping[str, Any], now: datetime
) -> list[Write]:
    """The writes that remember a failed attempt; they belong into the commit of its event."""
    error = intent.get("last_payment_error") or {}
    code, category = booking.money.currency, booking.category
    attempt = {
        "bookingId": booking.id,
        "customerId": booking.customer_id,
        "providerId": booking.provider_id,
        "currency": code,
        "category": category,
        "code": error.get("code"),
        "declineCode": error.get("decline_code"),
        "createdAt": now,
    }
    counted = figures.on_day(event_id, code, category, {figures.FAILED: 1}, now)
    return [Create(collections.failed_payment(event_id), attempt), *counted]
