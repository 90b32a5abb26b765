"""What Stripe's word on a payout changes. Pure.

Source: contract, section 4; https://docs.stripe.com/payouts#payout-statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.bookings.model import Booking
from common.ledger.posting import Posting
from common.payouts.model import Payout, PayoutStatus
from common.payouts.payout_operation import on_its_way, payout_posting, released

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
    transferred.
    """
    posting = payout_posting(payout, stripe)
    known = on_its_way(payout, stripe)
    status = str(stripe["status"])
    amounts = {line.booking_id: line.amount for line in payout.lines}
    if status == "paid" and payout.status is PayoutStatus.PROCESSING:
        settled = {id_: _paid(booking, amounts[id_]) for id_, booking in bookings.items()}
        return Outcome(known.moved(PayoutStatus.PAID), settled, (posting,))
    back = _BACK.get(status)
    if back is None or payout.status not in (PayoutStatus.PROCESSING, PayoutStatus.PAID):
        return Outcome(known, {}, (posting,))
    if payout.status is PayoutStatus.PAID:
        free = {id_: _bounced(booking, amounts[id_]) for id_, booking in bookings.items()}
        back = PayoutStatus.FAILED
    else:
        free = {id_: released(booking, amounts[id_]) for id_, booking in bookings.items()}
    failed = replace(
        known.moved(back),
        failure_code=stripe.get("failure_code"),
        failure_message=stripe.get("failure_message"),
    )
    return Outcome(failed, free, (posting, posting.reversed("payout_returned", stripe["id"])))


def _paid(booking: Booking, amount: int) -> Booking:
    money = booking.money
    return booking.with_money(claimed=money.claimed - amount, paid=money.paid + amount)


def _bounced(booking: Booking, amount: int) -> Booking:
    return booking.with_money(paid=booking.money.paid - amount)
