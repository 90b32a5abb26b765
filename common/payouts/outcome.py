"""What Stripe's word on a payout changes. Pure.

Source: contract, section 4; https://docs.stripe.com/payouts#payout-statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.bookings.model import Booking
from common.ledger.posting import Posting
from common.payouts.lines import released, sent
from common.payouts.model import Payout, PayoutStatus
from common.payouts.payout_operation import on_its_way, payout_posting
from common.payouts.postings import payout_returned

_BACK = {"failed": PayoutStatus.FAILED, "canceled": PayoutStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The payout, its bookings that changed, and the ledger's transactions."""

    payout: Payout
    bookings: Mapping[str, Booking]
    postings: tuple[Posting, ...]


def apply(payout: Payout, bookings: Mapping[str, Booking], stripe: Mapping[str, Any]) -> Outcome:
    """The payout after Stripe's word on it.

    PAID may still become FAILED within some days; FAILED and CANCELLED are final, whatever order
    the events come in. The earnings of a payout that came back may be paid out again; they stay
    transferred. What Stripe kept of it, its fee for an instant one, is the provider's cost as if
    the payout had arrived: it counts as paid.
    """
    posting = payout_posting(payout, stripe)
    known, under_way = on_its_way(payout, bookings, stripe)
    status = str(stripe["status"])
    amounts = {line.booking_id: line.amount for line in payout.lines}
    if status == "paid" and payout.status is PayoutStatus.PROCESSING:
        settled = {id_: _paid(booking, amounts[id_]) for id_, booking in under_way.items()}
        return Outcome(known.moved(PayoutStatus.PAID), settled, (posting,))
    back = _BACK.get(status)
    if back is None or payout.status not in (PayoutStatus.PROCESSING, PayoutStatus.PAID):
        changed = {id_: one for id_, one in under_way.items() if one != bookings[id_]}
        return Outcome(known, changed, (posting,))
    returned = _returned(payout, stripe)
    kept = _kept(payout, _taken(posting) - returned)
    if payout.status is PayoutStatus.PAID:
        free = {
            id_: _bounced(booking, amounts[id_] - kept.get(id_, 0))
            for id_, booking in bookings.items()
        }
        back = PayoutStatus.FAILED
    else:
        free = {
            id_: _charged(released(sent(booking, -amounts[id_]), amounts[id_]), kept.get(id_, 0))
            for id_, booking in under_way.items()
        }
    failed = replace(
        known.moved(back),
        kept=kept,
        failure_code=stripe.get("failure_code"),
        failure_message=stripe.get("failure_message"),
    )
    return Outcome(failed, free, (posting, payout_returned(payout, stripe["id"], returned)))


def _taken(posting: Posting) -> int:
    return max(amount for _, amount in posting.entries)


def _returned(payout: Payout, stripe: Mapping[str, Any]) -> int:
    """What came back, as Stripe says; all that arrives at a bank where it does not say."""
    transaction = stripe.get("failure_balance_transaction")
    return int(transaction["net"]) if isinstance(transaction, Mapping) else payout.net


def _kept(payout: Payout, amount: int) -> dict[str, int]:
    """What Stripe kept, as parts of the payout's lines: booking id -> minor units."""
    parts: dict[str, int] = {}
    for line in payout.lines:
        part = min(amount, line.amount)
        if part > 0:
            parts[line.booking_id] = part
            amount -= part
    return parts


def _charged(booking: Booking, kept: int) -> Booking:
    return booking.with_money(paid=booking.money.paid + kept) if kept else booking


def _paid(booking: Booking, amount: int) -> Booking:
    booking = sent(booking, -amount)
    money = booking.money
    return booking.with_money(claimed=money.claimed - amount, paid=money.paid + amount)


def _bounced(booking: Booking, amount: int) -> Booking:
    return booking.with_money(paid=booking.money.paid - amount)
