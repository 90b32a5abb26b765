"""Stripe's official client, sync or async, with every answer checked and every call noted."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import stripe as sdk
from stripe import StripeClient

from emulator.stripe.registry import operations
from emulator.stripe.routes import Router
from tests.emulator.stripe import openapi

#: "async": the tests' calls go through the SDK's asynchronous methods.
MODE = "STRIPE_TESTS_SDK"
#: A file that gets a line for every operation that has answered the SDK with success.
DRIVEN = "STRIPE_TESTS_DRIVEN"


def official(key: str, url: str, **options: Any) -> StripeClient:
    """An official client without retries of its own."""
    client = StripeClient(
        key,
        base_addresses={"api": url, "files": url},
        max_network_retries=0,
        http_client=_Checking(timeout=20, async_fallback_client=_CheckingAsync(timeout=20)),
        **options,
    )
    if os.environ.get(MODE) == "async":
        return cast(StripeClient, _Throughout(client))
    return client


class _Checking(sdk.RequestsClient):
    """Stripe's own HTTP client; each successful answer must fit Stripe's OpenAPI document."""

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        content, status, answered = super().request(method, url, headers, post_data)
        checked(method, url, json.loads(content), status)
        _note(method, url, status)
        return content, status, answered


class _CheckingAsync(sdk.HTTPXClient):
    """The same for the asynchronous client."""

    async def request_async(
        self, method: str, url: str, headers: Any, post_data: Any = None
    ) -> Any:
        content, status, answered = await super().request_async(method, url, headers, post_data)
        checked(method, url, json.loads(content), status)
        _note(method, url, status)
        return content, status, answered


def checked(method: str, url: str, answer: Any, status: int) -> None:
    """An answer, refusals included, must fit Stripe's document."""
    path = urlsplit(url).path
    if status == 200:
        schema = openapi.response_schema(method, path)
        found = openapi.problems(answer, schema) if schema is not None else []
    else:
        found = openapi.error_problems(answer)
    assert not found, f"{method} {path} ({status}) does not fit Stripe's document: {found[:8]}"


def _note(method: str, url: str, status: int) -> None:
    """What the SDK itself has driven to a success."""
    file = os.environ.get(DRIVEN)
    found = _router().find(method.upper(), urlsplit(url).path) if file else None
    if file and found is not None and status == 200:
        with Path(file).open("a") as lines:
            lines.write(f"{found[0].method} {found[0].path}\n")


@cache
def _router() -> Router:
    return Router(operations())


class _Throughout:
    """A client or one of its services, whose every method is its asynchronous twin, waited for."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        twin = getattr(type(self._target), f"{name}_async", None)
        if twin is not None:
            return lambda *args, **more: _waited(twin(self._target, *args, **more))
        found = getattr(self._target, name)
        ours = type(found).__name__.endswith("Service") or name == "v1"
        return _Throughout(found) if ours else found


def _waited(work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(30)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One loop for the run: the SDK's client keeps its connections on it."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop
