"""Requests further ahead than an authorisation lives: accepted first, charged then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from stripe import CardError

from tests.functions.acts import (
    as_customer,
    as_operator,
    as_provider,
    maintenance,
    operations_left,
    payout,
    soon,
    together,
)
from tests.functions.books import HELD, STRIPE, booking_sums, books_balance
from tests.support.api import Answer
from tests.support.market import Booking, Market, Provider, fresh, usd

BOOKINGS = "booking-processor"
#: Its bank wants the customer at every payment.
NEEDS_CUSTOMER = "pm_card_authenticationRequired"
#: It can be saved, and no charge of it goes through.
NEVER_PAYS = "pm_card_chargeCustomerFail"


def a_far_request(
    market: Market,
    provider: Provider | None = None,
    *,
    start: datetime | None = None,
    saved: bool = True,
    pm: str = "pm_card_visa",
    **service: Any,
) -> Booking:
    """A request weeks ahead, of a customer who has saved a card."""
    offered = market.a_service(provider or market.a_provider(), bookingMode="REQUEST", **service)
    booking = market.a_booking(offered, start=start or soon(market, days=20))
    if saved:
        save(market, booking, pm)
    return booking


def save(market: Market, booking: Booking, pm: str) -> None:
    """Save a card in the customer's browser; one whose bank asks is authenticated there."""
    setup = market.save(booking, pm)
    if setup.status == "requires_action":
        market.control.authenticate(setup.id)
        market.control.idle()


def accept(market: Market, booking: Booking, **fields: Any) -> Answer:
    return as_provider(market, booking, BOOKINGS, "CONFIRM_BOOKING", **fields)


def cancel(market: Market, booking: Booking) -> Answer:
    return as_customer(market, booking, BOOKINGS, "CANCEL_BOOKING")


def to_pay(market: Market, booking: Booking) -> Answer:
    return as_customer(market, booking, "stripe-connect", "CREATE_PAYMENT_INTENT")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def document(market: Market, booking: Booking) -> dict[str, Any]:
    found: dict[str, Any] | None = (
        market.db.collection("bookings").document(booking.id).get().to_dict()
    )
    assert found is not None
    return found


def setup_of(market: Market, booking: Booking) -> Any:
    return market.stripe.v1.setup_intents.retrieve(booking.client_secret.split("_secret_")[0])


def charged(market: Market, booking: Booking) -> Booking:
    """The booking by the payment intent that its acceptance has made."""
    intent = document(market, booking)["payment"].get("intentId", "pi_none")
    return replace(booking, client_secret=f"{intent}_secret_of_nobody")


def intents_of(market: Market, booking: Booking) -> list[Any]:
    """The payment intents at Stripe that bear the booking's name."""
    customer = document(market, booking)["request"]["stripeCustomer"]
    listed = market.stripe.v1.payment_intents.list({"customer": customer, "limit": 100}).data
    return [one for one in listed if one.metadata["bookingId"] == booking.id]


def forgotten(market: Market, booking: Booking) -> bool:
    """Whether nothing of the customer's is kept at Stripe for this booking."""
    setup = setup_of(market, booking)
    if setup.status == "canceled":
        return True
    return market.stripe.v1.payment_methods.retrieve(setup.payment_method).customer is None


def nothing_left(market: Market, booking: Booking) -> None:
    """Webhooks are delivered, operations finished, and the books are right."""
    market.control.idle()
    market.control.advance(10)
    assert maintenance(market)["failed"] == 0
    market.control.idle()
    assert operations_left(market, "bookingId", booking.id) == []
    if document(market, booking)["payment"].get("intentId"):
        books_balance(market, charged(market, booking))
    else:
        assert market.ledger(booking.id) == []


def test_a_far_request_is_saved_then_accepted_and_charged(market: Market) -> None:
    booking = a_far_request(market, saved=False)
    assert booking.client_secret.startswith("seti_")
    assert setup_of(market, booking).usage == "off_session"
    assert booking.json["request"]["savesPaymentMethod"] is True
    market.save(booking)
    waiting = market.booking(booking.id)
    assert (waiting["status"], waiting["request"]["paymentRequired"]) == ("REQUESTED", False)
    saved_at = moment(waiting["request"]["savedAt"])
    assert moment(waiting["request"]["respondBy"]) == saved_at + timedelta(days=6)
    assert market.ledger(booking.id) == []
    told = accept(market, booking).ok()
    assert (told["status"], told["booking"]["payment"]["paidAmount"]) == (
        "CONFIRMED",
        usd("200.00"),
    )
    market.control.idle()
    (intent,) = intents_of(market, booking)
    assert (intent.status, intent.amount, intent.transfer_group) == (
        "succeeded",
        200_00,
        booking.id,
    )
    paid = charged(market, booking)
    sums = booking_sums(market, booking)
    assert (sums[STRIPE], sums[HELD]) == (200_00 - 6_10, -200_00)
    assert accept(market, booking).ok()["status"] == "CONFIRMED"
    market.complete(booking)
    assert payout(market, booking.service.provider).ok()["amount"] == usd("184.00")
    market.control.idle()
    books_balance(market, paid)


