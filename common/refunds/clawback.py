"""Taking a provider's part back: transfer reversals, and a debt where there is nothing to reverse.

Source: contract, section 4; https://docs.stripe.com/connect/separate-charges-and-transfers#reverse-transfers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from common.bookings.model import Booking
from common.bookings.postings import concerns
from common.ledger import accounts
from common.ledger.posting import Posting, entries, post
from common.operations.model import Results
from common.store import collections
from common.store.collections import Key
from common.store.store import Add, Snapshot, Write
from common.stripe_gateway.calls import Call

PREFIX = "reversal:"


def calls(booking: Booking, operation_id: str, request_id: str) -> tuple[Call, ...]:
    """The reversals that bring a booking's transfers down to what is due, newest transfer first.

    What was paid out already cannot be reversed: the connected balance may hold money, but it is
    other bookings'.
    """
    amount = min(booking.money.overpaid, booking.money.there)
    return reversals(booking, amount, operation_id, request_id)


def reversals(
    booking: Booking,
    amount: int,
    operation_id: str,
    request_id: str,
    *,
    of_account: str | None = None,
) -> tuple[Call, ...]:
    """The reversals of an amount, newest transfer first.

    Args:
        of_account: Only transfers to this account; None: whichever.
    """
    left, made = amount, []
    for transfer in reversed(booking.transfers):
        part = min(left, transfer["amount"] - transfer["reversed"])
        if part <= 0 or of_account not in (None, transfer.get("account", of_account)):
            continue
        left -= part
        params = {
            "amount": part,
            "metadata": {
                "bookingId": booking.id,
                "operationId": operation_id,
                "requestId": request_id,
            },
        }
        made.append(
            Call(
                f"{PREFIX}{transfer['id']}",
                "transfers.reverse",
                params,
                f"{operation_id}-{transfer['id']}",
                target=transfer["id"],
            )
        )
    return tuple(made)


def set_aside(booking: Booking, planned: tuple[Call, ...]) -> Booking:
    """The booking with these reversals under way, so that no other operation makes them too."""
    return booking.with_money(reclaiming=booking.money.reclaiming + _sum(planned))


def called_off(booking: Booking, planned: tuple[Call, ...]) -> Booking:
    """The booking with these reversals no longer under way."""
    return booking.with_money(reclaiming=booking.money.reclaiming - _sum(planned))


def _sum(planned: tuple[Call, ...]) -> int:
    return sum(int(call.params["amount"]) for call in planned)


def posting_keys(results: Results) -> tuple[Key, ...]:
    """The ledger transactions of the reversals that were made."""
    return tuple(
        collections.transaction(f"reversal_{result.ok['id']}")
        for name, result in results.items()
        if name.startswith(PREFIX) and result.ok
    )


def reversed_posting(booking: Booking, reversal_id: str, amount: int) -> Posting:
    """Money back from the connected account."""
    return Posting(
        "reversal",
        reversal_id,
        booking.money.currency,
        entries((accounts.STRIPE, amount), (accounts.connected(booking.provider_id), -amount)),
        concerns(booking),
    )


def record(
    booking: Booking,
    operation_id: str,
    planned: tuple[Call, ...],
    results: Results,
    docs: Mapping[Key, Snapshot],
    now: datetime,
) -> tuple[Booking, list[Write]]:
    """The booking after its reversals, and what they mean in the ledger.

    A reversal that stands in the ledger already was recorded by its webhook, booking included.
    What could not be reversed is the provider's debt.
    """
    booking, writes = reversed_by(booking, planned, results, docs, now)
    refused = [results[call.name] for call in planned if call.name in results]
    codes = [str(one.refused_code or "refused") for one in refused if one.ok is None]
    booking, owing = indebted(booking, operation_id, codes[-1] if codes else "paid_out", now)
    return booking, [*writes, *owing]


def reversed_by(
    booking: Booking,
    planned: tuple[Call, ...],
    results: Results,
    docs: Mapping[Key, Snapshot],
    now: datetime,
) -> tuple[Booking, list[Write]]:
    """The same without the debt: the booking with the reversals that were made."""
    writes: list[Write] = []
    booking = called_off(booking, planned)
    for call in planned:
        result = results.get(call.name)
        if result is None or result.ok is None:
            continue
        posted = post(docs, reversed_posting(booking, result.ok["id"], result.ok["amount"]), now)
        writes += posted
        if posted:
            booking = with_reversal(booking, str(call.target), result.ok["amount"])
    return booking, writes


def with_reversal(booking: Booking, transfer_id: str, amount: int) -> Booking:
    """The booking with that much of a transfer taken back."""
    transfers = tuple(
        {**t, "reversed": t["reversed"] + amount} if t["id"] == transfer_id else t
        for t in booking.transfers
    )
    less = booking.with_money(transferred=booking.money.transferred - amount)
    return replace(less, transfers=transfers)


def indebted(
    booking: Booking, operation_id: str, why: str, now: datetime
) -> tuple[Booking, list[Write]]:
    """What the provider has beyond their due: they owe it, and the next earnings pay it."""
    amount, provider = booking.money.overpaid, booking.provider_id
    if not amount:
        return booking, []
    posting = Posting(
        "debt",
        f"{operation_id}-{booking.id}",
        booking.money.currency,
        entries((accounts.debt(provider), amount), (accounts.owed(provider), -amount)),
        concerns(booking, why=why),
    )
    total = Add(
        collections.earnings(provider, booking.money.currency),
        {"providerId": provider, "currency": booking.money.currency},
        {"debt": amount},
    )
    owing = booking.with_money(receivable=booking.money.receivable + amount)
    return owing, [*posting.writes(now), total]
