"""When a payment is refunded at an early fraud warning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.bookings.model import Booking
from common.bookings.status import Status
from common.disputes.fraud_warning import HOLD, cheaper_to_refund, held
from tests.unit.common.bookings.builders import a_booking, earned

FEES = {"USD": 15_00, "JPY": 1_300}
WARNING = {"id": "issfr_1", "actionable": True}


@pytest.mark.parametrize(
    ("total", "refunded", "currency", "refund"),
    [
        (15_00, 0, "USD", True),
        (15_01, 0, "USD", False),
        (200_00, 185_00, "USD", True),
        (200_00, 184_99, "USD", False),
        (15_00, 15_00, "USD", False),
        (1_300, 0, "JPY", True),
        (1_301, 0, "JPY", False),
        (1_00, 0, "EUR", False),
    ],
)
def test_a_payment_goes_back_where_no_more_is_left_than_a_dispute_costs(
    total: int, refunded: int, currency: str, refund: bool
) -> None:
    booking = a_booking(total=total, refunded=refunded, currency=currency)
    assert cheaper_to_refund(booking, WARNING, FEES) is refund


@pytest.mark.parametrize("status", list(Status))
def test_only_money_that_is_ours_goes_back(status: Status) -> None:
    ours = (Status.CONFIRMED, Status.COMPLETED, Status.CANCELLED)
    booking = a_booking(total=10_00, status=status)
    assert cheaper_to_refund(booking, WARNING, FEES) is (status in ours)


@pytest.mark.parametrize("booking", [a_booking(total=10_00), earned(a_booking(total=10_00))])
def test_a_payment_that_is_disputed_already_is_the_banks(booking: Booking) -> None:
    assert cheaper_to_refund(booking, WARNING, FEES)
    assert not cheaper_to_refund(booking, {**WARNING, "actionable": False}, FEES)
    assert not cheaper_to_refund(replace(booking, holds={"dispute": "dp_1"}), WARNING, FEES)
    assert not cheaper_to_refund(booking, WARNING, {})


def test_a_warning_holds_beside_what_holds_already() -> None:
    booking = replace(a_booking(), holds={"review": "prv_1"})
    assert held(booking, WARNING).holds == {"review": "prv_1", HOLD: "issfr_1"}