def test_only_a_request_more_than_seven_days_ahead_is_saved(market: Market) -> None:
    provider = market.a_provider()
    near = a_far_request(market, provider, start=soon(market, days=7), saved=False)
    assert near.client_secret.startswith("pi_")
    far = a_far_request(market, provider, start=soon(market, days=7, minutes=1), saved=False)
    assert far.client_secret.startswith("seti_")
    instant = market.a_booking(market.a_service(provider), start=soon(market, days=20))
    assert instant.client_secret.startswith("pi_")


def test_a_customer_is_made_once_at_stripe(market: Market) -> None:
    service = market.a_service(market.a_provider(), bookingMode="REQUEST")
    who = fresh("customer")
    first = market.a_booking(service, customer=who, start=soon(market, days=20))
    second = market.a_booking(service, customer=who, start=soon(market, days=21))
    customers = {setup_of(market, one).customer for one in (first, second)}
    assert len(customers) == 1
    assert len(market.stripe.v1.customers.list({"email": f"{who}@example.com"}).data) == 1


def test_a_far_request_without_room_makes_nothing_at_stripe(market: Market) -> None:
    booking = a_far_request(market)
    who = fresh("customer")
    taken = market.book(booking.service, customer=who, start=booking.start)
    assert taken.refused(409)["reason"] == "full"
    assert market.stripe.v1.customers.list({"email": f"{who}@example.com"}).data == []


def test_a_repeated_request_to_book_gives_the_same_booking_and_secret(market: Market) -> None:
    service = market.a_service(market.a_provider(), bookingMode="REQUEST")
    who, key, start = fresh("customer"), fresh("key"), soon(market, days=20)
    first = market.book(service, customer=who, start=start, idempotency_key=key).ok()
    again = market.book(service, customer=who, start=start, idempotency_key=key).ok()
    assert again == first
    assert first["clientSecret"].startswith("seti_")
    stored = [one.to_dict() for one in market.db.collection("idempotency").stream()]
    assert first["clientSecret"] not in str(stored)
    assert first["clientSecret"] not in str(
        market.db.collection("bookings").document(first["bookingId"]).get().to_dict()
    )


def test_a_lost_answer_of_the_setup_is_found_not_made_again(market: Market) -> None:
    service = market.a_service(market.a_provider(), bookingMode="REQUEST")
    who, key, start = fresh("customer"), fresh("key"), soon(market, days=20)
    market.control.fault("POST", r"/v1/setup_intents", "reset_after", times=2)
    lost = market.book(service, customer=who, start=start, idempotency_key=key)
    assert lost.status in (200, 503)
    market.control.clear_faults()
    told = market.book(service, customer=who, start=start, idempotency_key=key).ok()
    setup = market.stripe.v1.setup_intents.retrieve(told["clientSecret"].split("_secret_")[0])
    listed = market.stripe.v1.setup_intents.list({"customer": str(setup.customer)}).data
    assert [one.id for one in listed] == [setup.id]


def test_a_customer_who_has_lost_the_secret_gets_it_again(market: Market) -> None:
    booking = a_far_request(market, saved=False)
    told = to_pay(market, booking).ok()
    assert told["clientSecret"] == booking.client_secret
    assert (told["paymentIntentId"], told["status"]) == (None, "requires_payment_method")
    assert told["setupIntentId"] == setup_of(market, booking).id
    market.save(booking)
    assert to_pay(market, booking).refused(409)["currentStatus"] == "REQUESTED"


def test_a_card_that_cannot_be_saved_is_told_of_and_another_works(market: Market) -> None:
    booking = a_far_request(market, saved=False)
    with pytest.raises(CardError):
        market.save(booking, "pm_card_chargeDeclinedInsufficientFunds")
    market.control.idle()
    told = market.booking(booking.id)
    assert told["status"] == "PENDING"
    assert told["payment"]["lastFailure"]["declineCode"] == "insufficient_funds"
    assert accept(market, booking).refused(409)["paymentStatus"] == "requires_payment_method"
    market.save(booking)
    told = market.booking(booking.id)
    assert (told["status"], told["payment"]["lastFailure"]) == ("REQUESTED", None)


