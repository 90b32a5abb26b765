"""A payout's transfers: from our balance to the connected account, one for each booking. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from common.bookings.model import Booking
from common.bookings.postings import concerns
from common.clock import from_unix
from common.ledger.posting import post
from common.operations.model import Results
from common.payouts import postings
from common.payouts.model import Line, Payout
from common.store.collections import Key
from common.store.store import Snapshot, Write
from common.stripe_gateway.calls import Call, Json

PREFIX = "transfer:"


def call(payout: Payout, line: Line, request_id: str) -> Call:
    """The transfer of a line; where its charge funds it, it need not wait for the balance."""
    params: dict[str, Any] = {
        "amount": line.transfer,
        "currency": payout.currency.lower(),
        "destination": payout.account_id,
        "transfer_group": line.booking_id,
        "metadata": {
            "bookingId": line.booking_id,
            "payoutId": payout.id,
            "providerId": payout.provider_id,
            "operationId": payout.id,
            "requestId": request_id,
        },
    }
    if line.charge_id:
        params["source_transaction"] = line.charge_id
    key = f"transfer-{payout.id}-{line.booking_id}"
    return Call(f"{PREFIX}{line.booking_id}", "transfers.create", params, key)


def record(
    payout: Payout,
    bookings: Mapping[str, Booking],
    results: Results,
    docs: Mapping[Key, Snapshot],
    now: datetime,
) -> tuple[dict[str, Booking], list[Write]]:
    """The bookings with the transfers that were made, and what these mean in the ledger."""
    after, writes = dict(bookings), list[Write]()
    for name, result in results.items():
        if not name.startswith(PREFIX) or result.ok is None:
            continue
        booking = after[name.removeprefix(PREFIX)]
        about = concerns(booking, payoutId=payout.id)
        posting = postings.transfer(
            payout.provider_id, payout.currency, result.ok["id"], result.ok["amount"], about
        )
        posted = post(docs, posting, now)
        if posted:  # else the webhook recorded it, booking included
            after[booking.id] = with_transfer(booking, result.ok, payout.account_id)
        writes += posted
    return after, writes


def with_transfer(booking: Booking, transfer: Json, account_id: str) -> Booking:
    """The booking with a transfer made for it, and the account that has it."""
    amount = int(transfer["amount"])
    more = booking.with_money(transferred=booking.money.transferred + amount)
    made = {
        "id": transfer["id"],
        "amount": amount,
        "reversed": 0,
        "account": account_id,
        "at": from_unix(transfer["created"]),
    }
    return replace(more, transfers=(*booking.transfers, made))


def made(payout: Payout, results: Results) -> dict[str, Any]:
    """Stripe's transfer id -> booking id and amount, of this payout's transfers."""
    new = {
        result.ok["id"]: {
            "bookingId": name.removeprefix(PREFIX),
            "amount": result.ok["amount"],
        }
        for name, result in results.items()
        if name.startswith(PREFIX) and result.ok is not None
    }
    return {**(payout.transfers or {}), **new}
