"""From the unpaid booking to the paid one, by every way there is, and back."""

from __future__ import annotations

import pytest
import stripe as stripe_sdk

from tests.functions.acts import maintenance
from tests.support.api import Answer
from tests.support.market import Booking, Market, usd
from tests.support.stripe_control import StripeControl

HOLD_AND_A_MINUTE = 16 * 60


def confirm(market: Market, booking: Booking) -> Answer:
    caller = market.api.as_user(booking.customer)
    return caller.post("booking-processor", "CONFIRM_BOOKING", bookingId=booking.id)


def status(market: Market, booking: Booking) -> str:
    return str(market.booking(booking.id)["status"])


def posted(market: Market, booking: Booking) -> dict[str, int]:
    """How many ledger transactions of each kind a booking has."""
    kinds = [row["kind"] for row in market.ledger(booking.id)]
    return {kind: kinds.count(kind) for kind in kinds}


def test_a_payment_confirms_the_booking_by_webhook(market: Market) -> None:
    booking = market.a_booking(paid=True)
    shown = market.booking(booking.id)
    assert shown["status"] == "CONFIRMED"
    assert shown["payment"]["status"] == "succeeded"
    assert shown["payment"]["paidAmount"] == usd("200.00")
    assert shown["holdExpiresAt"] is None
    assert [step["status"] for step in shown["history"]] == ["PENDING", "CONFIRMED"]
    assert posted(market, booking) == {"charge": 1, "stripe_fee": 1}


def test_confirming_a_paid_booking_again_changes_nothing(market: Market) -> None:
    booking = market.a_booking(paid=True)
    before = market.booking(booking.id)
    told = confirm(market, booking).ok()
    assert (told["bookingId"], told["status"]) == (booking.id, "CONFIRMED")
    assert market.booking(booking.id) == before
    assert posted(market, booking) == {"charge": 1, "stripe_fee": 1}


def test_confirming_before_paying_is_refused_with_stripes_status(market: Market) -> None:
    booking = market.a_booking()
    told = confirm(market, booking).refused(409, "payment_incomplete")
    assert told["paymentStatus"] == "requires_payment_method"
    market.pay(booking, "pm_card_authenticationRequired")
    told = confirm(market, booking).refused(409, "payment_incomplete")
    assert told["paymentStatus"] == "requires_action"
    assert status(market, booking) == "PENDING"


def test_the_same_key_confirms_once_the_payment_is_there(market: Market) -> None:
    booking = market.a_booking()
    caller = market.api.as_user(booking.customer)

    def ask() -> Answer:
        return caller.post(
            "booking-processor", "CONFIRM_BOOKING", idempotency_key="k-1", bookingId=booking.id
        )

    ask().refused(409, "payment_incomplete")
    market.pay(booking)
    assert ask().ok()["status"] == "CONFIRMED"


