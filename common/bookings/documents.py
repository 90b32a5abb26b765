"""Bookings as Firestore documents, and the writes that change one.

Every write of a booking carries what it changes in the provider's running totals, so that these
are right in the same instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common.bookings import deadlines
from common.bookings.cancellation import Policy
from common.bookings.model import Booking, BookingMoney
from common.bookings.status import Status
from common.store import collections
from common.store.store import Add, Create, Document, Replace, Snapshot, Write

_SAME = ("version", "mode", "title", "category", "start", "end")
_MONEY = (
    "total", "fee", "provider", "captured", "refunded",
    "due", "claimed", "paid", "transferred", "netted", "receivable",
    "reclaiming", "unreturned", "sent",
)  # fmt: skip


def to_document(booking: Booking) -> Document:
    """The document of a booking; amounts are integers in minor units."""
    money = booking.money
    return {
        "customerId": booking.customer_id,
        "customerEmail": booking.customer_email,
        "providerId": booking.provider_id,
        "serviceId": booking.service_id,
        "status": str(booking.status),
        **{name: getattr(booking, name) for name in _SAME},
        "bufferMinutes": booking.buffer_minutes,
        "groupSize": booking.group_size,
        "specialRequests": booking.special_requests,
        "money": {
            "currency": money.currency,
            "rateBps": money.rate_bps,
            "feeRefunded": money.fee_refunded,
            **{name: getattr(money, name) for name in _MONEY},
        },
        "currency": money.currency,
        "payableOpen": booking.available > 0,
        "paidDebt": money.netted > 0,
        "policy": booking.policy.as_document(),
        "createdAt": booking.created_at,
        "holdUntil": booking.hold_until,
        "paidAt": booking.paid_at,
        "completedAt": booking.completed_at,
        "earnedAt": booking.earned_at,
        "eligibleAt": booking.eligible_at,
        "holds": dict(booking.holds),
        "payment": dict(booking.payment),
        "transfers": [dict(transfer) for transfer in booking.transfers],
        "request": dict(booking.request),
        "attendance": dict(booking.attendance),
        "subscriptionId": booking.subscription_id,
        "lastRefund": None if booking.last_refund is None else dict(booking.last_refund),
        "history": [dict(step) for step in booking.history],
        **_limits(booking),
    }


def _limits(booking: Booking) -> Document:
    """A booking's deadlines, right in the commit that starts, moves or ends them.

    Two fields are queried: who is due, and whose limit is another country's than ours is now.
    """
    running = {str(one.kind): one.as_document() for one in deadlines.of(booking)}
    country = booking.countries.get(deadlines.PLATFORM)
    return {
        "limits": {
            "countries": dict(booking.countries),
            "deadlines": running,
            "notices": {kind: dict(note) for kind, note in booking.notices.items()},
        },
        "nextDeadlineAt": deadlines.next_look(booking),
        "limitCountry": country if deadlines.Kind.HOLD in running else None,
    }


def from_document(booking_id: str, doc: Mapping[str, Any]) -> Booking:
    """The booking that a document holds."""
    money, limits = doc["money"], doc.get("limits") or {}
    return Booking(
        id=booking_id,
        status=Status(doc["status"]),
        customer_id=doc["customerId"],
        customer_email=doc["customerEmail"],
        provider_id=doc["providerId"],
        service_id=doc["serviceId"],
        **{name: doc[name] for name in _SAME},
        buffer_minutes=doc["bufferMinutes"],
        group_size=doc["groupSize"],
        special_requests=doc["specialRequests"],
        money=BookingMoney(
            currency=money["currency"],
            rate_bps=money["rateBps"],
            fee_refunded=money["feeRefunded"],
            **{name: money[name] for name in _MONEY},
        ),
        policy=Policy.from_document(doc["policy"]),
        created_at=doc["createdAt"],
        hold_until=doc["holdUntil"],
        paid_at=doc["paidAt"],
        completed_at=doc["completedAt"],
        earned_at=doc["earnedAt"],
        eligible_at=doc["eligibleAt"],
        holds=doc["holds"],
        payment=doc["payment"],
        transfers=tuple(doc["transfers"]),
        last_refund=doc["lastRefund"],
        request=doc["request"],
        attendance=doc["attendance"],
        countries=limits.get("countries", {}),
        notices=limits.get("notices", {}),
        subscription_id=doc.get("subscriptionId"),
        history=tuple(doc["history"]),
    )


def load(snapshot: Snapshot) -> Booking:
    """The booking in a document that exists."""
    return from_document(snapshot.key.id, snapshot.require())


def create(booking: Booking) -> list[Write]:
    """The writes that make a booking, with what it adds to its provider's running totals."""
    made = Create(collections.booking(booking.id), to_document(booking))
    return [made, *_added(booking, {name: n for name, n in totals_of(booking).items() if n})]


def change(was: Snapshot, booking: Booking) -> list[Write]:
    """The writes that change a booking, if nobody changed it since it was read."""
    before = load(was)
    after = replace(booking, version=before.version + 1)
    return [Replace(was, to_document(after)), *_totals(before, after)]


def totals_of(booking: Booking) -> dict[str, int]:
    """What one booking adds to its provider's running totals, minor units.

    held: paid by the customer, not yet to be paid out; available: may be paid out now; claimed: in
    payouts under way; paid: arrived; parked: in the connected balance and not to be paid out now;
    count: bookings with something to pay out.
    """
    return {
        "held": booking.waiting,
        "available": booking.available,
        "claimed": booking.money.claimed,
        "paid": booking.money.paid,
        "parked": booking.parked,
        "count": 1 if booking.available else 0,
    }


def _totals(before: Booking, after: Booking) -> list[Write]:
    was, now = totals_of(before), totals_of(after)
    deltas = {name: now[name] - was[name] for name in now if now[name] != was[name]}
    return _added(after, deltas)


def _added(booking: Booking, deltas: Mapping[str, int]) -> list[Write]:
    if not deltas:
        return []
    key = collections.earnings(booking.provider_id, booking.money.currency)
    fixed = {"providerId": booking.provider_id, "currency": booking.money.currency}
    return [Add(key, fixed, deltas)]
