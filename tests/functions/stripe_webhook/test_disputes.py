"""Card disputes, early fraud warnings and reviews: earnings wait, then come back or are taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    a_provider_at_bank,
    arrive,
    as_operator,
    charge_of,
    earnings,
    payout,
    refund,
    soon,
    transfers_of,
)
from tests.functions.books import (
    COMMISSION,
    DISPUTES,
    HELD,
    STRIPE,
    STRIPE_FEES,
    booking_sums,
    books_balance,
    connected,
    debt,
    owed,
    provider_sums,
)
from tests.support.market import Booking, Market, usd

FEE = 15_00


def dispute(market: Market, booking: Booking, outcome: str | None = None) -> None:
    market.control.dispute(charge_of(market, booking), outcome=outcome)
    market.control.idle()


def test_a_dispute_freezes_a_completed_booking_until_it_is_won(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    fees = booking_sums(market, booking)[STRIPE_FEES]
    dispute(market, booking)
    assert market.booking(booking.id)["status"] == "DISPUTED"
    assert earnings(market, provider)["totalEarnings"] == 0
    assert earnings(market, provider)["heldEarnings"] == usd("184.00")
    assert payout(market, provider).refused(400)["available"] == 0
    totals = booking_sums(market, booking)
    assert totals[DISPUTES] == 200_00
    assert totals[STRIPE_FEES] == fees + FEE
    books_balance(market, booking)
    dispute(market, booking, "won")
    assert market.booking(booking.id)["status"] == "COMPLETED"
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    totals = booking_sums(market, booking)
    assert DISPUTES not in totals
    assert totals[STRIPE_FEES] == fees + FEE  # Stripe keeps its fee
    assert payout(market, provider).ok()["amount"] == usd("184.00")
    market.control.idle()
    books_balance(market, booking)


def test_a_confirmed_booking_whose_dispute_is_won_is_confirmed_again(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market))
    dispute(market, booking)
    assert market.booking(booking.id)["status"] == "DISPUTED"
    refund(market, booking, 10).refused(400)
    as_operator(market, booking, "booking-processor", "CANCEL_BOOKING").refused(409)
    dispute(market, booking, "won")
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    assert market.complete(booking)["status"] == "COMPLETED"
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_a_dispute_lost_before_the_service_is_a_refund_out_of_what_is_held(market: Market) -> None:
    booking = a_paid_booking(market)
    provider = booking.service.provider
    dispute(market, booking)
    dispute(market, booking, "lost")
    assert market.booking(booking.id)["status"] == "REFUNDED"
    assert earnings(market, provider)["heldEarnings"] == 0
    totals = booking_sums(market, booking)
    assert {HELD, DISPUTES, COMMISSION, owed(provider)} & set(totals) == set()
    assert totals[STRIPE] == -totals[STRIPE_FEES]
    assert market.book(booking.service, start=booking.start).status == 200
    books_balance(market, booking)


def test_a_dispute_lost_before_the_transfer_takes_the_earnings(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    dispute(market, booking, "lost")
    assert market.booking(booking.id)["status"] == "REFUNDED"
    assert earnings(market, provider)["totalEarnings"] == 0
    totals = booking_sums(market, booking)
    assert {DISPUTES, COMMISSION, owed(provider), debt(provider)} & set(totals) == set()
    assert transfers_of(market, booking) == []
    books_balance(market, booking)


def test_a_dispute_lost_after_the_transfer_reverses_it(market: Market) -> None:
    provider = a_provider_at_bank(market, "000111111116")
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)  # and back again
    dispute(market, booking)
    assert transfers_of(market, booking)[0].amount_reversed == 0
    dispute(market, booking, "lost")
    assert transfers_of(market, booking)[0].amount_reversed == 184_00
    totals = provider_sums(market, provider)
    assert {DISPUTES, connected(provider), owed(provider), debt(provider)} & set(totals) == set()
    books_balance(market, booking)


def test_a_dispute_lost_after_the_payout_is_the_providers_debt(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    payout(market, provider).ok()
    arrive(market)
    dispute(market, booking, "lost")
    totals = provider_sums(market, provider)
    assert totals[debt(provider)] == 184_00
    assert COMMISSION not in booking_sums(market, booking)
    second = a_completed_booking(market, provider, price=300)
    assert earnings(market, provider)["totalEarnings"] == usd("92.00")
    books_balance(market, booking, second)


def test_a_dispute_after_a_partial_refund_takes_only_what_was_left(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    refund(market, booking, 50).ok()
    market.control.idle()
    dispute(market, booking, "lost")
    assert market.booking(booking.id)["status"] == "REFUNDED"
    totals = booking_sums(market, booking)
    assert {DISPUTES, COMMISSION, owed(provider)} & set(totals) == set()
    books_balance(market, booking)


@pytest.mark.parametrize("mode", ["duplicate", "reverse"])
def test_dispute_events_twice_or_backwards_leave_the_same_books(market: Market, mode: str) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    market.control.webhooks(mode)
    market.control.dispute(charge_of(market, booking))
    market.control.dispute(charge_of(market, booking), outcome="lost")
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert market.booking(booking.id)["status"] == "REFUNDED"
    totals = booking_sums(market, booking)
    assert {DISPUTES, COMMISSION, owed(provider)} & set(totals) == set()
    books_balance(market, booking)


def test_an_inquiry_holds_the_earnings_and_takes_no_money(market: Market) -> None:
    booking = a_completed_booking(market, pm="pm_card_createDisputeInquiry")
    provider = booking.service.provider
    market.control.idle()
    assert earnings(market, provider)["totalEarnings"] == 0
    assert DISPUTES not in booking_sums(market, booking)
    dispute(market, booking, "won")
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_a_disputed_booking_leaves_a_payout_that_waits_for_its_date(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    date = market.control.now().replace(microsecond=0)

    sent = payout(market, provider, scheduledDate=(date + timedelta(hours=1)).isoformat()).ok()
    dispute(market, booking)
    market.control.advance(3601)
    market.api.as_operator().post("payout-manager", "RUN_SCHEDULED_PAYOUTS").ok()
    market.control.idle()
    assert transfers_of(market, booking) == []
    stored = market.db.collection("payouts").document(sent["payoutId"]).get().to_dict() or {}
    assert stored["status"] != "PROCESSING"
    dispute(market, booking, "won")
    books_balance(market, booking)


def test_an_early_fraud_warning_holds_the_earnings(market: Market) -> None:
    booking = a_completed_booking(market, pm="pm_card_createIssuerFraudRecord")
    provider = booking.service.provider
    market.control.idle()
    told = earnings(market, provider)
    assert (told["totalEarnings"], told["heldEarnings"]) == (0, usd("184.00"))
    payout(market, provider).refused(400)
    refund(market, booking).ok()
    market.control.idle()
    assert earnings(market, provider)["heldEarnings"] == 0
    books_balance(market, booking)


@pytest.mark.parametrize(("reason", "free"), [("approved", True), ("refunded_as_fraud", False)])
def test_a_review_holds_the_earnings_until_it_is_approved(
    market: Market, reason: str, free: bool
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    review = market.control.call("POST", "reviews", {"charge": charge_of(market, booking)})
    market.control.idle()
    assert earnings(market, provider)["totalEarnings"] == 0
    payout(market, provider).refused(400)
    market.control.call("POST", f"reviews/{review['id']}/close", {"reason": reason})
    market.control.idle()
    expected = usd("184.00") if free else 0
    assert earnings(market, provider)["totalEarnings"] == expected
    books_balance(market, booking)
