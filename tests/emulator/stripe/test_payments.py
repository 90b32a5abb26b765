"""Payment intents and charges through the official SDK."""

from __future__ import annotations

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, Marketplace


def test_a_card_payment_settles_a_moment_after_it_succeeded(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    intent = stripe.v1.payment_intents.create(
        {"amount": 200_00, "currency": "usd", "metadata": {"bookingId": "b1"}}
    )
    assert intent.status == "requires_payment_method"
    confirmed = stripe.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
    )
    assert confirmed.status == "succeeded"
    assert confirmed.latest_charge.balance_transaction is None
    emulator.idle()
    charge = stripe.v1.charges.retrieve(
        confirmed.latest_charge.id, {"expand": ["balance_transaction"]}
    )
    assert charge.balance_transaction.fee == 610
    assert charge.metadata["bookingId"] == "b1"
    assert market.funds() == (0, 200_00 - 610)
    assert market.events() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]


def test_funds_become_available_after_two_days_by_the_clock(
    market: Marketplace, emulator: Emulator
) -> None:
    market.payment()
    emulator.advance(2 * 86400 - 60)
    assert market.funds() == (0, 193_90)
    emulator.advance(60)
    assert market.funds() == (193_90, 0)
    assert market.events()[-1] == "balance.available"


def test_funds_of_the_bypass_card_are_available_at_once(market: Marketplace) -> None:
    market.payment(card="pm_card_bypassPending")
    assert market.funds() == (193_90, 0)


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "param"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline", None),
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", None),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
            None,
        ),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", None),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", None),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "exp_month"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error", None),
        ("pm_card_radarBlock", "card_declined", "fraudulent", None),
    ],
)
def test_a_declined_card_leaves_a_failed_charge_and_an_intent_to_try_again(
    market: Marketplace,
    stripe: StripeClient,
    card: str,
    code: str,
    decline_code: str | None,
    param: str | None,
) -> None:
    intent = stripe.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    with pytest.raises(sdk.CardError) as caught:
        stripe.v1.payment_intents.confirm(intent.id, {"payment_method": card})
    error = caught.value.error
    assert (caught.value.http_status, error.code, error.param) == (402, code, param)
    assert error.decline_code == decline_code
    assert error.payment_intent.id == intent.id
    after = stripe.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (after.status, after.payment_method) == ("requires_payment_method", None)
    assert after.last_payment_error.code == code
    assert (after.latest_charge.status, after.latest_charge.id) == ("failed", error.charge)
    assert market.events()[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    again = stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (again.status, again.last_payment_error) == ("succeeded", None)


def test_three_d_secure_waits_for_the_customer_and_then_charges(
    stripe: StripeClient, emulator: Emulator, market: Marketplace
) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "eur",
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "return_url": "https://example.com/back",
        }
    )
    assert (intent.status, intent.latest_charge) == ("requires_action", None)
    assert intent.next_action.type == "redirect_to_url"
    emulator.control("POST", f"/payment_intents/{intent.id}/authenticate", {"outcome": "succeeded"})
    assert stripe.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert market.events()[:2] == ["payment_intent.created", "payment_intent.requires_action"]


def test_a_failed_challenge_leaves_no_charge(stripe: StripeClient, emulator: Emulator) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
        }
    )
    assert intent.next_action.type == "use_stripe_sdk"
    emulator.control("POST", f"/payment_intents/{intent.id}/authenticate", {"outcome": "failed"})
    after = stripe.v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.latest_charge) == ("requires_payment_method", None)
    assert after.last_payment_error.code == "payment_intent_authentication_failure"
    emulator.control(
        "POST",
        f"/payment_intents/{intent.id}/authenticate",
        {"outcome": "succeeded"},
        status=400,
    )


def test_a_card_that_needs_its_customer_is_declined_off_session(stripe: StripeClient) -> None:
    with pytest.raises(sdk.CardError) as caught:
        stripe.v1.payment_intents.create(
            {
                "amount": 900,
                "currency": "usd",
                "payment_method": "pm_card_authenticationRequired",
                "confirm": True,
                "off_session": True,
            }
        )
    assert caught.value.error.decline_code == "authentication_required"


def test_an_authorised_payment_is_captured_in_part_once(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 100_00,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "capture_method": "manual",
        }
    )
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 100_00)
    emulator.idle()
    assert market.funds() == (0, 0)
    captured = stripe.v1.payment_intents.capture(intent.id, {"amount_to_capture": 60_00})
    assert (captured.status, captured.amount_received) == ("succeeded", 60_00)
    emulator.idle()
    assert market.funds() == (0, 60_00 - 204)
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.payment_intents.capture(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    assert "payment_intent.amount_capturable_updated" in market.events()
    assert market.events()[-3:] == [
        "charge.captured",
        "payment_intent.succeeded",
        "charge.updated",
    ]


def test_an_authorisation_expires_after_seven_days(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 100_00,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "capture_method": "manual",
        }
    )
    emulator.advance(7 * 86400)
    after = stripe.v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.cancellation_reason) == ("canceled", "automatic")
    assert market.events()[-2:] == ["charge.expired", "payment_intent.canceled"]


def test_cancelling_releases_what_was_authorised_and_nothing_twice(stripe: StripeClient) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 100_00,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "capture_method": "manual",
        }
    )
    cancelled = stripe.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "abandoned", "expand": ["latest_charge"]}
    )
    assert (cancelled.status, cancelled.amount_capturable) == ("canceled", 0)
    assert cancelled.latest_charge.refunded
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.payment_intents.cancel(intent.id)
    assert caught.value.error.payment_intent.status == "canceled"


