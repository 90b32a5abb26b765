"""A booking as clients see it: the guide's shape, and what was added to it.

Source: guide, section 1; contract, sections 1 and 3.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from common.bookings import deadlines, saved_requests
from common.bookings.model import Booking
from common.bookings.pricing import Split
from common.bookings.status import Status
from common.clock import rfc3339
from common.money import to_major


def booking_as_json(booking: Booking) -> dict[str, Any]:
    """A booking's JSON object; amounts in major units, times in UTC."""
    money = booking.money
    split = Split(money.total, money.fee, money.provider, money.currency, money.rate_bps)
    return {
        "id": booking.id,
        "status": str(booking.status),
        "service": {
            "id": booking.service_id,
            "title": booking.title,
            "category": booking.category,
        },
        "dateTime": {"start": rfc3339(booking.start), "end": rfc3339(booking.end)},
        "pricing": pricing_as_json(split),
        "qrCode": f"qr_{booking.id}",
        "customerId": booking.customer_id,
        "providerId": booking.provider_id,
        "subscriptionId": booking.subscription_id,
        "groupSize": booking.group_size,
        "specialRequests": booking.special_requests,
        "cancellationPolicy": booking.policy.as_document(),
        "bookingMode": booking.mode,
        "request": _request_as_json(booking),
        "attendance": _attendance_as_json(booking),
        "payment": _payment_as_json(booking),
        "refund": _refund_as_json(booking),
        "createdAt": rfc3339(booking.created_at),
        "holdExpiresAt": _when(booking.hold_until),
        "completedAt": _when(booking.completed_at),
        "history": [
            {"status": step["status"], "at": rfc3339(step["at"])} for step in booking.history
        ],
    }


def pricing_as_json(split: Split) -> dict[str, Any]:
    """A price and its parts; ``platformFeeRate`` is a fraction."""
    return {
        "totalAmount": to_major(split.total, split.currency),
        "platformFee": to_major(split.fee, split.currency),
        "providerEarnings": to_major(split.provider, split.currency),
        "platformFeeRate": rate_as_json(split.rate_bps),
        "currency": split.currency,
    }


def rate_as_json(bps: int) -> Decimal:
    """Basis points as a fraction without trailing zeros: 800 -> 0.08."""
    return (Decimal(bps) / 10_000).normalize() if bps else Decimal(0)


def _request_as_json(booking: Booking) -> dict[str, Any] | None:
    """How a request to book stands; None for a booking that needs no answer."""
    known = booking.request
    if not known:
        return None
    unpaid = saved_requests.awaits_payment(booking)
    waits = booking.status is Status.REQUESTED and not unpaid
    return {
        "respondBy": _when(booking.hold_until) if waits else None,
        "keepsPlace": booking.claims_place,
        "authorizedAt": _when(known.get("authorizedAt")),
        "captureBefore": _when(known.get("captureBefore")),
        "savesPaymentMethod": saved_requests.is_saved(booking),
        "savedAt": _when(known.get("savedAt")),
        "acceptedAt": _when(known.get("acceptedAt")),
        "paymentRequired": unpaid and booking.payment.get("intentStatus") != "processing",
        "payBy": _when(known.get("payBy")) if unpaid else None,
        "paymentLink": known.get("paymentLink") if unpaid else None,
        "declineReason": known.get("declineReason"),
    }


def _attendance_as_json(booking: Booking) -> dict[str, Any]:
    """Whether the customer came, and what a no-show gives back."""
    known = booking.attendance
    return {
        "checkInRequired": bool(known.get("required")),
        "checkedInAt": _when(known.get("checkedInAt")),
        "noShowAt": _when(known.get("noShowAt")),
        "noShowRefundPercent": known.get("noShowRefundPercent", 0),
    }


def deadline_as_json(booking: Booking) -> dict[str, Any] | None:
    """Until when the booking's money may lie where it is, and when we send it by ourselves; None
    where none of it does."""
    one = deadlines.following(booking)
    if one is None:
        return None
    return {
        "kind": str(one.kind),
        "lapsesAt": rfc3339(one.lapses_at),
        "actsAt": rfc3339(one.act_at),
        "obstacle": deadlines.obstacle(booking),
    }


def _payment_as_json(booking: Booking) -> dict[str, Any]:
    money, known = booking.money, booking.payment
    failure = known.get("lastFailure")
    return {
        "status": known.get("intentStatus"),
        "paymentIntentId": known.get("intentId"),
        "chargeId": known.get("chargeId"),
        "paidAmount": to_major(money.captured, money.currency),
        "refundedAmount": to_major(money.refunded, money.currency),
        "platformFeeRefunded": to_major(money.fee_refunded, money.currency),
        "lastFailure": None
        if not failure
        else {
            "declineCode": failure["declineCode"] or failure["code"],
            "message": failure["message"],
        },
        "holds": sorted({name.partition(":")[0] for name in booking.holds}),
    }


def _refund_as_json(booking: Booking) -> dict[str, Any] | None:
    """The newest refund, in short; GET_REFUND_STATUS tells how far it has come."""
    last = booking.last_refund
    if last is None:
        return None
    return {
        "refundId": last["id"],
        "refundAmount": to_major(last["amount"], booking.money.currency),
        "currency": booking.money.currency,
        "reason": last["reason"],
        "at": rfc3339(last["at"]),
    }


def _when(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)
