"""A paid period of a subscription: earned, paid out, refunded and disputed like any booking."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from stripe import StripeError

from tests.functions.acts import (
    AT_ONCE,
    arrive,
    as_customer,
    as_operator,
    as_provider,
    charge_of,
    earnings,
    payout,
    payout_statuses,
    refund,
    refunds_of,
    transfers_of,
)
from tests.functions.books import COMMISSION, HELD, booking_sums, books_balance, owed
from tests.support.market import Market, usd
from tests.support.subscriptions import (
    HOUR,
    Subscription,
    a_recurring_service,
    a_subscription,
    period_of,
    periods_of,
    record_of,
    renew,
)

DAY = 24 * HOUR


def pays_with(market: Market, subscription: Subscription, card: str) -> None:
    """The customer names another card for the renewals, by Stripe's own page."""
    customer = str(market.stripe.v1.subscriptions.retrieve(subscription.id).customer)
    added = market.stripe.v1.payment_methods.attach(card, {"customer": customer})
    market.stripe.v1.subscriptions.update(subscription.id, {"default_payment_method": added.id})


def test_a_paid_period_earns_the_provider_92_percent_at_once(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    period = period_of(market, sub)
    shown = market.booking(period.id)
    assert (shown["status"], shown["subscriptionId"]) == ("COMPLETED", sub.id)
    assert shown["pricing"]["providerEarnings"] == usd("36.80")
    lapses = datetime.fromisoformat(shown["payoutDeadline"]["lapsesAt"])
    assert lapses - market.control.now() > timedelta(days=729)  # the platform is in the US
    sums = booking_sums(market, period)
    assert sums[owed(sub.service.provider)] == -36_80
    assert sums[COMMISSION] == -3_20
    assert HELD not in sums
    told = earnings(market, sub.service.provider)
    assert told["totalEarnings"] == usd("36.80")
    assert [one["bookingId"] for one in told["eligibleBookings"]] == [period.id]
    books_balance(market, period)


def test_every_renewal_earns_again_and_one_payout_pays_both(market: Market) -> None:
    sub = a_subscription(market, paid=True, pm=AT_ONCE)
    renew(market, sub)
    first, second = period_of(market, sub, 0), period_of(market, sub, 1)
    assert first.end == second.start
    told = payout(market, sub.service.provider).ok()
    assert told["amount"] == usd("73.60")
    arrive(market)
    assert payout_statuses(market, sub.service.provider) == ["PAID"]
    for period in (first, second):
        assert [one.amount for one in transfers_of(market, period)] == [36_80]
    books_balance(market, first, second)


def test_weeks_and_years_renew_too(market: Market) -> None:
    weekly = a_subscription(market, a_recurring_service(market, billingInterval="WEEK"), paid=True)
    renew(market, weekly)
    first, second = periods_of(market, weekly)
    assert (first["end"] - first["start"]).days == (second["end"] - second["start"]).days == 7
    yearly = a_subscription(market, a_recurring_service(market, billingInterval="YEAR"), paid=True)
    [year] = periods_of(market, yearly)
    assert (year["end"] - year["start"]).days in (365, 366)


def test_a_renewal_that_is_declined_is_past_due_and_paid_by_another_card(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    pays_with(market, sub, "pm_card_chargeCustomerFail")
    renew(market, sub)
    late = record_of(market, sub)
    assert late["status"] == "PAST_DUE"
    assert late["lastInvoice"]["attempts"] == 1
    assert late["lastInvoice"]["nextAttemptAt"] is not None
    assert late["lastFailure"]["message"]
    assert len(periods_of(market, sub)) == 1
    pays_with(market, sub, "pm_card_visa")
    market.control.advance(3 * DAY + 1)  # Stripe tries again by itself
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert record_of(market, sub)["lastFailure"] is None
    assert len(periods_of(market, sub)) == 2
    books_balance(market, period_of(market, sub))


def test_a_customer_pays_what_is_past_due_with_a_fresh_secret(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    pays_with(market, sub, "pm_card_chargeCustomerFail")
    renew(market, sub)
    again = market.api.as_user(sub.customer).post(
        "stripe-connect",
        "CREATE_SUBSCRIPTION",
        serviceId=sub.service.id,
        customerEmail=f"{sub.customer}@example.com",
    )
    told = again.ok()
    assert (told["subscriptionId"], told["status"]) == (sub.id, "PAST_DUE")
    market.pay(str(told["clientSecret"]))
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert len(periods_of(market, sub)) == 2


def test_a_renewal_that_is_never_paid_ends_the_subscription(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    pays_with(market, sub, "pm_card_chargeCustomerFail")
    renew(market, sub)
    for days in (3, 5, 7):
        market.control.advance(days * DAY + 1)
    assert record_of(market, sub)["status"] == "CANCELLED"
    assert len(periods_of(market, sub)) == 1
    assert earnings(market, sub.service.provider)["totalEarnings"] == usd("36.80")


def test_an_operator_refunds_a_part_of_a_period_and_the_fee_in_proportion(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    period = period_of(market, sub)
    told = refund(market, period, 10).ok()
    assert told["platformFeeRefunded"] == usd("0.80")
    assert told["booking"]["status"] == "COMPLETED"
    market.control.idle()
    assert [one.amount for one in refunds_of(market, period)] == [10_00]
    assert earnings(market, sub.service.provider)["totalEarnings"] == usd("27.60")
    books_balance(market, period)


def test_a_period_that_was_paid_out_is_refunded_in_full_out_of_the_connected_balance(
    market: Market,
) -> None:
    sub = a_subscription(market, paid=True)
    period = period_of(market, sub)
    payout(market, sub.service.provider).ok()  # its funds are pending: only the transfer is made
    told = refund(market, period).ok()
    market.control.idle()
    assert told["refundAmount"] == usd("40.00")
    assert market.booking(period.id)["status"] == "REFUNDED"
    assert [one.amount_reversed for one in transfers_of(market, period)] == [36_80]
    assert record_of(market, sub)["status"] == "ACTIVE"
    books_balance(market, period)


def test_a_refund_made_by_hand_at_stripe_is_the_periods(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    period = period_of(market, sub)
    by_hand: Any = {"charge": charge_of(market, period), "amount": 5_00}
    market.stripe.v1.refunds.create(by_hand)
    market.control.idle()
    assert market.booking(period.id)["refund"]["refundAmount"] == usd("5.00")
    books_balance(market, period)


def test_a_disputed_period_is_frozen_and_a_lost_one_taken_back(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    period = period_of(market, sub)
    market.control.dispute(charge_of(market, period))
    market.control.idle()
    assert market.booking(period.id)["status"] == "DISPUTED"
    assert earnings(market, sub.service.provider)["totalEarnings"] == 0
    market.control.dispute(charge_of(market, period), outcome="lost")
    market.control.idle()
    assert market.booking(period.id)["status"] == "REFUNDED"
    books_balance(market, period)


def test_a_period_is_no_booking_to_be_cancelled_completed_or_refunded_by_its_customer(
    market: Market,
) -> None:
    period = period_of(market, a_subscription(market, paid=True))
    as_customer(market, period, "booking-processor", "CANCEL_BOOKING").refused(409, "wrong_state")
    done = as_provider(market, period, "booking-processor", "COMPLETE_BOOKING").ok()
    assert done["status"] == "COMPLETED"  # it was so already
    mine = as_customer(market, period, "refund-processor", "PROCESS_REFUND").refused(400)
    assert mine["currentStatus"] == "COMPLETED"
    quote = as_operator(market, period, "refund-processor", "CALCULATE_REFUND").ok()
    assert quote["refundAmount"] == usd("40.00")


def test_a_changed_quantity_earns_of_what_was_charged(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    item = market.stripe.v1.subscriptions.retrieve(sub.id)["items"].data[0].id
    more: Any = {"items": [{"id": item, "quantity": 3}], "proration_behavior": "none"}
    market.stripe.v1.subscriptions.update(sub.id, more)
    renew(market, sub)
    assert [one["money"]["due"] for one in periods_of(market, sub)] == [36_80, 110_40]
    books_balance(market, period_of(market, sub))


def test_an_invoice_paid_outside_of_stripe_moves_nothing_and_earns_nothing(market: Market) -> None:
    sub = a_subscription(market)
    invoice = str(market.stripe.v1.subscriptions.retrieve(sub.id).latest_invoice)
    market.stripe.v1.invoices.pay(invoice, {"paid_out_of_band": True})
    market.control.idle()
    assert record_of(market, sub)["status"] == "ACTIVE"
    assert periods_of(market, sub) == []


def test_a_subscriptions_periods_are_shown_with_it_newest_first(market: Market) -> None:
    sub = a_subscription(market, paid=True)
    renew(market, sub)
    told = market.api.as_user(sub.customer).post(
        "stripe-connect", "GET_SUBSCRIPTION", subscriptionId=sub.id
    )
    shown = [one["id"] for one in told.ok()["periods"]]
    assert shown == [doc["id"] for doc in reversed(periods_of(market, sub))]
    with suppress(StripeError):
        market.stripe.v1.subscriptions.cancel(sub.id)
