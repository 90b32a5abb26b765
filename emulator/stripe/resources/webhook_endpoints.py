"""Webhook endpoints of the platform."""

from __future__ import annotations

from urllib.parse import urlsplit

from emulator.stripe.errors import refused
from emulator.stripe.params import boolean, many, merged_metadata, metadata, text
from emulator.stripe.resources.common import deleted, listing, retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import API_VERSION

KINDS = [Kind("webhook_endpoint", "we", noun="webhook endpoint")]
MOST = 16


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    if len(world.store.index("webhook_endpoint", call.account)) >= MOST:
        raise refused(f"You have reached the maximum of {MOST} test webhook endpoints.")
    _check_url(p["url"])
    if p.get("api_version", API_VERSION) != API_VERSION:
        raise refused(
            f"The Stripe emulator renders events of {API_VERSION} only.", param="api_version"
        )
    secret = world.ids.new("whsec", 32)
    endpoint: Obj = {
        "id": world.ids.new("we"),
        "object": "webhook_endpoint",
        "api_version": p.get("api_version"),
        "application": None,
        "created": world.now,
        "description": p.get("description"),
        "enabled_events": p["enabled_events"],
        "livemode": False,
        "metadata": merged_metadata({}, p.get("metadata", {})),
        "status": "enabled",
        "url": p["url"],
        "_connect": p.get("connect", False),
        "_secret": secret,
    }
    world.store.insert("webhook_endpoint", endpoint, call.account, world.now)
    return {**endpoint, "secret": secret}


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise refused(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            param="url",
            code="url_invalid",
        )


def update(call: Call) -> Obj:
    endpoint, p = call.edit("webhook_endpoint"), call.params
    if "url" in p:
        _check_url(p["url"])
        endpoint["url"] = p["url"]
    if "enabled_events" in p:
        endpoint["enabled_events"] = p["enabled_events"]
    if "description" in p:
        endpoint["description"] = p["description"]
    if "disabled" in p:
        endpoint["status"] = "disabled" if p["disabled"] else "enabled"
    if "metadata" in p:
        endpoint["metadata"] = merged_metadata(endpoint["metadata"], p["metadata"])
    return endpoint


def delete(call: Call) -> Obj:
    endpoint = call.own("webhook_endpoint")
    call.world.store.delete("webhook_endpoint", endpoint["id"])
    return deleted(endpoint)


_ID = "/v1/webhook_endpoints/{id}"
OPERATIONS = [
    Operation(
        "POST",
        "/v1/webhook_endpoints",
        create,
        {
            "url": text().needed(),
            "enabled_events": many(text()).needed(),
            "api_version": text(),
            "connect": boolean(),
            "description": text().clearable(),
            "metadata": metadata(),
        },
    ),
    listing("webhook_endpoint", "/v1/webhook_endpoints", created=False),
    retrieving("webhook_endpoint", _ID),
    Operation(
        "POST",
        _ID,
        update,
        {
            "url": text(),
            "enabled_events": many(text()),
            "disabled": boolean(),
            "description": text().clearable(),
            "metadata": metadata(),
        },
    ),
    Operation("DELETE", _ID, delete),
]