def test_a_payment_method_is_good_for_one_payment_without_a_customer(
    stripe: StripeClient,
) -> None:
    method = stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    params = {"amount": 500, "currency": "usd", "payment_method": method.id, "confirm": True}
    stripe.v1.payment_intents.create(params)  # type: ignore[arg-type]
    with pytest.raises(sdk.InvalidRequestError, match="may not be used again"):
        stripe.v1.payment_intents.create(params)  # type: ignore[arg-type]


def test_a_saved_card_pays_again_off_session_without_a_challenge(
    stripe: StripeClient, emulator: Emulator
) -> None:
    customer = stripe.v1.customers.create({"email": "c@example.com"})
    first = stripe.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "setup_future_usage": "off_session",
            "confirm": True,
        }
    )
    assert first.status == "requires_action"
    emulator.control("POST", f"/payment_intents/{first.id}/authenticate", {"outcome": "succeeded"})
    saved = stripe.v1.payment_methods.list({"customer": customer.id}).data
    assert len(saved) == 1
    again = stripe.v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": saved[0].id,
            "off_session": True,
            "confirm": True,
        }
    )
    assert again.status == "succeeded"


def test_card_numbers_stand_for_the_same_cards_as_tokens(stripe: StripeClient) -> None:
    def pay(number: str) -> str:
        return stripe.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "confirm": True,
                "payment_method_data": {
                    "type": "card",
                    "card": {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"},  # type: ignore[typeddict-unknown-key]
                },
            }
        ).status

    assert pay("4242424242424242") == "succeeded"
    assert pay("4000002760003184") == "requires_action"
    for number, code in (
        ("4000000000000002", "card_declined"),
        ("4242424242424241", "incorrect_number"),
        ("4111111111111111", "card_declined"),
    ):
        with pytest.raises(sdk.CardError) as caught:
            pay(number)
        assert caught.value.code == code


def test_payments_are_found_by_metadata_customer_and_group(stripe: StripeClient) -> None:
    customer = stripe.v1.customers.create({"name": "Ada"})
    wanted = stripe.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "customer": customer.id,
            "metadata": {"booking": "b-7", "city": "Oslo"},
        }
    )
    stripe.v1.payment_intents.create(
        {"amount": 600, "currency": "usd", "metadata": {"city": "Oslo"}}
    )

    def found(query: str) -> list[str]:
        return [i.id for i in stripe.v1.payment_intents.search({"query": query}).data]

    assert found('metadata["booking"]:"b-7"') == [wanted.id]
    assert found('metadata["city"]:"Oslo" AND amount<600') == [wanted.id]
    assert len(found('metadata["city"]:"Oslo"')) == 2
    assert found('status:"succeeded" OR amount:600') != [wanted.id]
    assert found('-metadata["booking"]:null') == [wanted.id]
    listed = stripe.v1.payment_intents.list({"customer": customer.id}).data
    assert [intent.id for intent in listed] == [wanted.id]
    with pytest.raises(sdk.InvalidRequestError):
        found("what?")


def test_the_publishable_key_confirms_with_the_client_secret_and_does_nothing_else(
    emulator: Emulator, stripe: StripeClient
) -> None:
    intent = stripe.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    public = emulator.client(emulator.publishable_key)
    seen = public.v1.payment_intents.retrieve(intent.id, {"client_secret": intent.client_secret})
    assert seen.id == intent.id
    assert "metadata" not in seen
    confirmed = public.v1.payment_intents.confirm(
        intent.id,
        {"client_secret": intent.client_secret, "payment_method": "pm_card_visa"},  # type: ignore[typeddict-unknown-key]
    )
    assert confirmed.status == "succeeded"
    with pytest.raises(sdk.InvalidRequestError):
        public.v1.payment_intents.retrieve(intent.id, {"client_secret": f"{intent.id}_secret_no"})
    with pytest.raises(sdk.InvalidRequestError):
        public.v1.payment_intents.retrieve(intent.id)
    for forbidden in (
        lambda: public.v1.payment_intents.create({"amount": 500, "currency": "usd"}),
        lambda: public.v1.payment_intents.cancel(intent.id),
        lambda: public.v1.charges.list(),
        lambda: public.v1.balance.retrieve(),
    ):
        with pytest.raises(sdk.AuthenticationError):
            forbidden()


def test_the_authentication_of_one_card_does_not_count_for_another(
    stripe: StripeClient, emulator: Emulator
) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 20_00,
            "currency": "usd",
            "confirm": True,
            "confirmation_method": "manual",
            "payment_method": "pm_card_authenticationRequired",
        }
    )
    emulator.control("POST", f"/payment_intents/{intent.id}/authenticate", {})
    other = stripe.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_authenticationRequired"}
    )
    assert other.status == "requires_action"
    emulator.control("POST", f"/payment_intents/{intent.id}/authenticate", {})
    assert stripe.v1.payment_intents.confirm(intent.id).status == "succeeded"


def test_a_capture_sets_the_statement_it_is_given_and_says_that_it_is_the_last(
    stripe: StripeClient,
) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 20_00,
            "currency": "usd",
            "confirm": True,
            "capture_method": "manual",
            "payment_method": "pm_card_visa",
        }
    )
    with pytest.raises(sdk.APIError) as caught:
        stripe.v1.payment_intents.capture(intent.id, {"final_capture": False})
    assert caught.value.http_status == 501
    captured = stripe.v1.payment_intents.capture(
        intent.id, {"statement_descriptor_suffix": "LESSON", "expand": ["latest_charge"]}
    )
    assert captured.statement_descriptor_suffix == "LESSON"
    assert captured.latest_charge.statement_descriptor_suffix == "LESSON"  # type: ignore[union-attr]
