"""A cardholder's dispute: money frozen while it is open, then given back or taken for good. Pure.

Source: contract, section 4; https://docs.stripe.com/disputes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.bookings.model import Booking
from common.bookings.postings import concerns
from common.bookings.status import Status
from common.clock import from_unix
from common.disputes import record
from common.ledger import accounts, exchange
from common.ledger.posting import Posting, entries
from common.refunds.amounts import refund_breakdown
from common.refunds.refund_operation import held_of, reserved, sources

HOLD = "dispute"
#: Over, and the money is ours again or was never taken.
_OURS = frozenset({"won", "warning_closed", "prevented"})
_FROZEN_FROM = frozenset({Status.CONFIRMED, Status.COMPLETED})


@dataclass(frozen=True, slots=True)
class Disputed:
    """A booking after Stripe's word on its dispute, and what it means in the ledger."""

    booking: Booking
    postings: tuple[Posting, ...]


def movements(booking: Booking, dispute: Mapping[str, Any]) -> list[Posting]:
    """What the dispute took from our balance, and what it gave back; its fee is our cost."""
    return [
        posting
        for one in dispute.get("balance_transactions") or []
        for posting in _movement(booking, dispute, one)
    ]


def _movement(
    booking: Booking, dispute: Mapping[str, Any], transaction: Mapping[str, Any]
) -> tuple[Posting, ...]:
    """One movement. Where Stripe made it in another currency, what is disputed is the dispute's
    own amount, and the fee is in the other."""
    code, fee, amount = booking.money.currency, transaction["fee"], int(transaction["amount"])
    exchanged: tuple[Posting, ...] = ()
    if exchange.is_exchanged(transaction, code):
        amount = int(dispute["amount"]) * (-1 if amount < 0 else 1)
        exchanged = exchange.of(transaction, amount, code, concerns(booking), fee=fee)
        fee = 0
    moved = Posting(
        "dispute",
        transaction["id"],
        code,
        entries(
            (accounts.STRIPE, amount - fee),
            (accounts.DISPUTES, -amount),
            (accounts.STRIPE_FEES, fee),
        ),
        concerns(booking),
    )
    return moved, *exchanged


def apply(
    booking: Booking, dispute: Mapping[str, Any], *, settled: bool, now: datetime, why: str
) -> Disputed:
    """The booking as the dispute leaves it.

    Args:
        dispute: Stripe's object as it is now, not as an event showed it.
        settled: Whether its end was recorded before; then nothing more happens.
    """
    status = str(dispute["status"])
    moved = tuple(movements(booking, dispute))
    if settled:
        return Disputed(booking, moved)
    if status in _OURS:
        return Disputed(_thawed(booking, dispute, now, why), moved)
    if status == "lost":
        lost, posting = _lost(booking, dispute, now, why)
        return Disputed(lost, (*moved, posting))
    return Disputed(_frozen(booking, dispute, now, why), moved)


def was_lost(record: Mapping[str, Any]) -> bool:
    """Whether a loss was booked; an appeal does not undo that before it is won."""
    return bool(record.get("lost", record.get("status") == "lost"))


def is_settled(record: Mapping[str, Any], dispute: Mapping[str, Any]) -> bool:
    """Whether what Stripe says now was booked before; a decision may be appealed, and then not."""
    return was_lost(record) or (bool(record.get("settled")) and is_over(dispute))


def is_turned(record: Mapping[str, Any], dispute: Mapping[str, Any]) -> bool:
    """Whether an appeal has turned a loss that was booked: whose the money is, a person decides."""
    return was_lost(record) and dispute["status"] == "won" != record.get("status")


def is_over(dispute: Mapping[str, Any]) -> bool:
    """Whether the bank has decided."""
    return dispute["status"] in _OURS or dispute["status"] == "lost"


def _frozen(booking: Booking, dispute: Mapping[str, Any], now: datetime, why: str) -> Booking:
    """Nothing of it is transferred; an inquiry takes no money and leaves the status alone."""
    held = booking.held_by(HOLD, dispute["id"])
    inquiry = str(dispute["status"]).startswith("warning")
    if inquiry or booking.status not in _FROZEN_FROM:
        return held
    return held.moved(Status.DISPUTED, at=now, by="stripe", why=why)


