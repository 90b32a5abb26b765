"""Objects have the members that the SDK's newest types declare, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from stripe._object_classes import get_object_class

from tests.emulator.stripe.driver import Emulator, Marketplace
from tests.emulator.stripe.test_billing import Billing

# Left out by Stripe unless expanded, requested, or of another payment method, product or region.
LEFT_OUT = {
    "account": {"company", "individual", "deleted"},
    "application_fee": set(),
    "bank_account": {"customer", "deleted"},
    "charge": {"authorization_code", "level3", "presentment_details", "refunds", "transfer"},
    "checkout.session": {
        "branding_settings", "excluded_payment_method_types", "line_items", "managed_payments",
        "name_collection", "presentment_details", "redirect_on_completion", "return_url",
        "tax_id_collection",
    },
    "customer": {
        "business_name", "cash_balance", "deleted", "individual_name", "invoice_credit_balance",
        "sources", "subscriptions", "tax", "tax_ids",
    },
    "dispute": set(),
    "event": {"account", "context"},
    "invoice": {
        "confirmation_secret", "deleted", "payments", "status_details", "threshold_reason",
    },
    "line_item": set(),
    "payment_intent": {
        "hooks", "managed_payments", "payment_details", "presentment_details",
    },
    "payout": set(),
    "plan": {"deleted", "tiers"},
    "price": {"currency_options", "deleted", "tiers"},
    "product": {"deleted", "tax_details"},
    "refund": {
        "customer", "customer_account", "description", "failure_balance_transaction",
        "failure_reason", "instructions_email", "next_action", "pending_reason",
        "presentment_details",
    },
    "setup_attempt": {"attach_to_self"},
    "setup_intent": {"attach_to_self", "managed_payments"},
    "subscription": {"managed_payments", "presentment_details", "status_details"},
    "subscription_item": {"billed_until", "current_trial", "deleted"},
    "test_helpers.test_clock": {"deleted"},
    "transfer": set(),
    "webhook_endpoint": {"deleted", "secret"},
}  # fmt: skip


@pytest.fixture
def objects(emulator: Emulator, market: Marketplace) -> dict[str, list[dict[str, Any]]]:
    """One of everything, as the dump shows it."""
    client = emulator.client()
    account = market.account(
        capabilities={"transfers": {"requested": True}, "card_payments": {"requested": True}}
    )
    payment = market.payment(card="pm_card_createDispute")
    transfer = market.transfer(account, 50_00, payment)
    client.v1.transfers.reversals.create(transfer.id, {"amount": 10_00})
    other = market.payment(card="pm_card_bypassPending")
    client.v1.refunds.create({"payment_intent": other.id, "amount": 1_00})
    market.payment(card="pm_card_riskLevelElevated")
    market.payment(card="pm_card_createIssuerFraudRecord")
    client.v1.payouts.create({"amount": 1_00, "currency": "usd"})
    client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "application_fee_amount": 100,
            "payment_method": "pm_card_visa",
            "confirm": True,
        },
        {"stripe_account": account.id},
    )
    billing = Billing(client)
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_900_000_000})
    billing.subscribe(billing.customer(test_clock=clock.id))
    client.v1.setup_intents.create({"payment_method": "pm_card_visa", "confirm": True})
    client.v1.checkout.sessions.create({"mode": "setup", "success_url": "http://127.0.0.1:9/"})
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    emulator.idle()
    fee = client.v1.application_fees.list().data[0]
    client.v1.application_fees.refunds.create(fee.id)
    found: dict[str, list[dict[str, Any]]] = emulator.state()["objects"]
    found["line_item"] = [line for i in found["invoice"] for line in i["lines"]["data"]]
    found["plan"] = [item["plan"] for item in found["subscription_item"]]
    for kind in ("line_item", "plan"):
        found[kind] = [{**obj, "account": ""} for obj in found[kind]]
    return found


def test_objects_have_exactly_the_members_that_the_sdk_declares(
    objects: dict[str, list[dict[str, Any]]],
) -> None:
    differences = []
    assert len(objects) >= 28
    for kind, rows in objects.items():
        declared = set(get_object_class("V1", kind).__annotations__) - {"OBJECT_NAME"}
        if kind == "payment_method":
            declared = {name for name in declared if name in _PAYMENT_METHOD}
        for row in rows:
            owned = set(row) - ({"account"} if "account" not in declared else set())
            missing = declared - owned - LEFT_OUT.get(kind, set())
            differences += [f"{kind}.{name} is missing" for name in missing]
            differences += [f"{kind}.{name} is too much" for name in owned - declared]
    assert sorted(set(differences)) == []


_PAYMENT_METHOD = {
    "allow_redisplay", "billing_details", "card", "created", "customer", "customer_account", "id",
    "livemode", "metadata", "object", "type",
}  # fmt: skip
