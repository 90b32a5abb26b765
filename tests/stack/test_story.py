"""The parts of the stack play together: one booking's life, and a death in the middle of one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe as stripe_sdk

from tests.stack.test_process import until
from tests.support.market import Market, fresh, usd
from tests.support.stripe_control import StripeControl


def test_a_booking_is_made_paid_and_completed_and_its_ledger_balances(market: Market) -> None:
    booking = market.a_booking(market.a_service(market.a_provider(), price=200))
    assert booking.json["status"] == "PENDING"
    assert booking.json["pricing"]["totalAmount"] == usd("200.00")
    assert market.pay(booking).status == "succeeded"
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    assert market.complete(booking)["status"] == "COMPLETED"
    ledger = market.ledger(booking.id)
    assert ledger
    for transaction in ledger:
        assert sum(entry["amount"] for entry in transaction["entries"]) == 0


def test_a_declined_card_is_the_sdks_card_error_and_leaves_the_booking_unpaid(
    market: Market,
) -> None:
    booking = market.a_booking()
    with pytest.raises(stripe_sdk.CardError):
        market.pay(booking, "pm_card_chargeDeclined")
    market.control.idle()
    assert market.booking(booking.id)["status"] == "PENDING"


def test_a_process_killed_by_a_fault_answers_503_and_the_same_request_then_goes_on(
    market: Market, control: StripeControl
) -> None:
    service = market.a_service(market.a_provider())
    customer, key = fresh("customer"), fresh("key")
    start = control.now() + timedelta(days=3)
    answers = []

    def booked() -> bool:
        """Send the very same request once more."""
        answer = market.book(service, customer=customer, start=start, idempotency_key=key)
        answers.append(answer)
        return answer.status == 200

    control.fault("POST", "/v1/payment_intents", "kill_after")
    assert not booked()
    assert answers[0].refused(503, "unavailable")
    until(booked, seconds=30)
    intents = market.stripe.v1.payment_intents.list({"limit": 100}).data
    booking_id = answers[-1].json["bookingId"]
    assert len([intent for intent in intents if intent.transfer_group == booking_id]) == 1
