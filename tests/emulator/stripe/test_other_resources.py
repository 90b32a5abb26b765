"""Setup intents, application fees, checkout, account sessions, settings, restricted keys."""

from __future__ import annotations

import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, Marketplace


class Stay(urllib.request.HTTPRedirectHandler):
    """A browser that shows redirections instead of following them."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def visit(url: str, form: str | None = None) -> tuple[int, str, str]:
    """(status, location, body) of a page."""
    browser = urllib.request.build_opener(Stay)
    try:
        answer = browser.open(url, data=form.encode() if form is not None else None)
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers.get("Location", ""), refusal.read().decode()
    return answer.status, "", answer.read().decode()


def test_a_setup_saves_a_card_that_then_pays_without_its_customer(
    stripe: StripeClient, emulator: Emulator, market: Marketplace
) -> None:
    customer = stripe.v1.customers.create({"email": "c@example.com"})
    intent = stripe.v1.setup_intents.create({"customer": customer.id, "metadata": {"a": "b"}})
    assert intent.status == "requires_payment_method"
    public = emulator.client(emulator.publishable_key)
    confirmed = public.v1.setup_intents.confirm(
        intent.id,
        {
            "client_secret": intent.client_secret,  # type: ignore[typeddict-unknown-key]
            "payment_method": "pm_card_authenticationRequiredOnSetup",
        },
    )
    assert confirmed.status == "requires_action"
    assert "metadata" not in confirmed
    assert confirmed.next_action is not None
    emulator.control("POST", f"/setup_intents/{intent.id}/authenticate", {"outcome": "succeeded"})
    done = stripe.v1.setup_intents.retrieve(intent.id, {"expand": ["latest_attempt"]})
    assert done.status == "succeeded"
    assert done.latest_attempt.status == "succeeded"  # type: ignore[union-attr]
    paid = stripe.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": str(done.payment_method),
            "off_session": True,
            "confirm": True,
        }
    )
    assert paid.status == "succeeded"
    assert market.events()[:5] == [
        "customer.created",
        "setup_intent.created",
        "setup_intent.requires_action",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]


def test_a_setup_fails_with_a_declined_card_or_a_failed_challenge(
    stripe: StripeClient, emulator: Emulator
) -> None:
    intent = stripe.v1.setup_intents.create({})
    with pytest.raises(sdk.CardError) as caught:
        stripe.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    assert caught.value.error.setup_intent.status == "requires_payment_method"
    stripe.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_threeDSecure2Required"})
    emulator.control("POST", f"/setup_intents/{intent.id}/authenticate", {"outcome": "failed"})
    failed = stripe.v1.setup_intents.retrieve(intent.id)
    assert failed.last_setup_error is not None
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    attempts = stripe.v1.setup_attempts.list({"setup_intent": intent.id}).data
    assert [attempt.status for attempt in attempts] == ["failed", "failed"]
    assert stripe.v1.setup_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


def test_a_direct_charge_gives_the_platform_its_application_fee(
    stripe: StripeClient, emulator: Emulator, market: Marketplace
) -> None:
    account = market.account(
        capabilities={"transfers": {"requested": True}, "card_payments": {"requested": True}}
    )
    as_account: sdk.RequestOptions = {"stripe_account": account.id}
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 100_00,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "application_fee_amount": 8_00,
        },
        as_account,
    )
    emulator.idle()
    assert market.funds(account) == (0, 100_00 - 320 - 8_00)
    assert market.funds() == (0, 8_00)
    fee = stripe.v1.application_fees.list().data[0]
    assert (fee.charge, fee.account) == (intent.latest_charge, account.id)
    stripe.v1.application_fees.refunds.create(fee.id, {"amount": 3_00})
    assert market.funds() == (0, 5_00)
    assert market.funds(account) == (0, 100_00 - 320 - 5_00)
    assert stripe.v1.application_fees.retrieve(fee.id).refunds.data[0].amount == 3_00
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.application_fees.refunds.create(fee.id, {"amount": 5_01})
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.payment_intents.create(
            {"amount": 100_00, "currency": "usd", "application_fee_amount": 1}
        )
    with pytest.raises(sdk.InvalidRequestError, match="card_payments"):
        stripe.v1.payment_intents.create(
            {"amount": 100_00, "currency": "usd"}, {"stripe_account": market.account().id}
        )


def test_an_account_session_names_every_component(
    stripe: StripeClient, market: Marketplace
) -> None:
    session = stripe.v1.account_sessions.create(
        {
            "account": market.account().id,
            "components": {
                "payouts": {"enabled": True, "features": {"instant_payouts": True}},
                "account_onboarding": {"enabled": True},
            },
        }
    )
    assert session.client_secret.startswith("accs_secret__")
    assert session.components.payouts.enabled
    assert session.components.payouts.features.instant_payouts
    assert not session.components.payments.enabled


def test_balance_settings_are_the_payout_schedule_in_other_words(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    as_account: sdk.RequestOptions = {"stripe_account": account.id}
    changed = stripe.v1.balance_settings.update(
        {
            "payments": {
                "payouts": {"schedule": {"interval": "weekly", "weekly_payout_days": ["friday"]}}
            }
        },
        as_account,
    )
    assert changed.payments.payouts is not None
    assert changed.payments.payouts.schedule is not None
    assert changed.payments.payouts.schedule.interval == "weekly"
    seen = stripe.v1.accounts.retrieve(account.id).settings
    assert seen is not None
    assert seen.payouts is not None
    assert seen.payouts.schedule.interval == "weekly"
    assert stripe.v1.balance_settings.retrieve(options=as_account).payments.payouts is not None


def test_a_checkout_page_takes_the_payment_and_goes_back(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    session = stripe.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [
                {
                    "quantity": 2,
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 10_00,
                        "product_data": {"name": "Tour"},
                    },
                }
            ],
            "success_url": "http://127.0.0.1:9/done?s={CHECKOUT_SESSION_ID}",
            "payment_intent_data": {"transfer_group": "b1", "metadata": {"bookingId": "b1"}},
            "expand": ["line_items"],
        }
    )
    assert (session.status, session.amount_total, session.payment_intent) == ("open", 20_00, None)
    assert session.line_items is not None
    assert session.line_items.data[0].quantity == 2
    assert session.url is not None
    status, _, body = visit(session.url, "payment_method=pm_card_chargeDeclined")
    assert status == 200
    assert "declined" in body
    status, location, _ = visit(session.url, "payment_method=pm_card_visa")
    assert (status, location) == (303, f"http://127.0.0.1:9/done?s={session.id}")
    done = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert done.payment_intent.transfer_group == "b1"  # type: ignore[union-attr]
    assert "checkout.session.completed" in market.events()


def test_a_checkout_session_sells_a_subscription_or_expires(
    stripe: StripeClient, emulator: Emulator, market: Marketplace
) -> None:
    price = stripe.v1.prices.create(
        {
            "product_data": {"name": "Lessons"},
            "currency": "usd",
            "unit_amount": 500,
            "recurring": {"interval": "week"},
        }
    )
    params: sdk.params.checkout.SessionCreateParams = {
        "mode": "subscription",
        "line_items": [{"price": price.id, "quantity": 1}],
        "success_url": "http://127.0.0.1:9/done",
        "subscription_data": {"metadata": {"a": "b"}},
    }
    session = stripe.v1.checkout.sessions.create(params)
    done = emulator.control("POST", f"/checkout/sessions/{session.id}/complete", {})
    subscription = stripe.v1.subscriptions.retrieve(done["subscription"])
    assert (subscription.status, subscription.metadata.to_dict()) == ("active", {"a": "b"})
    late = stripe.v1.checkout.sessions.create(params)
    emulator.advance(86400)
    assert stripe.v1.checkout.sessions.retrieve(late.id).status == "expired"
    emulator.control("POST", f"/checkout/sessions/{late.id}/complete", {}, status=400)
    early = stripe.v1.checkout.sessions.create(params)
    assert stripe.v1.checkout.sessions.expire(early.id).status == "expired"


def test_a_checkout_session_saves_a_card(stripe: StripeClient, emulator: Emulator) -> None:
    customer = stripe.v1.customers.create({"email": "c@example.com"})
    session = stripe.v1.checkout.sessions.create(
        {"mode": "setup", "customer": customer.id, "success_url": "http://127.0.0.1:9/done"}
    )
    emulator.control("POST", f"/checkout/sessions/{session.id}/complete", {})
    assert len(stripe.v1.customers.payment_methods.list(customer.id).data) == 1


def test_a_restricted_key_does_what_it_may(emulator: Emulator, market: Marketplace) -> None:
    market.payment()
    key = emulator.control(
        "POST", "/restricted_keys", {"permissions": {"charges": "read", "customers": "write"}}
    )["key"]
    client = emulator.client(key)
    assert len(client.v1.charges.list().data) == 1
    client.v1.customers.create({"name": "a"})
    for forbidden in (
        lambda: client.v1.balance.retrieve(),
        lambda: client.v1.refunds.create({"charge": client.v1.charges.list().data[0].id}),
    ):
        with pytest.raises(sdk.PermissionError) as caught:
            forbidden()
        assert caught.value.error.code == "more_permissions_required"


def test_the_three_d_secure_page_goes_back_to_the_shop(
    stripe: StripeClient, emulator: Emulator
) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 12_34,
            "currency": "usd",
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "return_url": "http://127.0.0.1:9/back?x=1",
        }
    )
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    url = str(intent.next_action.redirect_to_url.url)
    assert "$12.34" in visit(url)[2]
    assert visit(url, "outcome=maybe")[0] == 400
    status, location, _ = visit(url, "outcome=succeeded")
    assert status == 303
    assert location.startswith(f"http://127.0.0.1:9/back?x=1&payment_intent={intent.id}")
    assert visit(url)[0] == 404


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_stand_in_for_stripe_js_confirms_a_card_payment(
    stripe: StripeClient, emulator: Emulator, tmp_path: Path
) -> None:
    """The guide's snippet, with the few things of a browser that it touches."""
    intent = stripe.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    page = tmp_path / "page.mjs"
    page.write_text(
        """
        const [url, key, secret, typed] = process.argv.slice(2);
        const node = () => ({ style: {}, setAttribute() {}, addEventListener() {}, value: "" });
        globalThis.window = {};
        globalThis.document = { createElement: node };
        new Function(await (await fetch(url + "/v3/stripe.js")).text())();
        const stripe = window.Stripe(key);
        const card = stripe.elements().create("card");
        card._node.value = typed;
        const result = await stripe.confirmCardPayment(secret, {
          payment_method: { card, billing_details: { name: "Ada" } },
        });
        console.log(result.error ? result.error.code : result.paymentIntent.status);
        """
    )

    def pay(typed: str) -> str:
        done = subprocess.run(
            ["node", str(page), emulator.url, emulator.publishable_key,
             str(intent.client_secret), typed],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    assert pay("4242") == "incomplete_number"
    assert pay("4000 0000 0000 9995 12/34 123") == "card_declined"
    assert pay("4242 4242 4242 4242 12/34 123") == "succeeded"
