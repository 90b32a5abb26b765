"""Bookings of which a test says only what matters to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from common.bookings.cancellation import POLICIES
from common.bookings.model import Booking, BookingMoney
from common.bookings.status import Status
from common.money import platform_fee

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def a_booking(
    *,
    total: int = 200_00,
    currency: str = "USD",
    status: Status = Status.CONFIRMED,
    policy: str = "FLEXIBLE",
    starts_in: timedelta = timedelta(hours=72),
    paid: bool = True,
    booking_id: str = "booking-1",
    **money: Any,
) -> Booking:
    """A booking at 8 %; ``money`` sets amounts in minor units, ``paid`` captures the total."""
    fee = platform_fee(total, 800, currency)
    captured = total if paid else 0
    amounts = BookingMoney(
        currency, total, fee, total - fee, 800, **{"captured": captured, **money}
    )
    start = NOW + starts_in
    return Booking(
        id=booking_id,
        version=1,
        status=status,
        customer_id="customer-1",
        customer_email="customer@example.com",
        provider_id="provider-1",
        service_id="service-1",
        title="Piano lesson",
        category="music",
        mode="INSTANT",
        start=start,
        end=start + timedelta(hours=1),
        buffer_minutes=0,
        group_size=1,
        special_requests=None,
        money=amounts,
        policy=POLICIES[policy],
        created_at=NOW,
        payment={"intentId": "pi_1", "chargeId": "ch_1"} if paid else {},
        history=({"status": str(status), "at": NOW, "by": "x", "why": "x", "version": 1},),
    )


def earned(booking: Booking, **money: Any) -> Booking:
    """The same booking completed, its provider's part earned and payable."""
    due = {"due": booking.money.provider_share, **money}
    return replace(
        booking.with_money(**due),
        status=Status.COMPLETED,
        completed_at=NOW,
        earned_at=NOW,
        eligible_at=NOW,
    )
