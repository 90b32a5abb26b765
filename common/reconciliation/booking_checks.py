"""Each booking: its price, its history, its money against ledger, refunds and payouts. Pure.

Source: invariants I3 to I6, I12 to I14, I21.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from common.bookings.model import Booking
from common.bookings.status import TRANSITIONS, Status
from common.ledger import accounts, exchange
from common.money import fee_returned, platform_fee
from common.reconciliation import limit_checks
from common.reconciliation.evidence import Evidence, Mismatch, readable

_OPEN_PAYOUT = frozenset({"SCHEDULED", "PROCESSING"})
_STANDING = frozenset({Status.CONFIRMED, Status.COMPLETED, Status.DISPUTED})


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Every booking against itself and against all that was recorded for it."""
    tallies = _tallies(evidence)
    for id_, doc in evidence.documents("bookings"):
        booking = readable(id_, doc)
        if booking is None:
            yield Mismatch("booking.unreadable", "I3", "it is not a booking's document", (id_,))
            continue
        amounts = {name: value for name, value in doc["money"].items() if name != "currency"}
        bad = [name for name, value in amounts.items() if not _whole(value)]
        if bad:
            yield Mismatch("booking.not_whole", "I3", f"{', '.join(bad)} is no amount", (id_,))
            continue
        yield from _price(booking)
        yield from _history(booking)
        yield from _payment(booking, tallies)
        yield from _settlement(booking, evidence)
        yield from _refunds(booking, tallies)
        yield from _earnings(booking, tallies)
        yield from limit_checks.overdue(booking, evidence.now)


def _whole(value: object) -> bool:
    return type(value) is int and value >= 0


class _Tallies:
    """What the other documents say of each booking, minor units."""

    def __init__(self) -> None:
        self.charged: dict[str, int] = defaultdict(int)
        self.held: dict[str, int] = defaultdict(int)
        self.transferred: dict[str, int] = defaultdict(int)
        self.refunded: dict[str, int] = defaultdict(int)
        self.refunds_posted: dict[str, int] = defaultdict(int)
        self.lost: dict[str, int] = defaultdict(int)
        self.claimed: dict[str, int] = defaultdict(int)
        self.sent: dict[str, int] = defaultdict(int)
        self.paid: dict[str, int] = defaultdict(int)


def _tallies(evidence: Evidence) -> _Tallies:
    tallies = _Tallies()
    for _, doc in evidence.documents("transactions"):
        id_ = doc.get("bookingId")
        if id_ is None:
            continue
        for entry in doc["entries"]:
            _count(tallies, str(id_), str(doc["kind"]), str(entry["account"]), entry["amount"])
    for _, refund in evidence.documents("refunds"):
        if refund["status"] != "FAILED":
            tallies.refunded[refund["bookingId"]] += refund["amount"]
    for _, payout in evidence.documents("payouts"):
        for booking_id, kept in (payout.get("kept") or {}).items():
            tallies.paid[booking_id] += kept  # Stripe's fee for a payout that came back
        for line in payout["lines"]:
            if payout["status"] in _OPEN_PAYOUT:
                tallies.claimed[line["bookingId"]] += line["amount"]
                if payout["stripePayoutId"]:
                    tallies.sent[line["bookingId"]] += line["amount"]
            elif payout["status"] == "PAID":
                tallies.paid[line["bookingId"]] += line["amount"]
    return tallies


def _count(tallies: _Tallies, id_: str, kind: str, account: str, amount: Any) -> None:
    if type(amount) is not int:
        return
    if account == accounts.HELD:
        tallies.held[id_] -= amount
    if kind == "charge" and account == accounts.STRIPE:
        tallies.charged[id_] += amount
    elif kind in ("transfer", "reversal") and account == accounts.STRIPE:
        tallies.transferred[id_] -= amount
    elif kind == "account_left" and amount > 0:
        tallies.paid[id_] += amount  # it went to the provider with their account
    elif kind in ("refund", "refund_failed") and account == accounts.STRIPE:
        tallies.refunds_posted[id_] -= amount
    elif kind == "dispute_lost" and account not in (accounts.DISPUTES, accounts.LOSSES):
        tallies.lost[id_] += amount


def _price(booking: Booking) -> Iterator[Mismatch]:
    money = booking.money
    if money.total != money.fee + money.provider:
        yield Mismatch(
            "booking.split",
            "I4",
            f"{money.fee} and {money.provider} do not make up {money.total}",
            (booking.id,),
        )
    agreed = platform_fee(money.total, money.rate_bps, money.currency)
    if money.fee != agreed:
        yield Mismatch(
            "booking.fee", "I4", f"the fee is {money.fee}, the rate makes {agreed}", (booking.id,)
        )