def test_a_bank_that_wants_its_customer_has_them_pay_on_session(market: Market) -> None:
    booking = a_far_request(market, pm=NEEDS_CUSTOMER)
    refused = accept(market, booking).refused(409)
    assert refused["type"] == "payment_incomplete"
    assert refused["paymentStatus"] == "requires_payment_method"
    assert refused["declineCode"] == "authentication_required"
    told = as_customer(market, booking, BOOKINGS, "GET_BOOKING").ok()["booking"]
    assert (told["status"], told["request"]["paymentRequired"]) == ("REQUESTED", True)
    assert told["request"]["paymentLink"].endswith(f"/bookings/{booking.id}/pay")
    assert told["request"]["payBy"] == refused["payBy"]
    by = moment(told["request"]["payBy"]) - moment(told["request"]["acceptedAt"])
    assert timedelta(hours=24) <= by < timedelta(hours=24, minutes=1)
    as_provider(market, booking, "stripe-connect", "CREATE_PAYMENT_INTENT").refused(403)
    asked = to_pay(market, booking).ok()
    (intent,) = intents_of(market, booking)
    assert (asked["paymentIntentId"], asked["amount"]) == (intent.id, usd("200.00"))
    assert intent.capture_method != "manual"
    paying = market.pay(asked["clientSecret"], NEEDS_CUSTOMER)
    assert paying.status == "requires_action"
    assert market.booking(booking.id)["payment"]["status"] == "requires_action"
    market.control.authenticate(paying.id)
    market.control.idle()
    done = market.booking(booking.id)
    assert done["status"] == "CONFIRMED"
    assert (done["request"]["paymentRequired"], done["request"]["paymentLink"]) == (False, None)
    nothing_left(market, booking)


def test_a_declined_charge_is_tried_once_however_often_the_provider_accepts(market: Market) -> None:
    booking = a_far_request(market, pm=NEVER_PAYS)
    first = accept(market, booking).refused(409)
    assert (first["type"], first["declineCode"]) == ("payment_incomplete", "generic_decline")
    market.control.idle()
    again = accept(market, booking).refused(409)
    operator = as_operator(market, booking, BOOKINGS, "CONFIRM_BOOKING").refused(409)
    for refused in (again, operator):
        assert {**refused, "requestId": ""} == {**first, "requestId": ""}
    (intent,) = intents_of(market, booking)
    tried = market.stripe.v1.charges.list({"payment_intent": intent.id}).data
    assert [one.status for one in tried] == ["failed"]
    assert as_customer(market, booking, BOOKINGS, "CONFIRM_BOOKING").refused(409)["declineCode"]
    decline = as_provider(market, booking, BOOKINGS, "DECLINE_BOOKING")
    assert decline.refused(409)["currentStatus"] == "REQUESTED"
    market.pay(to_pay(market, booking).ok()["clientSecret"])
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    nothing_left(market, booking)


def test_an_accepted_request_that_is_not_paid_in_time_expires(market: Market) -> None:
    booking = a_far_request(market, pm=NEVER_PAYS)
    accept(market, booking).refused(409)
    market.control.advance(24 * 3600 - 60)
    maintenance(market)
    assert market.booking(booking.id)["status"] == "REQUESTED"
    market.control.advance(120)
    maintenance(market)
    assert market.booking(booking.id)["status"] == "EXPIRED"
    assert document(market, booking)["history"][-1]["why"] == "request_unpaid"
    (intent,) = intents_of(market, booking)
    assert intent.status == "canceled"
    to_pay(market, booking).refused(409)
    nothing_left(market, booking)
    assert forgotten(market, booking)
    market.book(booking.service, start=booking.start).ok()


def test_others_get_the_place_of_what_was_not_paid_in_time(market: Market) -> None:
    booking = a_far_request(market, pm=NEVER_PAYS, requestsBlock=False)
    second = market.a_booking(booking.service, start=booking.start)
    market.save(second)
    accept(market, booking).refused(409)
    assert accept(market, second).refused(409)["reason"] == "full"
    market.control.advance(24 * 3600 + 60)  # nobody has run the maintenance
    assert accept(market, second).ok()["status"] == "CONFIRMED"
    assert market.booking(booking.id)["status"] == "EXPIRED"
    nothing_left(market, booking)
    nothing_left(market, second)