def test_a_lost_webhook_is_healed_by_confirm_booking(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    control.webhooks("drop")
    market.pay(booking)
    assert status(market, booking) == "PENDING"
    told = confirm(market, booking).ok()
    assert (told["status"], told["booking"]["status"]) == ("CONFIRMED", "CONFIRMED")
    assert posted(market, booking) == {"charge": 1, "stripe_fee": 1}


def test_a_lost_webhook_is_healed_by_the_maintenance_run(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    control.webhooks("drop")
    market.pay(booking)
    assert status(market, booking) == "PENDING"
    assert maintenance(market)["recovered"] >= 1
    assert status(market, booking) == "CONFIRMED"
    assert posted(market, booking) == {"charge": 1, "stripe_fee": 1}


def test_a_webhook_that_comes_after_confirm_booking_changes_nothing(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    control.webhooks("hold")
    market.pay(booking)
    assert confirm(market, booking).ok()["status"] == "CONFIRMED"
    before, ledger = market.booking(booking.id)["history"], posted(market, booking)
    control.webhooks("normal")
    control.release_webhooks()
    control.idle()
    assert market.booking(booking.id)["history"] == before
    assert posted(market, booking) == ledger == {"charge": 1, "stripe_fee": 1}


def test_webhooks_newest_first_come_to_the_same_booking_and_books(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    control.webhooks("reverse")
    with pytest.raises(stripe_sdk.CardError):
        market.pay(booking, "pm_card_chargeDeclined")
    market.pay(booking)
    control.release_webhooks()
    control.webhooks("normal")
    control.idle()
    shown = market.booking(booking.id)
    assert shown["status"] == "CONFIRMED"
    assert shown["payment"]["status"] == "succeeded"
    assert shown["payment"]["lastFailure"] is None
    assert posted(market, booking) == {"charge": 1, "stripe_fee": 1}


@pytest.mark.parametrize(
    ("pm", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ],
)
def test_a_decline_is_recorded_on_the_booking_and_another_card_still_pays(
    market: Market, pm: str, code: str
) -> None:
    booking = market.a_booking()
    with pytest.raises(stripe_sdk.CardError) as declined:
        market.pay(booking, pm)
    assert declined.value.http_status == 402
    market.control.idle()
    shown = market.booking(booking.id)
    assert shown["status"] == "PENDING"
    assert shown["payment"]["lastFailure"]["declineCode"] == code
    assert shown["payment"]["lastFailure"]["message"]
    told = confirm(market, booking).refused(409, "payment_incomplete")
    assert told["paymentStatus"] == "requires_payment_method"
    market.pay(booking)
    shown = market.booking(booking.id)
    assert (shown["status"], shown["payment"]["lastFailure"]) == ("CONFIRMED", None)


def test_three_d_secure_that_succeeds_confirms_the_booking(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    assert market.pay(booking, "pm_card_authenticationRequired").status == "requires_action"
    assert status(market, booking) == "PENDING"
    assert market.booking(booking.id)["payment"]["status"] == "requires_action"
    control.authenticate(booking.payment_intent)
    control.idle()
    assert status(market, booking) == "CONFIRMED"


def test_three_d_secure_that_fails_leaves_the_booking_unpaid_and_says_why(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    market.pay(booking, "pm_card_authenticationRequired")
    control.authenticate(booking.payment_intent, "failed")
    control.idle()
    shown = market.booking(booking.id)
    assert shown["status"] == "PENDING"
    assert shown["payment"]["lastFailure"]["declineCode"] == "payment_intent_authentication_failure"
    assert shown["payment"]["status"] == "requires_payment_method"
    market.pay(booking)
    assert status(market, booking) == "CONFIRMED"


def test_an_unpaid_hold_lapses_after_fifteen_minutes_and_the_place_is_free_at_once(
    market: Market, control: StripeControl
) -> None:
    service = market.a_service(market.a_provider())
    first = market.a_booking(service)
    control.advance(14 * 60)
    assert market.book(service, start=first.start).refused(409)["reason"] == "full"
    control.advance(HOLD_AND_A_MINUTE - 14 * 60)
    second = market.a_booking(service, start=first.start)
    assert status(market, first) == "EXPIRED"
    market.pay(second)
    assert status(market, second) == "CONFIRMED"
    maintenance(market)
    intent = market.stripe.v1.payment_intents.retrieve(first.payment_intent)
    assert intent.status == "canceled"
    assert status(market, first) == "EXPIRED"


def test_the_maintenance_run_expires_unpaid_holds_and_cancels_their_intents(
    market: Market, control: StripeControl
) -> None:
    bookings = [market.a_booking() for _ in range(2)]
    control.advance(HOLD_AND_A_MINUTE)
    assert maintenance(market)["expired"] >= 2
    control.idle()
    for booking in bookings:
        shown = market.booking(booking.id)
        assert shown["status"] == "EXPIRED"
        assert [step["status"] for step in shown["history"]] == ["PENDING", "EXPIRED"]
        intent = market.stripe.v1.payment_intents.retrieve(booking.payment_intent)
        assert intent.status == "canceled"
        assert market.ledger(booking.id) == []
        told = confirm(market, booking).refused(409)
        assert "CONFIRMED" not in told.values()
    with pytest.raises(stripe_sdk.InvalidRequestError):
        market.pay(bookings[0])


def test_a_hold_that_was_paid_while_its_webhook_was_lost_does_not_expire(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    control.webhooks("drop")
    market.pay(booking)
    control.advance(HOLD_AND_A_MINUTE)
    maintenance(market)
    assert status(market, booking) == "CONFIRMED"
    assert posted(market, booking) == {"charge": 1, "stripe_fee": 1}


def test_paid_late_while_nobody_wants_the_place_is_confirmed(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    control.advance(HOLD_AND_A_MINUTE)
    market.pay(booking)
    assert status(market, booking) == "CONFIRMED"


def test_paid_after_expiry_is_confirmed_if_the_place_came_free_again(
    market: Market, control: StripeControl
) -> None:
    service = market.a_service(market.a_provider())
    late = market.a_booking(service)
    control.advance(HOLD_AND_A_MINUTE)
    other = market.a_booking(service, start=late.start)
    assert status(market, late) == "EXPIRED"
    cancelled = market.api.as_user(other.customer).post(
        "booking-processor", "CANCEL_BOOKING", bookingId=other.id
    )
    assert cancelled.ok()["refund"] is None
    market.pay(late)
    shown = market.booking(late.id)
    assert [step["status"] for step in shown["history"]] == ["PENDING", "EXPIRED", "CONFIRMED"]
    assert market.book(service, start=late.start).refused(409)["reason"] == "full"


def test_paid_after_expiry_with_the_place_taken_is_refunded_in_full_and_stays_expired(
    market: Market, control: StripeControl
) -> None:
    service = market.a_service(market.a_provider())
    late = market.a_booking(service)
    control.advance(HOLD_AND_A_MINUTE)
    winner = market.a_booking(service, start=late.start, paid=True)
    market.pay(late)
    shown = market.booking(late.id)
    assert shown["status"] == "EXPIRED"
    assert shown["payment"]["paidAmount"] == usd("200.00")
    assert shown["payment"]["refundedAmount"] == usd("200.00")
    assert shown["payment"]["platformFeeRefunded"] == usd("16.00")
    refunds = market.stripe.v1.refunds.list({"payment_intent": late.payment_intent}).data
    assert [(one.amount, one.status) for one in refunds] == [(200_00, "succeeded")]
    assert posted(market, late) == {"charge": 1, "stripe_fee": 1, "refund": 1}
    assert status(market, winner) == "CONFIRMED"
    told = market.api.as_user(late.customer).post(
        "refund-processor", "GET_REFUND_STATUS", bookingId=late.id
    )
    assert told.status == 200


def test_a_lapsed_hold_that_two_later_customers_want_goes_to_one_of_them(
    market: Market, control: StripeControl
) -> None:
    service = market.a_service(market.a_provider())
    first = market.a_booking(service)
    control.advance(HOLD_AND_A_MINUTE)
    second = market.a_booking(service, start=first.start)
    market.book(service, start=first.start).refused(409)
    control.advance(HOLD_AND_A_MINUTE)
    third = market.a_booking(service, start=first.start)
    assert [status(market, one) for one in (first, second, third)] == [
        "EXPIRED",
        "EXPIRED",
        "PENDING",
    ]
    maintenance(market)
    canceled = [
        market.stripe.v1.payment_intents.retrieve(one.payment_intent).status
        for one in (first, second, third)
    ]
    assert canceled == ["canceled", "canceled", "requires_payment_method"]


def test_earnings_of_a_paid_booking_are_held_until_it_is_completed(market: Market) -> None:
    booking = market.a_booking(paid=True)
    provider = booking.service.provider
    asked = market.api.as_user(provider.uid)
    told = asked.post("payout-manager", "CALCULATE_EARNINGS", providerId=provider.uid).ok()
    assert told["totalEarnings"] == 0
    assert told["heldEarnings"] == usd("184.00")
