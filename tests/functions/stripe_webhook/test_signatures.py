"""Who may speak as Stripe: only what one of the endpoint's own secrets signed, lately."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from common import bootstrap
from common.settings import load
from emulator.stack.handle import RunningStack
from functions.stripe_webhook.main import stripe_webhook
from tests.functions.deliveries import Endpoint, an_event, remembered, signature
from tests.support.api import Api
from tests.support.market import Market, fresh


@pytest.fixture
def endpoint(stack: RunningStack, api: Api) -> Endpoint:
    return Endpoint.of(stack, api)


def a_charge_event(**fields: Any) -> dict[str, Any]:
    """An event of interest about a charge of nobody's."""
    return an_event("charge.succeeded", {"id": "ch_nobodys", "status": "succeeded"}, **fields)


def test_a_well_signed_event_is_received_and_remembered(market: Market, endpoint: Endpoint) -> None:
    event = a_charge_event()
    told = endpoint.deliver(event).ok()
    assert told["received"] is True
    assert told["eventId"] == event["id"]
    assert told["outcome"] in ("processed", "ignored")
    kept = remembered(market, event["id"])
    assert kept is not None
    assert (kept["type"], kept["outcome"]) == (event["type"], told["outcome"])


def test_a_token_is_neither_needed_nor_enough(api: Api, endpoint: Endpoint) -> None:
    payload = json.dumps(a_charge_event()).encode()
    headers = {"Content-Type": "application/json"}
    api.as_operator().send("POST", "/stripe-webhook", payload, headers).refused(400)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        "t=,v1=",
        "v1=00",
        "t=then,v1=00",
        f"t=now,v1={'0' * 64}",
        f"t=now,v0={'0' * 64}",
        "t=now",
    ],
)
def test_a_header_that_is_no_signature_is_a_400_and_nothing_is_remembered(
    market: Market, endpoint: Endpoint, header: str
) -> None:
    event = a_charge_event()
    sent = header.replace("now", str(int(time.time())))
    answer = endpoint.raw(json.dumps(event).encode(), {"Stripe-Signature": sent})
    answer.refused(400)
    assert remembered(market, event["id"]) is None


def test_no_header_at_all_is_a_400(market: Market, endpoint: Endpoint) -> None:
    event = a_charge_event()
    endpoint.raw(json.dumps(event).encode(), {}).refused(400)
    assert remembered(market, event["id"]) is None


def test_somebody_elses_secret_is_a_400(market: Market, endpoint: Endpoint) -> None:
    event = a_charge_event()
    endpoint.deliver(event, f"whsec_{secrets.token_hex(16)}").refused(400)
    endpoint.deliver(event, "").refused(400)
    assert remembered(market, event["id"]) is None


def test_one_changed_byte_is_a_400(market: Market, endpoint: Endpoint) -> None:
    event = a_charge_event()
    payload = json.dumps(event).encode()
    header = {"Stripe-Signature": signature(payload, endpoint.platform_secret)}
    endpoint.raw(payload.replace(b"nobodys", b"nobodyS"), header).refused(400)
    assert remembered(market, event["id"]) is None
    endpoint.raw(payload, header).ok()


def test_a_signature_older_than_five_minutes_is_a_400(market: Market, endpoint: Endpoint) -> None:
    event = a_charge_event()
    endpoint.deliver(event, at=time.time() - 310).refused(400)
    assert remembered(market, event["id"]) is None
    endpoint.deliver(event, at=time.time() - 240).ok()


def test_an_event_of_an_account_counts_only_under_the_connect_secret(
    market: Market, endpoint: Endpoint
) -> None:
    provider = market.a_provider()
    thing = {"id": provider.account_id, "object": "account"}
    event = an_event("account.updated", thing, account=provider.account_id)
    endpoint.deliver(event, endpoint.platform_secret).refused(400)
    assert remembered(market, event["id"]) is None
    assert endpoint.deliver(event, endpoint.connect_secret).ok()["outcome"] == "processed"


def test_an_event_of_the_platform_counts_only_under_the_platform_secret(
    market: Market, endpoint: Endpoint
) -> None:
    event = a_charge_event()
    endpoint.deliver(event, endpoint.connect_secret).refused(400)
    assert remembered(market, event["id"]) is None
    endpoint.deliver(event, endpoint.platform_secret).ok()


