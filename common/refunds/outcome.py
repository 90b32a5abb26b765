"""What Stripe's word on a refund changes; the same for the API's answer and for a webhook. Pure.

Source: contract, section 4; https://docs.stripe.com/refunds#failed-refunds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.bookings.model import Booking
from common.ledger.posting import Posting
from common.refunds.model import Refund
from common.store import collections
from common.store.collections import Key


def posting_keys(stripe_refund_id: str) -> tuple[Key, ...]:
    """The ledger transactions that a refund may have."""
    return (
        collections.transaction(f"refund_{stripe_refund_id}"),
        collections.transaction(f"refund_failed_{stripe_refund_id}"),
    )


def apply(
    refund: Refund, booking: Booking, stripe: Mapping[str, Any]
) -> tuple[Refund, Booking, list[Posting]]:
    """The refund and its booking after Stripe's word, and the ledger transactions it calls for.

    A refund without a balance transaction has moved nothing yet (Stripe waits for funds). One that
    failed is final: what it had given back is with us again, held or owed as before.
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
    back = [posting.reversed("refund_failed", stripe["id"])] if moved else []
    return told, released(booking, refund), [*moved, *back]


def released(booking: Booking, refund: Refund) -> Booking:
    """The booking without a refund that did not come about."""
    money = booking.money
    held_again = refund.amount if refund.from_held and booking.earned_at is not None else 0
    return booking.with_money(
        unreturned=money.unreturned + held_again,
        refunded=money.refunded - refund.amount,
        fee_refunded=money.fee_refunded - refund.fee_refunded,
        due=money.due + refund.owed_delta,
    )
