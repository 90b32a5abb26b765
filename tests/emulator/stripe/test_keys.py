"""What publishable and restricted keys see and may do, also by ways round the front door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, running


@pytest.fixture
def intent(stripe: StripeClient) -> Any:
    """An intent of a customer, with notes that are nobody else's business."""
    customer = stripe.v1.customers.create({"email": "private@example.com"})
    method = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    return stripe.v1.payment_intents.create(
        {
            "amount": 20_00,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": method.id,
            "metadata": {"margin": "of no concern to customers"},
        }
    )


def _public(emulator: Emulator, method: str, path: str, body: str = "") -> tuple[int, Any]:
    headers = {
        "Authorization": f"Bearer {emulator.publishable_key}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return emulator.call(method, path, body.encode() or None, headers)


def test_the_publishable_key_expands_nothing_behind_the_payment_method(
    emulator: Emulator, intent: Any
) -> None:
    path = f"/v1/payment_intents/{intent.id}?client_secret={intent.client_secret}"
    for name in ("payment_method.customer", "latest_charge", "customer"):
        status, answer = _public(emulator, "GET", f"{path}&expand[]={name}")
        assert (status, answer["error"]["param"]) == (400, "expand")
    status, answer = _public(emulator, "GET", f"{path}&expand[]=payment_method")
    assert (status, answer["payment_method"]["object"]) == (200, "payment_method")


def test_refusals_show_the_publishable_key_no_more_than_the_intent_itself(
    emulator: Emulator, stripe: StripeClient, intent: Any
) -> None:
    stripe.v1.payment_intents.confirm(intent.id)
    path, body = f"/v1/payment_intents/{intent.id}/confirm", f"client_secret={intent.client_secret}"
    status, answer = _public(emulator, "POST", path, body)
    assert (status, answer["error"]["code"]) == (400, "payment_intent_unexpected_state")
    assert answer["error"]["payment_intent"]["status"] == "succeeded"
    assert "of no concern" not in json.dumps(answer)


def test_refusals_of_setup_intents_do_not_either(emulator: Emulator, stripe: StripeClient) -> None:
    setup = stripe.v1.setup_intents.create({"metadata": {"margin": "of no concern"}})
    path, secret = f"/v1/setup_intents/{setup.id}/confirm", f"client_secret={setup.client_secret}"
    declined = f"{secret}&payment_method=pm_card_chargeDeclined"
    status, answer = _public(emulator, "POST", path, declined)
    assert (status, answer["error"]["setup_intent"]["id"]) == (402, setup.id)
    assert "of no concern" not in json.dumps(answer)
    stripe.v1.setup_intents.cancel(setup.id)
    status, answer = _public(emulator, "POST", path, f"{secret}&payment_method=pm_card_visa")
    assert (status, answer["error"]["code"]) == (400, "setup_intent_unexpected_state")
    assert "of no concern" not in json.dumps(answer)


def test_a_publishable_key_is_not_given_the_answer_kept_for_a_secret_one(
    emulator: Emulator, stripe: StripeClient, intent: Any
) -> None:
    path, body = f"/v1/payment_intents/{intent.id}/confirm", f"client_secret={intent.client_secret}"
    kept = emulator.api("POST", path, body, Idempotency_Key="one")
    assert kept[2]["metadata"]["margin"]
    status, answer = emulator.call(
        "POST",
        path,
        body.encode(),
        {"Authorization": f"Bearer {emulator.publishable_key}", "Idempotency-Key": "one"},
    )
    assert (status, answer["error"]["type"]) == (400, "idempotency_error")


def test_a_restricted_key_expands_only_what_it_may_read(
    emulator: Emulator, stripe: StripeClient, intent: Any
) -> None:
    made = emulator.control(
        "POST", "/restricted_keys", {"permissions": {"payment_intents": "read"}}
    )
    client = emulator.client(made["key"])
    assert client.v1.payment_intents.retrieve(intent.id).customer == intent.customer
    with pytest.raises(sdk.PermissionError) as caught:
        client.v1.payment_intents.retrieve(intent.id, {"expand": ["customer"]})
    assert "rak_customers_read" in str(caught.value)
    both = {"payment_intents": "read", "customers": "read"}
    more = emulator.client(
        emulator.control("POST", "/restricted_keys", {"permissions": both})["key"]
    )
    shown = more.v1.payment_intents.retrieve(intent.id, {"expand": ["customer"]})
    assert shown.customer.email == "private@example.com"  # type: ignore[union-attr]


def test_restricted_keys_are_in_the_state_file_and_outlive_a_reset(tmp_path: Path) -> None:
    with running(state=tmp_path / "state.db") as first:
        key = first.control("POST", "/restricted_keys", {"permissions": {"customers": "read"}})[
            "key"
        ]
        first.control("POST", "/reset")
        assert first.client(key).v1.customers.list().data == []
    with running(state=tmp_path / "state.db") as second:
        client = second.client(key)
        assert client.v1.customers.list().data == []
        with pytest.raises(sdk.PermissionError):
            client.v1.customers.create({})
