"""A provider's debt of a booking that turns out not to be owed: a refund failed after all.

What still stands of it is cancelled. What later earnings have paid of it already becomes payable
again, on the very bookings that paid.
Source: contract, section 4 (debts only where the provider has more than their due).
"""

from __future__ import annotations

from dataclasses import dataclass

from common.bookings import documents
from common.bookings.model import Booking
from common.bookings.postings import concerns
from common.context import Context
from common.ledger import accounts
from common.ledger.posting import Posting, entries
from common.store import collections
from common.store.store import Patch, Snapshot, Write

#: Bookings looked at that have paid debts.
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Relief:
    """The booking that owes less, what that means in the ledger, and the writes beside it."""

    booking: Booking
    postings: tuple[Posting, ...] = ()
    writes: tuple[Write, ...] = ()


def excess(booking: Booking) -> int:
    """By how much a booking's debt is more than what the provider has of it beyond their due."""
    money = booking.money
    beyond = max(0, money.transferred + money.netted - money.reclaiming - money.due)
    return max(0, money.receivable - beyond)


def relieve(context: Context, booking: Booking, source: str) -> Relief:
    """Take back a debt that is not owed any more.

    Args:
        booking: As the failed refund leaves it.
        source: The refund's id at Stripe.

    The writes come before any other of the provider's running totals in one commit: they hold only
    if the debt still stands as it was read.
    """
    too_much = excess(booking)
    if not too_much:
        return Relief(booking)
    key = collections.earnings(booking.provider_id, booking.money.currency)
    owing = context.read(key)[key]
    debt = int((owing.data or {}).get("debt", 0))
    cancelled = min(too_much, debt)
    writes: list[Write] = []
    postings: list[Posting] = []
    if cancelled:
        writes.append(Patch(key, {"debt": debt - cancelled}, version=owing.version))
        postings.append(_cancelled(booking, source, cancelled))
    given_back, again = _payable_again(context, booking, too_much - cancelled)
    receivable = booking.money.receivable - cancelled - given_back
    return Relief(booking.with_money(receivable=receivable), tuple(postings), (*writes, *again))


def _cancelled(booking: Booking, source: str, amount: int) -> Posting:
    provider = booking.provider_id
    return Posting(
        "debt_cancelled",
        source,
        booking.money.currency,
        entries((accounts.owed(provider), amount), (accounts.debt(provider), -amount)),
        concerns(booking),
    )


def _payable_again(context: Context, owes: Booking, amount: int) -> tuple[int, list[Write]]:
    """Give earnings back to the bookings that paid this debt; how much, and the writes."""
    if not amount:
        return 0, []
    found = context.services.store.query(
        "bookings",
        [
            ("providerId", "==", owes.provider_id),
            ("currency", "==", owes.money.currency),
            ("paidDebt", "==", True),
        ],
        limit=_PAGE,
    )
    left, writes = amount, list[Write]()
    for was in found:
        booking = documents.load(was)
        part = min(left, _restorable(booking, owes, was))
        if part:
            left -= part
            money = booking.money
            free = booking.with_money(paid=money.paid - part, netted=money.netted - part)
            writes += documents.change(was, free)
    return amount - left, writes


def _restorable(booking: Booking, owes: Booking, was: Snapshot) -> int:
    """What of a booking's earnings went into debts and would be payable if it had not."""
    money = booking.money
    if was.key.id == owes.id or money.receivable or money.due < money.claimed + money.paid:
        return 0
    return money.netted