@pytest.mark.parametrize("account", [None, "", 0, False])
def test_an_empty_account_does_not_turn_a_connect_event_into_one_of_the_platform(
    market: Market, endpoint: Endpoint, account: object
) -> None:
    event = {**a_charge_event(), "account": account}
    payload = json.dumps(event).encode()
    header = {"Stripe-Signature": signature(payload, endpoint.connect_secret)}
    endpoint.raw(payload, header).refused(400)
    assert remembered(market, event["id"]) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"not json",
        b'{"id": "evt_1"}',
        b'{"id": "evt_1", "type": "charge.succeeded", "data": []}',
        b'{"id": "evt_1", "type": "charge.succeeded", "data": {"object": "ch_1"}}',
        b'{"id": 7, "type": "charge.succeeded", "data": {"object": {}}}',
        b'{"id": "evt_1", "type": null, "data": {"object": {}}}',
        b'{"id": "evt/1", "type": "charge.succeeded", "data": {"object": {}}}',
        b'{"id": "", "type": "charge.succeeded", "data": {"object": {}}}',
        b'{"object": "v2.core.event", "id": "evt_1", "type": "v1.charge.succeeded"}',
        b"[" * 100_000,
    ],
    ids=lambda payload: payload[:40].decode(),
)
def test_what_is_no_snapshot_event_is_a_400_even_when_well_signed(
    endpoint: Endpoint, payload: bytes
) -> None:
    endpoint.deliver(payload, endpoint.platform_secret).refused(400)


def test_an_event_of_live_mode_has_no_effect_in_test_mode(
    market: Market, endpoint: Endpoint
) -> None:
    event = a_charge_event(livemode=True)
    assert endpoint.deliver(event).ok()["outcome"] == "ignored"


class Function:
    """The function as it is deployed, in this process, with webhook secrets of a test's choice."""

    def __init__(self, env: dict[str, str], patch: pytest.MonkeyPatch) -> None:
        self._env, self._patch = env, patch
        self._app = Flask(__name__)

    def with_secrets(self, platform: str, connect: str) -> Function:
        env = {
            **self._env,
            "STRIPE_WEBHOOK_SECRET": platform,
            "STRIPE_CONNECT_WEBHOOK_SECRET": connect,
        }
        self._patch.setattr(bootstrap, "_services", bootstrap.build(load(env)))
        return self

    def deliver(self, event: dict[str, Any], secret: str) -> int:
        payload = json.dumps(event).encode()
        headers = {"Stripe-Signature": signature(payload, secret)}
        with self._app.test_request_context(
            "/", method="POST", data=payload, headers=headers
        ) as context:
            return stripe_webhook(context.request).status_code


@pytest.fixture
def function(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore)
    env = {
        "GOOGLE_CLOUD_PROJECT": stack.project,
        "STRIPE_SECRET_KEY": stack.stripe_key,
        "STRIPE_API_BASE": stack.stripe,
        "APP_URL": "https://example.com",
        "LOG_LEVEL": "ERROR",
    }
    yield Function(env, monkeypatch)
    bootstrap.services().store.client.close()  # type: ignore[no-untyped-call]


def test_during_a_rotation_the_new_and_the_previous_secret_both_count(function: Function) -> None:
    new, old, older = (f"whsec_{secrets.token_hex(16)}" for _ in range(3))
    connect_new, connect_old = (f"whsec_{secrets.token_hex(16)}" for _ in range(2))
    function.with_secrets(f"{new},{old}", f"{connect_new}, {connect_old}")
    for secret in (new, old):
        assert function.deliver(a_charge_event(), secret) == 200
    assert function.deliver(a_charge_event(), older) == 400
    for secret in (connect_new, connect_old):
        event = an_event("person.updated", {"id": "person_1"}, account=f"acct_{fresh('x')}")
        assert function.deliver(event, secret) == 200
        assert function.deliver(a_charge_event(), secret) == 400


def test_an_endpoint_without_a_secret_accepts_nothing(function: Function) -> None:
    function.with_secrets("", "")
    assert function.deliver(a_charge_event(), "") == 400
    event = an_event("account.updated", {"id": "acct_1"}, account="acct_1")
    assert function.deliver(event, "") == 400
