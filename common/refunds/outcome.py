"""What Stripe's word on a refund changes; the same for the API's answer and for a webhook. Pure.

Source: contract, section 4; https://docs.stripe.com/refunds#failed-refunds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from common.bookings.model import Booking
from common.bookings.status import Status
from common.ledger.posting import Posting
from common.refunds.model import Refund
from common.store import collections
from common.store.collections import Key


def posting_keys(stripe_refund_id: str) -> tuple[Key, ...]:
    """The ledger transactions that a refund may have."""
    return (
        collections.transaction(f"refund_{stripe_refund_id}"),
        collections.transaction(f"refund_failed_{stripe_refund_id}"),
        collections.transaction(f"refund_kept_{stripe_refund_id}"),
    )


def apply(
    refund: Refund, booking: Booking, stripe: Mapping[str, Any]
) -> tuple[Refund, Booking, list[Posting]]:
    """The refund and its booking after Stripe's word, and the ledger transactions it calls for.

    A refund without a balance transaction has moved nothing yet (Stripe waits for funds). One that
    failed is final: what it had given back is with us again, held or owed as before; of a booking
    that is over it stays the customer's.
    """
    if refund.status == "FAILED":
        return refund, booking, []
    told = refund.told(stripe)
    if refund.status == "SUCCEEDED" and told.status == "PENDING":
        told = refund  # an older word that came late
    posting = refund.posting(booking, stripe["id"])
    moved = [posting] if stripe.get("balance_transaction") else []
    if told.status != "FAILED":
        return told, booking, moved
    after = released(booking, refund)
    if is_over(booking):
        kept = (
            refund.returned(booking, stripe["id"]) if moved else refund.kept(booking, stripe["id"])
        )
        return told, after, [*moved, *([kept] if kept else [])]
    back = [posting.reversed("refund_failed", stripe["id"])] if moved else []
    return told, after, [*moved, *back]


def given_back(booking: Booking, refund: Refund, *, at: datetime, by: str, why: str) -> Booking:
    """The booking REFUNDED, once Stripe has taken the refund that leaves nothing.

    Not when it is asked for: until then Stripe may refuse, and the booking stands.
    """
    last = (booking.last_refund or {}).get("id")
    if not booking.giving_back or refund.status == "FAILED" or refund.id != last:
        return booking
    return replace(booking.moved(Status.REFUNDED, at=at, by=by, why=why), hold_until=None)


def refused(booking: Booking, refund: Refund) -> tuple[Booking, list[Posting]]:
    """The booking after Stripe's no to a refund, and what its ledger lacks."""
    kept = refund.kept(booking, refund.id) if is_over(booking) else None
    return released(booking, refund), [kept] if kept else []


def is_over(booking: Booking) -> bool:
    """Whether what a refund fails to give back is the customer's nevertheless."""
    return not booking.keeps_place


def released(booking: Booking, refund: Refund) -> Booking:
    """The booking without a refund that did not come about.

    Of a booking that stands, what was earned is the provider's again. Of one that is over nothing
    goes back to them: the customer is still to have it.
    """
    money, over = booking.money, is_over(booking)
    held_again = refund.held if booking.earned_at is not None else 0
    return booking.with_money(
        unreturned=money.unreturned + (refund.amount if over else held_again),
        refunded=money.refunded - refund.amount,
        fee_refunded=money.fee_refunded - refund.fee_refunded,
        due=money.due if over else money.due + refund.owed_delta,
    )
