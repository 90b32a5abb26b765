"""A provider's debt of a booking that is not owed any more: a refund failed after all, or the
money that was to be given back has come back from the bank.

What still stands of it is cancelled. What later earnings have paid of it already becomes payable
again, on the very bookings that paid.
Source: contract, section 4 (debts only where the provider has more than their due).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

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
    [relief] = relieve_each(context, [(booking, excess(booking), source)])
    return relief


def there_again(booking: Booking) -> int:
    """What of a booking's debt lies in the connected balance, since its payout came back."""
    return min(booking.money.receivable, booking.money.there)


def relieve_each(
    context: Context,
    owed: Sequence[tuple[Booking, int, str]],
    busy: Collection[str] = (),
) -> list[Relief]:
    """The same for bookings of one provider and currency in one commit.

    Args:
        owed: Bookings, how much of each one's debt is to go, and the posting's source.
        busy: Further bookings that the commit writes, which cannot be given anything back here.
    """
    if not any(amount for _, amount, _ in owed):
        return [Relief(booking) for booking, _, _ in owed]
    first = owed[0][0]
    key = collections.earnings(first.provider_id, first.money.currency)
    owing = context.read(key)[key]
    debt = int((owing.data or {}).get("debt", 0))
    left, reliefs = debt, list[Relief]()
    payers = _Payers(context, first, {*busy, *(booking.id for booking, _, _ in owed)})
    for booking, amount, source in owed:
        cancelled = min(amount, left)
        left -= cancelled
        given_back, again = payers.give_back(amount - cancelled)
        receivable = booking.money.receivable - cancelled - given_back
        posting = (_cancelled(booking, source, cancelled),) if cancelled else ()
        reliefs.append(Relief(booking.with_money(receivable=receivable), posting, tuple(again)))
    if left == debt:
        return reliefs
    patch = Patch(key, {"debt": left}, version=owing.version)
    return [replace(reliefs[0], writes=(patch, *reliefs[0].writes)), *reliefs[1:]]


def _cancelled(booking: Booking, source: str, amount: int) -> Posting:
    provider = booking.provider_id
    return Posting(
        "debt_cancelled",
        source,
        booking.money.currency,
        entries((accounts.owed(provider), amount), (accounts.debt(provider), -amount)),
        concerns(booking),
    )


class _Payers:
    """The bookings whose earnings have paid debts; looked for when one is to be given back."""

    def __init__(self, context: Context, owes: Booking, busy: Collection[str]) -> None:
        self._context, self._owes, self._busy = context, owes, busy
        self._found: list[Snapshot] | None = None

    def give_back(self, amount: int) -> tuple[int, list[Write]]:
        """Make earnings payable again; how much, and the writes. Each booking is asked once."""
        if not amount:
            return 0, []
        if self._found is None:
            self._found = self._context.services.store.query(
                "bookings",
                [
                    ("providerId", "==", self._owes.provider_id),
                    ("currency", "==", self._owes.money.currency),
                    ("paidDebt", "==", True),
                ],
                limit=_PAGE,
            )
        left, writes = amount, list[Write]()
        while left and self._found:
            was = self._found.pop(0)
            booking = documents.load(was)
            part = min(left, self._restorable(booking))
            if part:
                left -= part
                money = booking.money
                free = booking.with_money(paid=money.paid - part, netted=money.netted - part)
                writes += documents.change(was, free)
        return amount - left, writes

    def _restorable(self, booking: Booking) -> int:
        """What of a booking's earnings went into debts and would be payable if it had not."""
        money = booking.money
        over = money.due < money.claimed + money.paid
        return 0 if booking.id in self._busy or money.receivable or over else money.netted
