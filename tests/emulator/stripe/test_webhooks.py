"""Webhooks: scope, signature, order, retries and the modes tests can set."""

from __future__ import annotations

import time

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe import openapi
from tests.emulator.stripe.driver import Emulator, Marketplace, Receiver


def listen(stripe: StripeClient, receiver: Receiver, connect: bool = False) -> str:
    """An endpoint for everything; returns its secret."""
    endpoint = stripe.v1.webhook_endpoints.create(
        {
            "url": receiver.url,
            "enabled_events": ["*"],
            "connect": connect,
            "api_version": "2026-10-28.endive",  # type: ignore[typeddict-item]
        }
    )
    assert endpoint.secret is not None
    assert endpoint.secret.startswith("whsec_")
    return endpoint.secret


def test_events_arrive_in_order_and_signed_for_the_real_time(
    stripe: StripeClient, market: Marketplace, receiver: Receiver, emulator: Emulator
) -> None:
    secret = listen(stripe, receiver)
    emulator.advance(30 * 86400)
    market.payment()
    assert receiver.types == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]
    for body, header in receiver.received:
        event = stripe.construct_event(body, header, secret)
        assert event.created > time.time() + 29 * 86400
        schema = openapi.object_schema(event.data.object["object"])
        assert schema is not None
        assert openapi.problems(event.data.object.to_dict(), schema) == []
    with pytest.raises(sdk.SignatureVerificationError):
        stripe.construct_event(receiver.received[0][0] + b" ", receiver.received[0][1], secret)
    updated = receiver.events[-1]
    assert updated["data"]["previous_attributes"] == {"balance_transaction": None}
    assert receiver.events[0]["request"]["id"].startswith("req_")
    assert updated["request"] == {"id": None, "idempotency_key": None}


def test_platform_and_connect_endpoints_get_their_own_events_only(
    stripe: StripeClient, market: Marketplace, receiver: Receiver, emulator: Emulator
) -> None:
    with Receiver() as connect:
        listen(stripe, receiver)
        listen(stripe, connect, connect=True)
        account = market.account()
        market.transfer(account, 10_00, market.payment(card="pm_card_bypassPending"))
        emulator.idle()
        assert {"account" in event for event in receiver.events} == {False}
        assert {event.get("account") for event in connect.events} == {account.id}
        assert "account.updated" in connect.types
        assert "transfer.created" in receiver.types
        assert "transfer.created" not in connect.types


def test_only_the_enabled_events_of_an_enabled_endpoint_are_sent(
    stripe: StripeClient, market: Marketplace, receiver: Receiver
) -> None:
    endpoint = stripe.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["charge.updated"]}
    )
    market.payment()
    assert receiver.types == ["charge.updated"]
    stripe.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    market.payment()
    assert receiver.types == ["charge.updated"]


def test_a_refused_delivery_is_tried_again_by_the_clock_for_three_days(
    stripe: StripeClient, receiver: Receiver, emulator: Emulator
) -> None:
    listen(stripe, receiver)
    receiver.answers = [500, 302, 404]
    stripe.v1.customers.create({"name": "a"})
    emulator.idle()
    assert len(receiver.received) == 1
    for seconds, attempts in ((9, 1), (1, 2), (60, 3), (3600, 4), (86400, 4)):
        emulator.advance(seconds)
        assert len(receiver.received) == attempts
    assert len({event["id"] for event in receiver.events}) == 1
    assert emulator.state()["deliveries"] == []
    receiver.answers = [500] * 100
    stripe.v1.customers.create({"name": "b"})
    emulator.idle()
    for seconds in (10, 60, 3600, 21600, 43200, 86400, 86400, 86400, 86400):
        emulator.advance(seconds)
    assert len(receiver.received) == 4 + 8
    assert emulator.state()["deliveries"] == []


