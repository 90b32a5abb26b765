"""Whatever order Stripe's events come in, and however often each, the books end the same.

One life is played while every delivery is held: what people did stands, what Stripe tells of it
does not. Then the stack hears it all in order. Copies of the same beginning, each in a Firestore
project of its own, hear the same events in other orders, some of them twice or three times.
Source: invariant I22.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client as FirestoreClient
from stripe import CardError, StripeClient

from common.bootstrap import Services
from common.errors import AppError
from common.settings import Settings
from common.store.store import Store
from common.stripe_gateway.calls import Call, Json
from common.stripe_gateway.gateway import Gateway
from common.stripe_gateway.lookup import can_find
from common.webhooks.dispatch import CONNECT, PLATFORM, process
from emulator.stack.handle import RunningStack
from tests.functions.acts import AT_ONCE, as_customer, charge_of, soon
from tests.functions.books import books_balance
from tests.functions.inside import services_on
from tests.support.api import Api
from tests.support.market import Booking, Market, Provider
from tests.support.stripe_control import StripeControl

#: Orders beside the natural one: turned round, and shuffled by these numbers.
SEEDS = range(8)
#: Stripe sends again what was answered by a 5xx; nothing needs more rounds than this.
MOST_ROUNDS = 6
#: What differs between two histories that come to the same: instants, and whose request it was.
_WHEN = frozenset({"createdAt", "why"})
Documents = dict[str, dict[str, Any]]


class Remembering(Gateway):
    """Stripe, where what some order has made once is there for the others: as its idempotency keys
    give it, whichever request asked."""

    def __init__(self, settings: Settings, since: datetime) -> None:
        super().__init__(settings)
        self._since = since

    def perform(self, call: Call) -> Json:
        known = self.find(call, self._since) if can_find(call) else None
        if known is None:  # refused before, and so again: under a key of this order's own
            return super().perform(replace(call, idempotency_key=f"{uuid.uuid4().hex}"))
        assert known.get("amount") == call.params.get("amount"), (known, call)
        return known


@dataclass(frozen=True)
class Life:
    """What was there before any event was heard, the events, and the ledger that the stack made."""

    services: Services
    since: datetime
    before: dict[str, Documents]
    events: list[Json]
    bookings: list[Booking]
    books: dict[str, Any]


@pytest.fixture(scope="module")
def life(
    stack: RunningStack, api: Api, stripe: StripeClient, db: FirestoreClient
) -> Iterator[Life]:
    market = Market(api, StripeControl(stack.stripe), stripe, db)
    since = market.control.now()
    provider = market.a_provider()
    market.control.webhooks("hold")
    try:
        bookings = _lived(market, provider)
        told = {provider.uid, *(one.id for one in bookings)}
        before = _documents(db, told)
    finally:
        market.control.webhooks("normal")
        market.control.release_webhooks()
        market.control.idle()
    with services_on(stack, market) as services:
        events = _events(market, since, str(provider.account_id))
        books = _books(_documents(db, told), provider.uid)
        yield Life(services, since, before, events, bookings, books)


def _lived(market: Market, provider: Provider) -> list[Booking]:
    """Paid, declined first, refunded at Stripe, disputed and won or lost, reviewed, paid out, and
    refunded at Stripe after that."""
    service = market.a_service(provider, capacityMode="SEATS", capacity=20)

    def booked(pm: str = "pm_card_visa") -> Booking:
        booking = market.a_booking(service, starts_in=timedelta(hours=300))
        market.pay(booking, pm)
        return booking

    paid, refunded, lost, won, failed, reviewed = (
        booked(pm)
        for pm in ("pm_card_visa", AT_ONCE, AT_ONCE, AT_ONCE, "pm_card_refundFail", AT_ONCE)
    )
    declined = market.a_booking(service, starts_in=timedelta(hours=300))
    with suppress(CardError):
        market.pay(declined, "pm_card_chargeDeclined")
    market.pay(declined)
    paid_out, taken_back = (_completed(market, provider) for _ in range(2))
    payouts = market.api.as_user(provider.uid)
    payouts.post("payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid).ok()
    for booking, amount in ((refunded, 5_000), (failed, 20_000), (refunded, 2_500)):
        _refunded_at_stripe(market, booking, amount)
    for booking, outcome in ((lost, "lost"), (won, "won"), (taken_back, "lost")):
        market.control.dispute(charge_of(market, booking), outcome=outcome)
    review = market.control.call("POST", "reviews", {"charge": charge_of(market, reviewed)})
    market.control.call("POST", f"reviews/{review['id']}/close", {"reason": "approved"})
    market.control.advance(int(timedelta(days=8).total_seconds()))
    _refunded_at_stripe(market, paid_out, 3_000)
    market.control.advance(60)
    return [
        paid, refunded, lost, won, failed, reviewed, declined, paid_out, taken_back,
    ]  # fmt: skip


def _completed(market: Market, provider: Provider) -> Booking:
    """Confirmed by asking Stripe, since no event is heard, and completed."""
    service = market.a_service(provider)
    booking = market.a_booking(service, start=soon(market), lasts=timedelta(minutes=30))
    market.pay(booking, AT_ONCE)
    as_customer(market, booking, "booking-processor", "CONFIRM_BOOKING").ok()
    market.complete(booking)
    return booking


def _refunded_at_stripe(market: Market, booking: Booking, amount: int) -> None:
    market.stripe.v1.refunds.create({"payment_intent": booking.payment_intent, "amount": amount})


def _documents(db: FirestoreClient, told: set[str]) -> dict[str, Documents]:
    """The documents that concern this life, by collection and id."""
    found: dict[str, Documents] = {}
    services: set[str] = set()
    for collection in sorted(db.collections(), key=lambda one: one.id == "calendars"):
        for snapshot in collection.stream():
            doc = snapshot.to_dict() or {}
            text = snapshot.id + json.dumps(doc, default=str)
            if any(id_ in text for id_ in {*told, *services}):
                found.setdefault(collection.id, {})[snapshot.id] = doc
    return found


def _events(market: Market, since: datetime, account_id: str) -> list[Json]:
    """Every event of the platform and of this account since then, as it was delivered."""
    state = market.control.state()
    told = []
    for one in state["events"]:
        event = dict(one)
        connected = event.pop("account") != state["platform"]
        if event["created"] < since.timestamp() - 1 or (connected and one["account"] != account_id):
            continue
        if event["type"] in (CONNECT if connected else PLATFORM):
            told.append({**event, "account": account_id} if connected else event)
    return told


def _books(documents: Mapping[str, Documents], provider_id: str) -> dict[str, Any]:
    """One provider's ledger and what bookings, payouts and earnings came to, without instants.

    (The platform's own movements, heard of in a shared stack, are others'.)
    """
    ledger = {
        id_: {name: value for name, value in doc.items() if name not in _WHEN}
        for id_, doc in documents["transactions"].items()
        if doc.get("providerId") == provider_id
    }
    for doc in ledger.values():
        doc["entries"] = sorted((one["account"], one["amount"]) for one in doc["entries"])
    bookings = {
        id_: (doc["status"], doc["money"], sorted(doc["holds"]))
        for id_, doc in documents["bookings"].items()
    }
    payouts = {
        id_: (doc["status"], doc["amount"], doc["stripePayoutId"])
        for id_, doc in documents["payouts"].items()
    }
    earnings = {
        id_: {name: value for name, value in doc.items() if value}
        for id_, doc in documents["earnings"].items()
    }
    return {"ledger": ledger, "bookings": bookings, "payouts": payouts, "earnings": earnings}


def _heard(stack: RunningStack, life: Life, order: list[Json]) -> dict[str, Any]:
    """The books of a fresh project that began like the stack's and heard the events in this
    order; what breaks or is out of reach is delivered again, as Stripe would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore)
        db = FirestoreClient(
            project=f"demo-order-{uuid.uuid4().hex[:8]}",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        )
        store = Store(db.project, life.services.settings.collections)
        assert store.client is not None  # made while the address is in the environment
    for collection, docs in life.before.items():
        for id_, doc in docs.items():
            db.collection(collection).document(id_).set(doc)
    stripe = Remembering(life.services.settings, life.since)
    services = replace(life.services, store=store, stripe=stripe)
    waiting = order
    for _ in range(MOST_ROUNDS):
        again = []
        for event in waiting:
            try:
                process(services, event, f"req-{uuid.uuid4().hex[:12]}", {})
            except AppError:
                again.append(event)
        waiting = again
    assert waiting == []
    found = {
        one.id: {doc.id: doc.to_dict() or {} for doc in one.stream()} for one in db.collections()
    }
    db.close()  # type: ignore[no-untyped-call]
    return _books(found, life.bookings[0].service.provider.uid)


