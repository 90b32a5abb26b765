"""Which bookings a payout takes its money from: the oldest earnings first, debts before all. Pure.

Source: contract, section 4 (a booking may go out in parts; debts are netted first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from common.bookings.model import Booking
from common.currencies import currency
from common.money import down_to_multiple, half_up, up_to_multiple
from common.payouts.model import Line

#: Bookings in one payout: they are read and written in single commits. More go out next time.
MOST_LINES = 150


@dataclass(frozen=True, slots=True)
class Allocation:
    """How a payout is made up.

    Attributes:
        available: What could be paid out at most, debts deducted, minor units; what is too small
            for the bank's step stays for the next payout.
        lines: Bookings' parts.
        bookings: The bookings with these parts claimed and the debt netted.
        recovered: What the debt took first.
    """

    available: int
    lines: tuple[Line, ...]
    bookings: tuple[Booking, ...]
    recovered: int

    @property
    def amount(self) -> int:
        """What the lines come to."""
        return sum(line.amount for line in self.lines)


def allocate(bookings: Sequence[Booking], debt: int, amount: int | None) -> Allocation:
    """Take an amount out of a provider's eligible bookings of one currency.

    Args:
        bookings: With something available, the oldest earnings first.
        debt: What the provider owes in this currency.
        amount: Minor units; None: all there is. The caller refuses more than ``available``.
    """
    chosen = bookings[:MOST_LINES]
    gross = sum(booking.available for booking in chosen)
    recovered = min(debt, gross)
    step = currency(chosen[0].money.currency).payout_multiple if chosen else 1
    available = down_to_multiple(gross - recovered, step)
    wanted = available if amount is None else min(amount, available)
    lines, claimed, owing = [], [], recovered
    for booking in chosen:
        net = min(owing, booking.available)
        take = min(wanted, booking.available - net)
        if not net and not take:
            break
        owing, wanted = owing - net, wanted - take
        if take:
            lines.append(line(booking, take))
        money = booking.money
        claimed.append(
            booking.with_money(
                claimed=money.claimed + take, paid=money.paid + net, netted=money.netted + net
            )
        )
    return Allocation(available, tuple(lines), tuple(claimed), recovered)


def line(booking: Booking, amount: int) -> Line:
    """One booking's part, and what of it is not at the connected account yet."""
    money = booking.money
    sent_for = money.claimed + money.paid - money.netted  # what earlier lines need or needed
    there = max(0, money.transferred - money.reclaiming - sent_for)
    return told_line(booking, amount, max(0, amount - there))


def told_line(booking: Booking, amount: int, transfer: int) -> Line:
    """A line with what a reader of the payout wants to know of its booking."""
    money = booking.money
    refunded = money.refunded + money.unreturned  # what failed to go back is the customer's still
    return Line(
        booking.id,
        amount,
        transfer,
        _source(booking, transfer),
        title=booking.title,
        paid=money.captured,
        refunded=refunded,
        fee=money.captured - refunded - money.due,
    )


def _source(booking: Booking, transfer: int) -> str:
    """The charge that funds a transfer.

    Stripe counts all transfers of a charge against it, those that were reversed too: what does not
    fit into it any more comes from our balance, where the reversals brought it.
    Source: https://docs.stripe.com/connect/separate-charges-and-transfers#transfer-availability.
    """
    before = sum(int(made["amount"]) for made in booking.transfers)
    fits = before + transfer <= booking.money.captured
    return str(booking.payment["chargeId"]) if fits else ""


def instant_fee(amount: int, bps: int, minimum: int, code: str) -> int:
    """What to keep back of an instant payout, so that Stripe's fee on the rest fits into it.

    Args:
        bps: Basis points of what arrives.
        minimum: The least fee, minor units.
    """
    net = half_up(amount * 10_000, 10_000 + bps)
    if net + half_up(net * bps, 10_000) > amount:
        net -= 1  # not every amount is a sum of a net and its rounded fee
    return up_to_multiple(max(amount - net, minimum), currency(code).payout_multiple)
