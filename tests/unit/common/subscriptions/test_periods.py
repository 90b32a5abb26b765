"""A paid period as a booking: what it is about, and how what was charged divides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.bookings.documents import from_document, to_document
from common.bookings.payment import Paid
from common.bookings.status import Status
from common.subscriptions.periods import Period, confirmed, span
from tests.unit.common.subscriptions.test_model import NOW, TERMS

START, END = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def a_period(amount: int = 40_00, currency: str = "USD") -> Period:
    paid = Paid("pi_1", "ch_1", amount, currency, {"chargeId": "ch_1"})
    return Period("sub_1", TERMS, "in_1", True, START, END, paid)


def line(start: int, end: int, *, proration: bool = False) -> dict[str, Any]:
    details = {"subscription_item_details": {"proration": proration}}
    return {"period": {"start": start, "end": end}, "parent": details}


def test_a_period_is_a_paid_booking_without_a_place() -> None:
    booking = confirmed(a_period(), NOW, "invoice.paid")
    assert (booking.id, booking.mode, booking.status) == (
        "period-pi_1",
        "SUBSCRIPTION",
        Status.CONFIRMED,
    )
    assert not booking.takes_time
    assert (booking.start, booking.end) == (START, END)
    assert booking.payment["invoiceId"] == "in_1"
    assert booking.money.captured == booking.money.total == 40_00
    assert from_document(booking.id, to_document(booking)) == replace(booking, holds={})


@given(st.integers(1, 99_999_999), st.sampled_from(["USD", "JPY"]))
def test_what_was_charged_divides_by_the_subscriptions_rate(amount: int, currency: str) -> None:
    money = confirmed(a_period(amount, currency), NOW, "invoice.paid").money
    assert money.fee + money.provider == money.total == amount
    assert abs(money.fee * 10_000 - amount * 800) <= 5_000
    assert money.currency == currency


def test_a_proration_is_about_another_time_than_the_period() -> None:
    held = [line(100, 200, proration=True), line(200, 300)]
    assert _seconds(held) == (200, 300)
    assert _seconds([line(100, 200, proration=True)]) == (100, 200)
    assert _seconds([]) == (1, 2)


def _seconds(lines: list[dict[str, Any]]) -> tuple[int, int]:
    invoice = {"period_start": 1, "period_end": 2, "lines": {"data": lines}}
    start, end = span(invoice)
    return int(start.timestamp()), int(end.timestamp())
