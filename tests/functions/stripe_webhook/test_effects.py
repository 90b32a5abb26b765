"""What each event does that a client can see (refunds, transfers, payouts and disputes aside)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import stripe as stripe_sdk

from emulator.stack.handle import RunningStack
from tests.functions.acts import AT_ONCE, a_completed_booking, charge_of, earnings
from tests.functions.deliveries import Endpoint, an_event, events_of, remembered
from tests.support.api import Api
from tests.support.market import Booking, Market, fresh, usd
from tests.support.stripe_control import StripeControl


@pytest.fixture
def endpoint(stack: RunningStack, api: Api) -> Endpoint:
    return Endpoint.of(stack, api)


def outcomes(market: Market, type: str, object_id: str) -> list[str]:
    """What became of the events of one type about one object."""
    found = [remembered(market, event["id"]) for event in events_of(market, type, object_id)]
    return [str((one or {"outcome": "unseen"})["outcome"]) for one in found]


def payment(market: Market, booking: Booking) -> dict[str, Any]:
    shown: dict[str, Any] = market.booking(booking.id)["payment"]
    return shown


def test_payment_intent_succeeded_and_charge_succeeded_confirm_and_add_the_charges_details(
    market: Market,
) -> None:
    booking = market.a_booking(paid=True)
    charge = charge_of(market, booking)
    assert payment(market, booking)["chargeId"] == charge
    assert outcomes(market, "payment_intent.succeeded", booking.payment_intent) == ["processed"]
    assert outcomes(market, "charge.succeeded", charge) == ["processed"]
    stored = market.db.collection("bookings").document(booking.id).get().to_dict() or {}
    assert stored["payment"]["cardBrand"] == "visa"
    assert stored["payment"]["cardLast4"] == "4242"
    [fee] = [row for row in market.ledger(booking.id) if row["kind"] == "stripe_fee"]
    transaction = market.stripe.v1.balance_transactions.retrieve(fee["stripeId"])
    cash = [entry for entry in fee["entries"] if entry["amount"] < 0]
    assert [entry["amount"] for entry in cash] == [-transaction.fee]


def test_payment_intent_payment_failed_tells_the_customer_why(market: Market) -> None:
    booking = market.a_booking()
    with pytest.raises(stripe_sdk.CardError):
        market.pay(booking, "pm_card_chargeDeclinedLostCard")
    market.control.idle()
    assert payment(market, booking)["lastFailure"]["declineCode"] == "lost_card"
    found = outcomes(market, "payment_intent.payment_failed", booking.payment_intent)
    assert found == ["processed"]


def test_payment_intent_requires_action_shows_on_the_booking(market: Market) -> None:
    booking = market.a_booking()
    market.pay(booking, "pm_card_threeDSecure2Required")
    assert payment(market, booking)["status"] == "requires_action"
    found = outcomes(market, "payment_intent.requires_action", booking.payment_intent)
    assert found == ["processed"]


def test_payment_intent_processing_shows_on_the_booking(market: Market, endpoint: Endpoint) -> None:
    booking = market.a_booking()
    intent = {
        "id": booking.payment_intent,
        "status": "processing",
        "metadata": {"bookingId": booking.id},
    }
    assert endpoint.deliver(an_event("payment_intent.processing", intent)).ok()
    assert payment(market, booking)["status"] == "processing"
    assert market.booking(booking.id)["status"] == "PENDING"


def test_payment_intent_canceled_shows_and_the_booking_can_get_another_intent(
    market: Market,
) -> None:
    booking = market.a_booking()
    market.stripe.v1.payment_intents.cancel(booking.payment_intent)
    market.control.idle()
    assert payment(market, booking)["status"] == "canceled"
    found = outcomes(market, "payment_intent.canceled", booking.payment_intent)
    assert found == ["processed"]
    assert market.booking(booking.id)["status"] == "PENDING"


def test_news_of_an_intent_that_is_not_the_bookings_own_changes_nothing(
    market: Market, endpoint: Endpoint
) -> None:
    booking = market.a_booking()
    stranger = {"id": "pi_other", "status": "canceled", "metadata": {"bookingId": booking.id}}
    told = endpoint.deliver(an_event("payment_intent.canceled", stranger)).ok()
    assert told["outcome"] == "ignored"
    assert payment(market, booking)["status"] == "requires_payment_method"


def test_a_failure_that_comes_after_the_success_does_not_turn_it_back(
    market: Market, control: StripeControl, endpoint: Endpoint
) -> None:
    booking = market.a_booking(paid=True)
    before = market.booking(booking.id)
    late = {
        "id": booking.payment_intent,
        "status": "requires_payment_method",
        "last_payment_error": {"code": "card_declined", "decline_code": "generic_decline"},
        "metadata": {"bookingId": booking.id},
    }
    endpoint.deliver(an_event("payment_intent.payment_failed", late)).ok()
    assert market.booking(booking.id) == before


def test_account_updated_and_capability_updated_reach_the_profile(
    market: Market, control: StripeControl
) -> None:
    provider = market.a_provider()
    document = market.db.collection("userProfiles").document(provider.uid)
    assert (document.get().to_dict() or {})["stripeAccountStatus"] == "ACTIVE"
    assert provider.account_id is not None
    control.onboard(provider.account_id, "restricted")
    control.idle()
    kept = document.get().to_dict() or {}
    assert kept["stripeAccountStatus"] == "RESTRICTED"
    assert kept["stripeRequirements"]["currently_due"]
    assert kept["stripeCapabilities"]["transfers"] == "inactive"


def test_account_application_deauthorized_ends_new_bookings_and_late_news_do_not_revive_it(
    market: Market, control: StripeControl, endpoint: Endpoint
) -> None:
    provider = market.a_provider()
    service = market.a_service(provider)
    control.call("POST", f"accounts/{provider.account_id}/deauthorize", {})
    control.idle()
    document = market.db.collection("userProfiles").document(provider.uid)
    gone = document.get().to_dict() or {}
    assert gone["stripeAccountStatus"] != "ACTIVE"
    assert gone["stripeChargesEnabled"] is gone["stripePayoutsEnabled"] is False
    thing = {"id": provider.account_id, "object": "account"}
    late = an_event("account.updated", thing, account=provider.account_id)
    assert endpoint.deliver(late).status == 200
    assert document.get().to_dict() == gone
    market.book(service).refused(400, "provider_not_set_up")


def test_a_review_holds_the_earnings_until_it_is_approved(
    market: Market, control: StripeControl
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    review = control.call("POST", "reviews", {"charge": charge_of(market, booking)})
    control.idle()
    assert earnings(market, provider)["totalEarnings"] == 0
    assert payment(market, booking)["holds"] == ["review"]
    control.call("POST", f"reviews/{review['id']}/close", {"reason": "approved"})
    control.idle()
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    assert outcomes(market, "review.opened", review["id"]) == ["processed"]
    assert outcomes(market, "review.closed", review["id"]) == ["processed"]


def test_a_review_whose_end_is_heard_of_before_its_beginning_holds_nothing(
    market: Market, control: StripeControl
) -> None:
    booking = a_completed_booking(market)
    control.webhooks("reverse")
    review = control.call("POST", "reviews", {"charge": charge_of(market, booking)})
    control.call("POST", f"reviews/{review['id']}/close", {"reason": "approved"})
    control.release_webhooks()
    control.webhooks("normal")
    control.idle()
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")


def test_an_early_fraud_warning_holds_the_earnings(market: Market, control: StripeControl) -> None:
    booking = a_completed_booking(market)
    warning = control.call("POST", "early_fraud_warnings", {"charge": charge_of(market, booking)})
    control.idle()
    assert earnings(market, booking.service.provider)["totalEarnings"] == 0
    assert payment(market, booking)["holds"] == ["fraud_warning"]
    found = outcomes(market, "radar.early_fraud_warning.created", warning["id"])
    assert found == ["processed"]


def test_a_card_that_brings_an_early_fraud_warning_is_held_from_the_start(market: Market) -> None:
    start = market.control.now().replace(microsecond=0) + timedelta(minutes=5)
    booking = market.a_booking(start=start)
    market.pay(booking, "pm_card_createIssuerFraudRecord")
    market.complete(booking)
    assert earnings(market, booking.service.provider)["totalEarnings"] == 0
    assert payment(market, booking)["holds"] == ["fraud_warning"]


def test_the_platforms_own_payout_is_in_the_ledger_and_gone_again_when_it_fails(
    market: Market, endpoint: Endpoint
) -> None:
    """Our own bank: no booking's business, and yet cash that left Stripe."""
    booking = market.a_booking()
    market.pay(booking, AT_ONCE)
    made = market.stripe.v1.payouts.create({"amount": 10_00, "currency": "usd"})
    market.control.idle()
    ledger = market.db.collection("transactions")
    posted = ledger.document(f"platform_payout_{made.id}").get().to_dict()
    assert posted is not None
    assert sorted(entry["amount"] for entry in posted["entries"]) == [-10_00, 10_00]
    assert outcomes(market, "payout.created", made.id) == ["processed"]
    market.stripe.v1.payouts.cancel(made.id)
    market.control.idle()
    back = ledger.document(f"platform_payout_returned_{made.id}").get().to_dict()
    assert back is not None
    assert {e["account"]: e["amount"] for e in back["entries"]} == {
        e["account"]: -e["amount"] for e in posted["entries"]
    }


def test_a_booking_that_no_longer_exists_leaves_its_events_ignored(endpoint: Endpoint) -> None:
    intent = {
        "id": "pi_gone",
        "status": "succeeded",
        "amount_received": 200_00,
        "currency": "usd",
        "latest_charge": "ch_gone",
        "metadata": {"bookingId": fresh("booking")},
    }
    told = endpoint.deliver(an_event("payment_intent.succeeded", intent)).ok()
    assert told["outcome"] == "ignored"
    odd = {**intent, "metadata": {"bookingId": "../../etc"}}
    assert endpoint.deliver(an_event("payment_intent.succeeded", odd)).ok()["outcome"] == "ignored"
