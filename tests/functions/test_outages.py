"""Firestore out of reach: a 503 in good time, and the same request goes on when it is back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Response

from common import deadline
from common.errors import Unavailable
from common.store.collections import Key
from common.store.store import Create, Store
from emulator.stack.handle import RunningStack
from tests.support.market import Market, fresh
from tests.support.proxy import Proxy
from tests.support.tokens import unsigned_token
from tests.sweep.faults import Faults
from tests.sweep.here import Here, emulators

#: Instead of 50: what a request may take here.
SECONDS = 2
#: Beside the deadline itself: threads, connections, this machine.
SLACK = 3


@pytest.fixture
def proxy(stack: RunningStack) -> Iterator[Proxy]:
    """Between this process and the stack's Firestore."""
    proxy = Proxy(stack.firestore)
    yield proxy
    proxy.close()


@pytest.fixture
def here(stack: RunningStack, market: Market, proxy: Proxy) -> Iterator[Here]:
    """The functions in this process; their Firestore is behind the proxy."""
    with emulators(replace(stack, firestore=proxy.address)):
        one = Here(stack, market.control.now, request_seconds=SECONDS)
        assert one.services.store.client is not None
        with one.installed():
            yield one


@pytest.fixture
def store(here: Here) -> Iterator[Store]:
    with deadline.within(SECONDS):
        yield here.services.store


def a_booking(market: Market) -> tuple[str, dict[str, Any]]:
    service = market.a_service(market.a_provider())
    start = market.control.now() + timedelta(days=2)
    customer = fresh("customer")
    body = {
        "action": "CREATE_BOOKING",
        "serviceId": service.id,
        "customerEmail": f"{customer}@example.com",
        "startDateTime": start.isoformat(),
        "endDateTime": (start + timedelta(hours=1)).isoformat(),
    }
    return customer, body


def ask(here: Here, market: Market, uid: str, body: dict[str, Any], key: str) -> Response:
    token = unsigned_token(uid, project=here.settings.project)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    return here.answer("booking-processor", json.dumps(body).encode(), headers, Faults())


@pytest.mark.parametrize("mode", ["stall", "cut", "deaf"])
def test_an_outage_ends_in_a_503_and_the_same_request_then_goes_on(
    here: Here, market: Market, proxy: Proxy, mode: str
) -> None:
    (customer, body), key = a_booking(market), fresh("key")
    proxy.mode = mode
    begun = time.monotonic()
    refused = ask(here, market, customer, body, key)
    assert time.monotonic() - begun < SECONDS + SLACK
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    market.control.advance(10)  # the lease of the first try has ended
    fields = {name: value for name, value in body.items() if name != "action"}
    caller = market.api.as_user(customer)
    told = caller.post("booking-processor", "CREATE_BOOKING", idempotency_key=key, **fields).ok()
    listed = caller.post("booking-processor", "LIST_BOOKINGS").ok()
    assert [one["id"] for one in listed["bookings"]] == [told["bookingId"]]


def test_a_read_outlives_a_short_outage(store: Store, proxy: Proxy) -> None:
    key = Key("cursors", fresh("cursor"))
    with deadline.within(10):
        store.commit([Create(key, {"n": 1})])
        proxy.mode = "cut"
        threading.Timer(0.3, lambda: setattr(proxy, "mode", "pass")).start()
        assert store.read([key])[key].data == {"n": 1}


def test_a_commit_without_an_answer_is_not_sent_again(store: Store, proxy: Proxy) -> None:
    key = Key("cursors", fresh("cursor"))
    store.read([key])  # the connection stands
    proxy.mode = "deaf"
    with pytest.raises(Unavailable):
        store.commit([Create(key, {"n": 1})])
    proxy.mode = "cut"
    proxy.mode = "pass"
    with deadline.within(10):
        assert store.read([key])[key].data == {"n": 1}


def test_nothing_is_begun_when_the_time_is_over(here: Here, store: Store) -> None:
    with deadline.within(0):
        with pytest.raises(Unavailable):
            store.read([Key("cursors", "any")])
        with pytest.raises(Unavailable):
            here.services.stripe.payment_intent("pi_any")


def test_a_requests_deadline_ends_with_the_request(here: Here, market: Market) -> None:
    customer, body = a_booking(market)
    assert ask(here, market, customer, body, fresh("key")).status_code in (200, 503)
    assert deadline.left() == deadline.UNLIMITED_SECONDS