def test_a_payment_intent_that_was_cancelled_by_hand_is_replaced(market: Market) -> None:
    booking = a_far_request(market, pm=NEEDS_CUSTOMER)
    accept(market, booking).refused(409)
    (intent,) = intents_of(market, booking)
    market.stripe.v1.payment_intents.cancel(intent.id)
    market.control.idle()
    assert market.booking(booking.id)["status"] == "REQUESTED"
    asked = to_pay(market, booking).ok()
    assert asked["paymentIntentId"] != intent.id
    market.pay(asked["clientSecret"])
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    nothing_left(market, booking)


@pytest.mark.parametrize("ends", ["DECLINE_BOOKING", "CANCEL_BOOKING"])
def test_a_far_request_that_is_ended_costs_nothing_and_leaves_no_card(
    market: Market, ends: str
) -> None:
    booking = a_far_request(market)
    act = as_provider if ends == "DECLINE_BOOKING" else as_customer
    told = act(market, booking, BOOKINGS, ends).ok()
    assert told["status"] == {"DECLINE_BOOKING": "DECLINED"}.get(ends, "CANCELLED")
    assert forgotten(market, booking)
    assert act(market, booking, BOOKINGS, ends).ok()["status"] == told["status"]
    market.book(booking.service, start=booking.start).ok()
    assert document(market, booking)["payment"].get("intentId") is None
    nothing_left(market, booking)


def test_an_accepted_unpaid_request_can_be_called_off(market: Market) -> None:
    booking = a_far_request(market, pm=NEEDS_CUSTOMER)
    accept(market, booking).refused(409)
    told = cancel(market, booking).ok()
    assert (told["status"], told["refund"]) == ("CANCELLED", None)
    (intent,) = intents_of(market, booking)
    assert intent.status == "canceled"
    assert forgotten(market, booking)
    nothing_left(market, booking)


def test_a_request_that_is_called_off_before_a_card_is_saved_saves_none(market: Market) -> None:
    booking = a_far_request(market, saved=False)
    cancel(market, booking).ok()
    assert setup_of(market, booking).status == "canceled"
    nothing_left(market, booking)


def test_a_card_that_was_saved_unheard_is_forgotten_with_its_booking(market: Market) -> None:
    booking = a_far_request(market, saved=False)
    market.control.webhooks("hold")
    market.save(booking, wait=False)
    cancel(market, booking).ok()
    assert forgotten(market, booking)
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert market.booking(booking.id)["status"] == "CANCELLED"
    nothing_left(market, booking)


def test_an_unsaved_request_lapses_with_its_hold(market: Market) -> None:
    booking = a_far_request(market, saved=False)
    market.control.advance(16 * 60)
    maintenance(market)
    assert market.booking(booking.id)["status"] == "EXPIRED"
    nothing_left(market, booking)
    assert setup_of(market, booking).status == "canceled"


def test_an_unanswered_far_request_expires_and_its_card_is_forgotten(market: Market) -> None:
    booking = a_far_request(market)
    by = moment(market.booking(booking.id)["request"]["respondBy"])
    market.control.advance(int((by - market.control.now()).total_seconds()) + 60)
    assert accept(market, booking).refused(409)["currentStatus"] == "REQUESTED"
    maintenance(market)
    assert market.booking(booking.id)["status"] == "EXPIRED"
    nothing_left(market, booking)
    assert forgotten(market, booking)
    assert intents_of(market, booking) == []


def test_lost_news_of_a_saved_card_are_healed_by_asking(market: Market) -> None:
    booking, other = a_far_request(market, saved=False), a_far_request(market, saved=False)
    market.control.webhooks("drop")
    for one in (booking, other):
        market.save(one, wait=False)
    market.control.idle()
    market.control.webhooks("normal")
    assert market.booking(booking.id)["status"] == "PENDING"
    told = as_customer(market, booking, BOOKINGS, "CONFIRM_BOOKING").ok()
    assert told["status"] == "REQUESTED"
    market.control.advance(16 * 60)  # the hold has run out
    maintenance(market)
    assert market.booking(other.id)["status"] == "REQUESTED"
    for one in (booking, other):
        assert accept(market, one).ok()["status"] == "CONFIRMED"
        nothing_left(market, one)


