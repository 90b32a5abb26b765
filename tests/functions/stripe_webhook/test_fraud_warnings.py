"""Early fraud warnings: a small payment goes back before it is disputed, a large one waits."""

from __future__ import annotations

import pytest

from emulator.stack.handle import RunningStack
from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    arrive,
    as_customer,
    as_provider,
    charge_of,
    earnings,
    maintenance,
    operations_left,
    payout,
    refund,
    refunds_of,
    transfers_of,
)
from tests.functions.books import COMMISSION, HELD, booking_sums, books_balance, debt, provider_sums
from tests.functions.deliveries import Endpoint, an_event
from tests.support.api import Api
from tests.support.market import Booking, Market, usd


@pytest.fixture
def endpoint(stack: RunningStack, api: Api) -> Endpoint:
    return Endpoint.of(stack, api)


def warn(market: Market, booking: Booking) -> None:
    market.control.call("POST", "early_fraud_warnings", {"charge": charge_of(market, booking)})
    market.control.idle()


def test_a_payment_of_no_more_than_a_disputes_fee_is_refunded_at_once(market: Market) -> None:
    booking = a_paid_booking(market, price=15)
    warn(market, booking)
    shown = market.booking(booking.id)
    assert (shown["status"], shown["refund"]["reason"]) == ("REFUNDED", "fraudulent")
    (made,) = refunds_of(market, booking)
    assert (made.amount, made.reason) == (15_00, "fraudulent")
    assert market.book(booking.service, start=booking.start).status == 200
    assert {HELD, COMMISSION} & set(booking_sums(market, booking)) == set()
    stored = market.db.collection("refunds").document(shown["refund"]["refundId"]).get()
    assert (stored.to_dict() or {})["requestedBy"] == "system"
    assert shown["history"][-1]["status"] == "REFUNDED"
    books_balance(market, booking)


def test_one_cent_more_is_held_for_an_operator(market: Market) -> None:
    booking = a_completed_booking(market, price="15.01")
    provider = booking.service.provider
    warn(market, booking)
    assert refunds_of(market, booking) == []
    assert market.booking(booking.id)["payment"]["holds"] == ["fraud_warning"]
    found = earnings(market, provider)
    assert (found["totalEarnings"], found["heldEarnings"]) == (0, usd("13.81"))
    payout(market, provider).refused(400)
    books_balance(market, booking)


def test_what_counts_is_what_is_left_of_the_payment(market: Market) -> None:
    booking = a_completed_booking(market)
    refund(market, booking, 190).ok()
    market.control.idle()
    warn(market, booking)
    assert [one.amount for one in refunds_of(market, booking)] == [190_00, 10_00]
    assert market.booking(booking.id)["status"] == "REFUNDED"
    books_balance(market, booking)


def test_a_small_payment_that_was_paid_out_is_the_providers_debt(market: Market) -> None:
    booking = a_completed_booking(market, price=10)
    provider = booking.service.provider
    payout(market, provider).ok()
    arrive(market)
    warn(market, booking)
    assert [one.amount for one in refunds_of(market, booking)] == [10_00]
    assert provider_sums(market, provider)[debt(provider)] == 9_20
    books_balance(market, booking)


def test_a_cancelled_bookings_small_rest_goes_back_too(market: Market) -> None:
    half = [{"hoursBefore": 1, "refundPercent": 50}]
    booking = a_paid_booking(market, price=20, cancellationPolicy=half)
    as_customer(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
    market.control.idle()
    warn(market, booking)
    assert [one.amount for one in refunds_of(market, booking)] == [10_00, 10_00]
    assert market.booking(booking.id)["status"] == "CANCELLED"
    assert earnings(market, booking.service.provider)["totalEarnings"] == 0
    books_balance(market, booking)


def test_a_warning_that_comes_after_the_dispute_gives_nothing_back(market: Market) -> None:
    booking = a_paid_booking(market, price=10)
    market.control.dispute(charge_of(market, booking))
    market.control.idle()
    warn(market, booking)
    assert refunds_of(market, booking) == []
    assert market.booking(booking.id)["payment"]["holds"] == ["dispute", "fraud_warning"]
    books_balance(market, booking)


def test_a_warning_that_comes_before_the_payments_own_event_refunds_it(market: Market) -> None:
    booking = market.a_booking(market.a_service(market.a_provider(), price=10))
    market.control.webhooks("reverse")
    market.pay(booking, "pm_card_createIssuerFraudRecord", wait=False)
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert market.booking(booking.id)["status"] == "REFUNDED"
    assert [one.amount for one in refunds_of(market, booking)] == [10_00]
    books_balance(market, booking)


@pytest.mark.parametrize("mode", ["duplicate", "reverse"])
def test_a_warning_heard_twice_or_late_is_one_refund(market: Market, mode: str) -> None:
    booking = a_completed_booking(market, price=10)
    market.control.webhooks(mode)
    warn(market, booking)
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert [one.amount for one in refunds_of(market, booking)] == [10_00]
    books_balance(market, booking)


def test_what_stripe_refuses_to_give_back_stays_held(market: Market) -> None:
    booking = a_completed_booking(market, price=10)
    provider = booking.service.provider
    refused = {"status": 400, "code": "charge_disputed"}
    market.control.fault("POST", "/v1/refunds", "error_before", **refused)
    warn(market, booking)
    shown = market.booking(booking.id)
    assert (shown["status"], shown["payment"]["holds"]) == ("COMPLETED", ["fraud_warning"])
    assert earnings(market, provider)["heldEarnings"] == usd("9.20")
    assert transfers_of(market, booking) == []
    books_balance(market, booking)


def test_a_refund_whose_answer_was_lost_is_finished_and_made_once(market: Market) -> None:
    booking = a_completed_booking(market, price=10)
    market.control.fault("POST", "/v1/refunds", "reset_after", times=2)
    market.control.fault("GET", "/v1/refunds", "error_before", status=500, times=4)
    warn(market, booking)
    market.control.clear_faults()
    market.control.advance(10)
    maintenance(market)
    market.control.idle()
    assert [one.amount for one in refunds_of(market, booking)] == [10_00]
    assert market.booking(booking.id)["status"] == "REFUNDED"
    assert operations_left(market, "bookingId", booking.id) == []
    books_balance(market, booking)


def test_a_provider_cannot_cancel_what_is_being_refunded(market: Market) -> None:
    booking = a_paid_booking(market, price=10)
    warn(market, booking)
    refused = as_provider(market, booking, "booking-processor", "CANCEL_BOOKING").refused(409)
    assert refused["currentStatus"] == "REFUNDED"
    books_balance(market, booking)


def test_a_warning_of_nobodys_payment_is_ignored(market: Market, endpoint: Endpoint) -> None:
    warning = {"id": "issfr_nobody", "charge": "ch_nobody", "actionable": True}
    told = endpoint.deliver(an_event("radar.early_fraud_warning.created", warning))
    assert told.ok()["outcome"] == "ignored"