def _thawed(booking: Booking, dispute: Mapping[str, Any], now: datetime, why: str) -> Booking:
    free = booking.freed_of(dispute["id"])
    if booking.status is not Status.DISPUTED or free.is_held(HOLD):
        return free
    return free.moved(_before(booking), at=now, by="stripe", why=why)


def _before(booking: Booking) -> Status:
    return Status.COMPLETED if booking.completed_at is not None else Status.CONFIRMED


def _lost(
    booking: Booking, dispute: Mapping[str, Any], now: datetime, why: str
) -> tuple[Booking, Posting]:
    """Settled like a refund of the disputed amount, which the bank has made already."""
    amount = int(dispute["amount"])
    part = refund_breakdown(held_of(booking), min(amount, booking.money.remaining))
    after = reserved(booking.freed_of(dispute["id"]), part)
    if booking.status is Status.DISPUTED or booking.status in _FROZEN_FROM:
        # it may be heard of only when it is over, and so never have been DISPUTED here
        still = booking.status if after.is_held(HOLD) else _before(booking)
        to = still if after.money.remaining else Status.REFUNDED
        after = after if to is booking.status else after.moved(to, at=now, by="stripe", why=why)
    held, owed_delta = sources(booking, after, part.refund)
    beyond = amount - part.refund  # what had gone back before: the bank gave it a second time
    lines = (
        (accounts.HELD, held),
        (accounts.owed(booking.provider_id), owed_delta),
        (accounts.COMMISSION, part.refund - held - owed_delta),
    )
    posting = Posting(
        "dispute_lost",
        dispute["id"],
        booking.money.currency,
        entries((accounts.DISPUTES, -amount), *lines, (accounts.LOSSES, beyond)),
        concerns(booking),
    )
    return after, posting


def document(
    booking: Booking,
    dispute: Mapping[str, Any],
    now: datetime,
    was: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The dispute's own record; amounts in minor units.

    Args:
        was: The record so far, whose part on the evidence stays; ``lost`` stays, too, while a
            decision is appealed.
    """
    before = was or {}
    details = dispute.get("evidence_details") or {}
    due_by = details.get("due_by")
    due = from_unix(due_by) if due_by else None
    evidence = record.evidence_of(before)
    if record.awaits(dispute["status"]) and not record.awaits(before.get("status", "")):
        # told for the first time, or an inquiry became a chargeback, or a decision is appealed
        evidence |= {"submittedAt": None, "submitted": None, "warned": None}
    over = is_over(dispute)
    told = {
        "kind": "CARD",
        "bookingId": booking.id,
        "customerId": booking.customer_id,
        "providerId": booking.provider_id,
        "stripeDisputeId": dispute["id"],
        "chargeId": dispute["charge"],
        "amount": dispute["amount"],
        "currency": str(dispute["currency"]).upper(),
        "reason": dispute["reason"],
        "status": dispute["status"],
        "refundable": bool(dispute.get("is_charge_refundable")),
        "evidenceDueBy": due,
        "evidence": evidence,
        "settled": over,
        "lost": was_lost(before) or dispute["status"] == "lost",
        "createdAt": from_unix(dispute["created"]) if dispute.get("created") else now,
        "closedAt": (before.get("closedAt") or now) if over else None,
        "updatedAt": now,
    }
    return {**told, "warnAt": record.watched(told)}


def no_refund_because(booking: Booking) -> str | None:
    """Why nothing of a booking may be refunded or called off while its charge is taken back.

    None while no bank holds its money: an inquiry takes none.
    """
    return taken_back(booking) if booking.status is Status.DISPUTED else None


def taken_back(booking: Booking) -> str:
    """The same in words, naming the disputes."""
    return (
        f"The cardholder's bank has taken this payment back (dispute {', '.join(held_by(booking))})"
        "; a refund would pay it a second time. Wait for the bank's decision"
    )


def held_by(booking: Booking) -> list[str]:
    """The card disputes that hold a booking's money."""
    return sorted(id_ for name, id_ in booking.holds.items() if name.partition(":")[0] == HOLD)