@pytest.mark.parametrize("heals", ["customer", "maintenance"])
def test_lost_news_of_a_payment_on_session_are_healed(market: Market, heals: str) -> None:
    booking = a_far_request(market, pm=NEEDS_CUSTOMER)
    accept(market, booking).refused(409)
    secret = to_pay(market, booking).ok()["clientSecret"]
    market.control.webhooks("drop")
    market.pay(secret, wait=False)
    market.control.idle()
    market.control.webhooks("normal")
    assert market.booking(booking.id)["status"] == "REQUESTED"
    if heals == "customer":
        told = as_customer(market, booking, BOOKINGS, "CONFIRM_BOOKING").ok()
        assert told["status"] == "CONFIRMED"
    else:
        market.control.advance(24 * 3600 + 60)
        maintenance(market)
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    nothing_left(market, booking)


@pytest.mark.parametrize("pm", ["pm_card_visa", NEVER_PAYS])
def test_a_charge_whose_answer_is_lost_is_found_not_made_again(market: Market, pm: str) -> None:
    booking = a_far_request(market, pm=pm)
    market.control.webhooks("hold")
    market.control.fault("POST", r"/v1/payment_intents$", "reset_after", times=2)
    assert accept(market, booking).status == 503
    market.control.clear_faults()
    assert market.booking(booking.id)["status"] == "REQUESTED"
    answer = accept(market, booking, idempotency_key=fresh("key"))
    if pm == NEVER_PAYS:
        assert answer.refused(409)["declineCode"] == "generic_decline"
    else:
        assert answer.ok()["status"] == "CONFIRMED"
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    (intent,) = intents_of(market, booking)
    assert len(market.stripe.v1.charges.list({"payment_intent": intent.id}).data) == 1
    nothing_left(market, booking)


def test_a_card_that_is_gone_leaves_the_customer_to_pay(market: Market) -> None:
    booking = a_far_request(market)
    market.stripe.v1.payment_methods.detach(setup_of(market, booking).payment_method)
    refused = accept(market, booking).refused(409)
    assert refused["paymentStatus"] == "requires_payment_method"
    asked = to_pay(market, booking).ok()
    market.pay(asked["clientSecret"])
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    nothing_left(market, booking)


def test_a_cancellation_that_crosses_an_acceptance_leaves_nobody_charged_for_nothing(
    market: Market,
) -> None:
    for pm in ("pm_card_visa", NEVER_PAYS, "pm_card_visa", "pm_card_visa"):
        booking = a_far_request(market, pm=pm)
        together(
            lambda booking=booking: accept(market, booking),
            lambda booking=booking: cancel(market, booking),
        )
        nothing_left(market, booking)
        status = market.booking(booking.id)["status"]
        assert status in ("CONFIRMED", "CANCELLED")
        for intent in intents_of(market, booking) if status == "CANCELLED" else []:
            if intent.status == "succeeded":
                refunds = market.stripe.v1.refunds.list({"payment_intent": intent.id}).data
                assert sum(one.amount for one in refunds) == 200_00
            else:
                assert intent.status == "canceled"


def test_acceptances_and_a_decline_at_once_charge_once_or_never(market: Market) -> None:
    booking = a_far_request(market)
    answers = together(
        lambda: accept(market, booking),
        lambda: as_provider(market, booking, BOOKINGS, "DECLINE_BOOKING"),
        lambda: accept(market, booking),
    )
    nothing_left(market, booking)
    status = market.booking(booking.id)["status"]
    assert status == ("DECLINED" if answers[1].status == 200 else "CONFIRMED")
    made = intents_of(market, booking)
    assert [one.status for one in made] == ([] if status == "DECLINED" else ["succeeded"])


def test_a_stranger_learns_nothing_of_a_far_request(market: Market) -> None:
    booking = a_far_request(market, pm=NEEDS_CUSTOMER)
    stranger = market.api.as_user(market.a_provider(ready=False).uid)
    accept(market, booking).refused(409)
    for action in ("CONFIRM_BOOKING", "DECLINE_BOOKING", "CANCEL_BOOKING", "GET_BOOKING"):
        stranger.post(BOOKINGS, action, bookingId=booking.id).refused(404)
    stranger.post("stripe-connect", "CREATE_PAYMENT_INTENT", bookingId=booking.id).refused(404)


def test_a_setup_intent_that_only_names_a_booking_saves_nothing_for_it(market: Market) -> None:
    booking = a_far_request(market, saved=False)
    customer = str(setup_of(market, booking).customer)
    other = market.stripe.v1.setup_intents.create(
        {
            "customer": customer,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://example.com/saved",
            "metadata": {"bookingId": booking.id},
        }
    )
    market.control.idle()
    assert other.status == "succeeded"
    assert market.booking(booking.id)["status"] == "PENDING"
