"""Webhook deliveries as Stripe makes them, signed here so that a test may sign them wrongly."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from emulator.stack.handle import RunningStack
from tests.support.api import Answer, Api
from tests.support.market import Market, fresh


def signature(payload: bytes, secret: str, at: float | None = None) -> str:
    """The ``Stripe-Signature`` of a payload: HMAC-SHA256 over ``{t}.{payload}``.

    Source: https://docs.stripe.com/webhooks#verify-manually.
    """
    stamp = int(time.time() if at is None else at)
    signed = f"{stamp}.".encode() + payload
    return f"t={stamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def an_event(
    type: str, thing: dict[str, Any], *, account: str | None = None, **fields: Any
) -> dict[str, Any]:
    """A snapshot event of Stripe about ``thing``, with an id that nobody has seen."""
    event = {
        "id": fresh("evt").replace("-", "_"),
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": type,
        "data": {"object": thing},
        **fields,
    }
    return event if account is None else {**event, "account": account}


@dataclass(frozen=True)
class Endpoint:
    """Delivers to the stack's webhook function with the secrets of its two endpoints."""

    api: Api
    platform_secret: str
    connect_secret: str

    @classmethod
    def of(cls, stack: RunningStack, api: Api) -> Endpoint:
        platform, connect = stack.webhook_secrets
        return cls(api, platform, connect)

    def deliver(
        self, event: dict[str, Any] | bytes, secret: str | None = None, *, at: float | None = None
    ) -> Answer:
        """Send an event signed as its endpoint would, or with another secret or time."""
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        if secret is None:
            connected = not isinstance(event, bytes) and "account" in event
            secret = self.connect_secret if connected else self.platform_secret
        return self.raw(payload, {"Stripe-Signature": signature(payload, secret, at)})

    def raw(self, payload: bytes, headers: dict[str, str]) -> Answer:
        """Bytes and headers as they stand."""
        sent = {"Content-Type": "application/json; charset=utf-8", **headers}
        return self.api.request("POST", "/stripe-webhook", data=payload, headers=sent)


def events_of(market: Market, type: str, object_id: str) -> list[dict[str, Any]]:
    """The platform's events of one type about one object, newest first."""
    listed = market.stripe.v1.events.list({"type": type, "limit": 100})
    found = [json.loads(str(event)) for event in listed.auto_paging_iter()]
    return [event for event in found if event["data"]["object"]["id"] == object_id]


def remembered(market: Market, event_id: str) -> dict[str, Any] | None:
    """What the service keeps of an event."""
    return market.db.collection("webhookEvents").document(event_id).get().to_dict()