def _history(booking: Booking) -> Iterator[Mismatch]:
    steps = booking.history
    if not steps or steps[-1]["status"] != str(booking.status):
        yield Mismatch(
            "booking.status", "I12", "its status is not the last of its history", (booking.id,)
        )
        return
    for before, after in pairwise(steps):
        allowed = TRANSITIONS[Status(before["status"])]
        if Status(after["status"]) not in allowed:
            yield Mismatch(
                "booking.transition",
                "I12",
                f"it went from {before['status']} to {after['status']}",
                (booking.id,),
            )
        if after["version"] <= before["version"] or after["at"] < before["at"]:
            yield Mismatch("booking.time", "I12", "its history runs backwards", (booking.id,))
    if steps[-1]["version"] > booking.version:
        yield Mismatch("booking.version", "I12", "its version is behind its history", (booking.id,))


def _payment(booking: Booking, tallies: _Tallies) -> Iterator[Mismatch]:
    money = booking.money
    if booking.status in _STANDING and money.captured != money.total:
        yield Mismatch("booking.unpaid", "I13", "it stands without its payment", (booking.id,))
    charged = tallies.charged[booking.id]
    if charged != money.captured:
        yield Mismatch(
            "booking.charge",
            "I13",
            f"the ledger has charged {charged}, the booking says {money.captured}",
            (booking.id,),
        )
    held = tallies.held[booking.id]
    if held < 0:
        yield Mismatch("booking.held", "I14", f"the ledger holds {held} for it", (booking.id,))
    elif booking.earned_at is None and booking.status not in (Status.REFUNDED,):
        owed = money.captured - tallies.refunds_posted[booking.id] - tallies.lost[booking.id]
        if held != owed:
            yield Mismatch(
                "booking.held", "I14", f"the ledger holds {held}, {owed} is left", (booking.id,)
            )


def _settlement(booking: Booking, evidence: Evidence) -> Iterator[Mismatch]:
    """A charge settled in another currency is exchanged in the ledger, and its earnings wait."""
    settled = booking.payment.get("settlement")
    if not settled or not booking.money.captured:
        return
    transaction = str(booking.payment.get("balanceTransactionId"))
    if evidence.document("transactions", f"{exchange.CONVERSION}_{transaction}") is None:
        yield Mismatch(
            "exchange.unrecorded",
            "I9",
            f"its charge was settled in {settled['currency']}, which is in no ledger",
            (booking.id, transaction),
        )
    money = booking.money
    unpaid = money.due - money.claimed - money.paid
    if unpaid > 0:
        yield Mismatch(
            "booking.unpayable",
            "I6",
            f"{unpaid} {money.currency} are owed to its provider, and Stripe settled its charge in "
            f"{settled['currency']}: a person must pay or refund it",
            (booking.id,),
        )


def _refunds(booking: Booking, tallies: _Tallies) -> Iterator[Mismatch]:
    money = booking.money
    if money.refunded > money.captured:
        yield Mismatch("booking.overrefunded", "I5", "more went back than was paid", (booking.id,))
    known = tallies.refunded[booking.id] + tallies.lost[booking.id]
    if known != money.refunded:
        yield Mismatch(
            "booking.refunds",
            "I5",
            f"its refunds come to {known}, it says {money.refunded}",
            (booking.id,),
        )
    if not money.captured:
        return
    due = fee_returned(
        fee=money.fee,
        charged=money.total,
        refunded_before=0,
        refund=min(money.refunded, money.total),
        currency=money.currency,
    )
    if money.fee_refunded != due:
        yield Mismatch(
            "booking.fee_refunded",
            "I5",
            f"{money.fee_refunded} of the fee went back, {due} should have",
            (booking.id,),
        )


def _earnings(booking: Booking, tallies: _Tallies) -> Iterator[Mismatch]:
    money = booking.money
    if money.transferred != tallies.transferred[booking.id]:
        yield Mismatch(
            "booking.transferred",
            "I6",
            f"the ledger has {tallies.transferred[booking.id]}, it says {money.transferred}",
            (booking.id,),
        )
    net = sum(one["amount"] - one["reversed"] for one in booking.transfers)
    if net != money.transferred:
        yield Mismatch("booking.transfers", "I6", f"its transfers come to {net}", (booking.id,))
    if money.overpaid:
        yield Mismatch(
            "booking.overpaid",
            "I6",
            f"the provider has {money.overpaid} too much of it",
            (booking.id,),
        )
    if money.claimed != tallies.claimed[booking.id]:
        yield Mismatch(
            "booking.claimed",
            "I21",
            f"open payouts carry {tallies.claimed[booking.id]}, it says {money.claimed}",
            (booking.id,),
        )
    if money.sent != tallies.sent[booking.id]:
        yield Mismatch(
            "booking.sent",
            "I21",
            f"payouts on their way carry {tallies.sent[booking.id]}, it says {money.sent}",
            (booking.id,),
        )
    if money.paid != tallies.paid[booking.id] + money.netted:
        yield Mismatch(
            "booking.paid",
            "I21",
            f"payouts carried {tallies.paid[booking.id]}, it says {money.paid - money.netted}",
            (booking.id,),
        )
