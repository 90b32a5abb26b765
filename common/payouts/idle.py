"""Bookings whose earnings lie in the connected balance and are in no payout.

Payouts that failed have left them there. CREATE_PAYOUT takes them, and so does a payout that was
made at Stripe itself, such as by the provider in their dashboard.
Source: contract, section 3 (CREATE_PAYOUT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from common.bookings import documents
from common.bookings.listing import of_provider
from common.bookings.model import Booking
from common.context import Context
from common.payouts.allocation import MOST_LINES, told_line
from common.payouts.execution import eligible
from common.payouts.model import Line, Payout, PayoutStatus
from common.store.store import Snapshot, Write

#: A provider's bookings that are looked through for what is held back in the balance.
_MOST_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Idle:
    """Parts of a balance as a payout's lines.

    Attributes:
        was: The bookings as they were read.
        bookings: The same with these parts claimed.
    """

    lines: tuple[Line, ...]
    was: Mapping[str, Snapshot]
    bookings: Mapping[str, Booking]

    @property
    def amount(self) -> int:
        """What the lines come to, minor units."""
        return sum(line.amount for line in self.lines)

    def writes(self) -> list[Write]:
        """The writes that claim these parts, if nobody changed the bookings meanwhile."""
        return [
            write
            for id_, booking in self.bookings.items()
            for write in documents.change(self.was[id_], booking)
        ]


def lying_idle(
    context: Context, provider_id: str, code: str, amount: int, *, held_too: bool = False
) -> Idle:
    """Up to an amount, the oldest earnings first.

    Args:
        amount: Minor units. What the balance holds beyond the bookings came from elsewhere.
        held_too: Whether it is gone already, so that it may be what a hold should have kept there.
    """
    lines, was, claimed = list[Line](), dict[str, Snapshot](), dict[str, Booking]()
    candidates = eligible(context, provider_id, code, MOST_LINES)
    for snapshot, booking in candidates:
        amount -= _claim(snapshot, booking, min(booking.available, amount), lines, was, claimed)
    if held_too and amount:
        for snapshot in islice(of_provider(context, provider_id), _MOST_LOOKED_AT):
            booking = documents.load(snapshot)
            if booking.money.currency == code and booking.id not in was:
                amount -= _claim(snapshot, booking, amount, lines, was, claimed)
    return Idle(tuple(lines), was, claimed)


def _claim(
    snapshot: Snapshot,
    booking: Booking,
    most: int,
    lines: list[Line],
    was: dict[str, Snapshot],
    claimed: dict[str, Booking],
) -> int:
    part = min(most, booking.idle)
    if part <= 0:
        return 0
    lines.append(told_line(booking, part, 0))
    was[booking.id] = snapshot
    claimed[booking.id] = booking.with_money(claimed=booking.money.claimed + part)
    return part


def made_elsewhere(
    payout_id: str, provider_id: str, account_id: str, stripe: Mapping[str, Any], now: datetime
) -> Payout:
    """A payout that Stripe made without us, as the record it would have had; its lines are left."""
    transaction = stripe.get("balance_transaction")
    amount = int(stripe["amount"])
    taken = -int(transaction["net"]) if isinstance(transaction, Mapping) else amount
    return Payout(
        id=payout_id,
        provider_id=provider_id,
        account_id=account_id,
        currency=str(stripe["currency"]).upper(),
        amount=taken,
        lines=(),
        method=str(stripe.get("method") or "standard"),
        requested_by="stripe",
        created_at=now,
        scheduled_date=now,
        status=PayoutStatus.PROCESSING,
        fee=taken - amount,
        beyond=taken,
    )
