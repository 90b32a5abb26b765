"""What of a payout's lines may still go out, and the payout without the rest. Pure.

Between a claim and its transfer, or while a payout waits for funds, a booking may be disputed, put
on hold or refunded; what is not due any more leaves the payout.
Source: contract, section 4 (nothing is transferred for a booking that is disputed, under review or
refunded in full).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from common.bookings.model import Booking
from common.currencies import currency
from common.payouts.model import Line, Payout

Bookings = Mapping[str, Booking]


def released(booking: Booking, amount: int) -> Booking:
    """The booking with a part of its earnings free for another payout."""
    return booking.with_money(claimed=booking.money.claimed - amount)


def sent(booking: Booking, amount: int) -> Booking:
    """The booking with a part of its claimed earnings out of the connected balance; a negative
    amount has arrived or is back there."""
    return booking.with_money(sent=booking.money.sent + amount)


def still_due(booking: Booking, line: Line) -> int:
    """What of a line may go out: due, free of holds, and not in another payout."""
    return min(line.amount, released(booking, line.amount).available)


def no_longer_due(payout: Payout, bookings: Bookings) -> dict[str, int]:
    """Booking id -> what of its line may not go out any more; only lines with something."""
    gone = {
        line.booking_id: line.amount - still_due(bookings[line.booking_id], line)
        for line in payout.lines
    }
    return {booking_id: amount for booking_id, amount in gone.items() if amount}


def not_there(payout: Payout, bookings: Bookings) -> dict[str, int]:
    """The same, with what was taken back out of the connected balance. For transferred lines.

    A booking's other payouts share what is there, so a line counts as gone only so far as not even
    all of it would do.
    """
    gone = {}
    for line in payout.lines:
        booking = bookings[line.booking_id]
        gone[line.booking_id] = line.amount - min(still_due(booking, line), booking.money.there)
    return {booking_id: amount for booking_id, amount in gone.items() if amount}


def without(
    payout: Payout, bookings: Bookings, cuts: Mapping[str, int]
) -> tuple[Payout, dict[str, Booking]]:
    """The payout without these parts of its lines, and the bookings with them free again.

    What the bank's step leaves over goes as well. Where what is left would not even pay Stripe's
    fee, nothing is left.
    """
    cuts = payable_cuts(payout, cuts)
    kept = tuple(_cut(line, cuts.get(line.booking_id, 0)) for line in payout.lines)
    smaller = replace(
        payout,
        lines=tuple(line for line in kept if line.amount),
        amount=payout.amount - sum(cuts.values()),
    )
    if smaller.net <= 0:
        smaller = replace(payout, lines=())
    left = {line.booking_id: line.amount for line in smaller.lines}
    free = dict(bookings)
    for line in payout.lines:
        gone = line.amount - left.get(line.booking_id, 0)
        free[line.booking_id] = released(free[line.booking_id], gone)
    return smaller, free


def payable_cuts(payout: Payout, cuts: Mapping[str, int]) -> dict[str, int]:
    """The cuts with what the bank's step leaves over, taken off the last lines."""
    step = currency(payout.currency).payout_multiple
    over = (payout.amount - sum(cuts.values())) % step
    every = dict(cuts)
    for line in reversed(payout.lines):
        gone = every.get(line.booking_id, 0)
        more = min(over, line.amount - gone)
        if more:
            every[line.booking_id] = gone + more
            over -= more
    return every


def _cut(line: Line, gone: int) -> Line:
    amount = line.amount - gone
    return replace(line, amount=amount, transfer=min(line.transfer, amount))
