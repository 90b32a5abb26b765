"""The Stripe emulator as a process of the stack, and the two webhook endpoints made there."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emulator.stack.environment import StripeAccess
from emulator.stack.errors import StackError
from emulator.stack.process import Process

if TYPE_CHECKING:
    from stripe import StripeClient

API_VERSION: Final = "2026-10-28.endive"
"""The version the SDK in requirements.txt is pinned to: events are rendered in it too."""

MADE_BY = {"made_by": "local-stack"}
"""Metadata of our endpoints, so that those of an earlier run (--state) can be told and removed."""


def command(
    port: int, clock_file: Path, state: Path | None, secret_key: str | None = None
) -> list[str]:
    """How the emulator is started; ``secret_key`` when it is started again and must keep it."""
    line = [sys.executable, "-m", "emulator", "stripe", "--port", str(port)]
    line += ["--clock-file", str(clock_file)]
    if state is not None:
        line += ["--state", str(state)]
    if secret_key is not None:
        line += ["--secret-key", secret_key]
    return line


async def ready_line(process: Process, timeout_seconds: float = 20.0) -> Mapping[str, str]:
    """Wait for the one JSON line it prints when it answers: url, secretKey, publishableKey."""
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    while asyncio.get_running_loop().time() < deadline:
        for line in process.output().splitlines():
            if line.startswith("{") and "secretKey" in line and line.endswith("}"):
                found: dict[str, str] = json.loads(line)
                return found
        if process.exit_code is not None:
            break
        await asyncio.sleep(0.03)
    raise StackError(f"The Stripe emulator did not start.\n{process.last_lines()}")


def make_endpoints(told: Mapping[str, str], webhook_url: str) -> StripeAccess:
    """Make the platform's and the Connect endpoint with the official SDK; blocking.

    ``told`` is the emulator's ready line.
    """
    from stripe import StripeClient  # 0.2 s: imported while the others start

    client = StripeClient(told["secretKey"], base_addresses={"api": told["url"]})
    for endpoint in client.v1.webhook_endpoints.list({"limit": 100}).auto_paging_iter():
        if endpoint.metadata.to_dict() == MADE_BY:
            client.v1.webhook_endpoints.delete(endpoint.id)
    return StripeAccess(
        api_base=told["url"],
        secret_key=told["secretKey"],
        publishable_key=told["publishableKey"],
        platform_webhook_secret=_make(client, webhook_url, connect=False),
        connect_webhook_secret=_make(client, webhook_url, connect=True),
    )


def _make(client: StripeClient, url: str, *, connect: bool) -> str:
    """Make one endpoint; returns its signing secret, which Stripe tells only now."""
    endpoint = client.v1.webhook_endpoints.create(
        {
            "url": url,
            "connect": connect,
            "enabled_events": listed_events("CONNECT_EVENTS" if connect else "PLATFORM_EVENTS"),  # type: ignore[typeddict-item]  # names are data here
            "api_version": API_VERSION,
            "metadata": MADE_BY,
            "description": "Connected accounts" if connect else "Platform",
        }
    )
    if not endpoint.secret:
        raise StackError("The Stripe emulator made a webhook endpoint without a secret.")
    return endpoint.secret


def listed_events(attribute: str) -> list[str]:
    """The events that the functions say they handle; all of them where they name none."""
    try:
        events = importlib.import_module("common.webhooks.events")
    except ModuleNotFoundError:
        return ["*"]
    return sorted(getattr(events, attribute, ["*"]))


def real_stripe(shell: Mapping[str, str]) -> StripeAccess:
    """Stripe's own test mode, from the person's environment; never a live key."""
    key, secret = shell.get("STRIPE_SECRET_KEY", ""), shell.get("STRIPE_WEBHOOK_SECRET", "")
    if not key.startswith("sk_test_"):
        raise StackError("--real-stripe needs STRIPE_SECRET_KEY to be a test key (sk_test_…).")
    if not secret.startswith("whsec_"):
        raise StackError(
            "--real-stripe needs STRIPE_WEBHOOK_SECRET: the whsec_… that\n  stripe listen "
            "--forward-to URL/stripe-webhook --forward-connect-to URL/stripe-webhook\nprints."
        )
    connect = shell.get("STRIPE_CONNECT_WEBHOOK_SECRET") or secret
    return StripeAccess(None, key, None, secret, connect)