def test_events_that_were_not_delivered_can_be_listed(
    stripe: StripeClient, receiver: Receiver, emulator: Emulator
) -> None:
    listen(stripe, receiver)
    receiver.answers = [500]
    stripe.v1.customers.create({"name": "a"})
    stripe.v1.customers.create({"name": "b"})
    emulator.idle()
    failed = stripe.v1.events.list({"delivery_success": False}).data
    assert [event.data.object["name"] for event in failed] == ["a"]
    assert failed[0].pending_webhooks == 1
    emulator.control("POST", f"/events/{failed[0].id}/redeliver")
    emulator.idle()
    assert stripe.v1.events.list({"delivery_success": False}).data == []


@pytest.mark.parametrize(("mode", "order"), [("hold", [0, 1, 2]), ("reverse", [2, 1, 0])])
def test_held_events_go_out_on_release(
    stripe: StripeClient, receiver: Receiver, emulator: Emulator, mode: str, order: list[int]
) -> None:
    listen(stripe, receiver)
    emulator.control("POST", "/webhooks", {"mode": mode})
    for name in ("0", "1", "2"):
        stripe.v1.customers.create({"name": name})
    emulator.idle()
    assert receiver.received == []
    emulator.control("POST", "/webhooks", {"mode": "normal"})
    emulator.control("POST", "/webhooks/release", {})
    emulator.idle()
    assert [int(e["data"]["object"]["name"]) for e in receiver.events] == order


def test_held_events_go_out_in_a_given_order(
    stripe: StripeClient, receiver: Receiver, emulator: Emulator
) -> None:
    listen(stripe, receiver)
    emulator.control("POST", "/webhooks", {"mode": "hold"})
    for name in ("0", "1", "2"):
        stripe.v1.customers.create({"name": name})
    events = [event.id for event in stripe.v1.events.list().data][::-1]
    wanted = [events[1], events[2], events[0]]
    emulator.control("POST", "/webhooks/release", {"order": ["evt_none"]}, status=400)
    emulator.control("POST", "/webhooks/release", {"order": wanted})
    emulator.idle()
    assert [event["id"] for event in receiver.events] == wanted


def test_dropped_events_never_arrive_and_duplicates_arrive_twice(
    stripe: StripeClient, receiver: Receiver, emulator: Emulator
) -> None:
    listen(stripe, receiver)
    emulator.control("POST", "/webhooks", {"mode": "drop"})
    stripe.v1.customers.create({"name": "lost"})
    emulator.idle()
    emulator.control("POST", "/webhooks", {"mode": "duplicate"})
    stripe.v1.customers.create({"name": "twice"})
    emulator.idle()
    names = [event["data"]["object"]["name"] for event in receiver.events]
    assert names == ["twice", "twice"]
    emulator.control("POST", "/webhooks", {"mode": "normal"})
    emulator.control("POST", "/webhooks/release", {})
    emulator.idle()
    assert len(receiver.received) == 2
    lost = stripe.v1.events.list({"type": "customer.created"}).data[-1]
    emulator.control("POST", f"/events/{lost.id}/redeliver")
    emulator.idle()
    assert receiver.events[-1]["data"]["object"]["name"] == "lost"


def test_a_snapshot_does_not_change_when_its_object_does(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    transfer = market.transfer(account, 10_00, market.payment(card="pm_card_bypassPending"))
    stripe.v1.transfers.reversals.create(transfer.id)
    event = stripe.v1.events.list({"type": "transfer.created"}).data[0]
    assert event.data.object["reversals"]["data"] == []
    assert event.data.object["amount_reversed"] == 0
    assert stripe.v1.events.retrieve(event.id).data.object["reversed"] is False


def test_an_endpoint_shows_its_secret_once_and_sixteen_are_enough(stripe: StripeClient) -> None:
    first = stripe.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/x", "enabled_events": ["*"]}
    )
    assert "secret" in first
    assert "secret" not in stripe.v1.webhook_endpoints.retrieve(first.id)
    for _ in range(15):
        stripe.v1.webhook_endpoints.create(
            {"url": "http://127.0.0.1:9/x", "enabled_events": ["charge.updated"]}
        )
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.webhook_endpoints.create(
            {"url": "http://127.0.0.1:9/x", "enabled_events": ["charge.updated"]}
        )