def _shuffled(events: list[Json], seed: int) -> list[Json]:
    random = Random(seed)
    order = [event for event in events for _ in range(random.choice((1, 1, 1, 2, 3)))]
    random.shuffle(order)
    return order


def test_the_life_has_something_to_tell(life: Life, market: Market) -> None:
    kinds = {doc["kind"] for doc in life.books["ledger"].values()}
    assert kinds >= {
        "charge", "stripe_fee", "earning", "transfer", "payout", "refund", "refund_failed",
        "dispute", "dispute_lost", "debt",
    }  # fmt: skip
    assert len(life.events) > 60
    assert {status for status, _, _ in life.books["bookings"].values()} == {
        "CONFIRMED", "COMPLETED", "REFUNDED",
    }  # fmt: skip
    books_balance(market, *life.bookings)


def test_the_same_order_makes_the_same_books_in_a_project_of_its_own(
    life: Life, stack: RunningStack
) -> None:
    assert _heard(stack, life, life.events) == life.books


def test_events_newest_first_make_the_same_books(life: Life, stack: RunningStack) -> None:
    assert _heard(stack, life, life.events[::-1]) == life.books


@pytest.mark.parametrize("seed", SEEDS)
def test_events_in_any_order_and_number_make_the_same_books(
    life: Life, stack: RunningStack, seed: int
) -> None:
    assert _heard(stack, life, _shuffled(life.events, seed)) == life.books
