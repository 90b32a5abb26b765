"""The people of one simulated marketplace: providers, services, customers, and their bookings.

Every id carries the seed's prefix, so that several seeds may share a stack, and every choice comes
from the seed's own random numbers.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client as FirestoreClient
from stripe import StripeClient

from emulator.stack.handle import RunningStack, running_stack
from tests.support.api import Api
from tests.support.stripe_control import StripeControl

#: A bank account that pays, and one that sends every payout back.
GOOD_BANK, BAD_BANK = "000123456789", "000111111116"
SERVICES: tuple[dict[str, Any], ...] = (
    {"price": 200, "cancellationPolicy": "FLEXIBLE"},
    {"price": "73.19", "cancellationPolicy": "MODERATE", "capacityMode": "SEATS", "capacity": 4,
     "maxGroupSize": 3, "priceUnit": "PERSON"},
    {"price": "99.99", "cancellationPolicy": "STRICT", "bufferMinutes": 15},
    {"price": "33.33", "priceUnit": "HOUR", "cancellationPolicy": [
        {"hoursBefore": 50, "refundPercent": 67}, {"hoursBefore": 5, "refundPercent": 33}]},
    {"price": "120", "cancellationPolicy": "FLEXIBLE", "bookingMode": "REQUEST"},
    {"price": "45.50", "cancellationPolicy": "MODERATE", "bookingMode": "REQUEST",
     "requestsBlock": False},
)  # fmt: skip
#: In every seventh town two providers have a second service in a currency that counts otherwise;
#: in every seventh one theirs are in euros, which Stripe settles in dollars there.
MIXED: tuple[dict[str, Any], ...] = (
    {"currency": "JPY", "price": 15000},
    {"currency": "KWD", "price": "60.050"},
)
SETTLED: tuple[dict[str, Any], ...] = ({"currency": "EUR"}, {"currency": "EUR"})


@dataclass(frozen=True)
class Stack:
    """One running stack and its clients, for one seed after the other."""

    running: RunningStack
    api: Api
    control: StripeControl
    stripe: StripeClient
    db: FirestoreClient


@contextlib.contextmanager
def a_stack(logs: Path, port_base: int) -> Iterator[Stack]:
    """A fresh stack of the simulation's own; its logs go to ``logs``."""
    logs.mkdir(parents=True, exist_ok=True)
    options = ["--port-base", str(port_base), "--logs", str(logs)]
    with (logs / "up.log").open("wb") as progress, running_stack(options, progress=progress) as up:
        yield stack_of(up)


def stack_of(up: RunningStack) -> Stack:
    """The clients of a stack that runs."""
    stripe = StripeClient(up.stripe_key, base_addresses={"api": up.stripe}, max_network_retries=0)
    before = os.environ.get("FIRESTORE_EMULATOR_HOST")
    os.environ["FIRESTORE_EMULATOR_HOST"] = up.firestore  # the client reads it when it is made
    try:
        db = FirestoreClient(project=up.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    finally:
        os.environ.pop("FIRESTORE_EMULATOR_HOST")
        if before is not None:
            os.environ["FIRESTORE_EMULATOR_HOST"] = before
    return Stack(up, Api(up.functions, up.project), StripeControl(up.stripe), stripe, db)


@dataclass(frozen=True)
class Offer:
    """A service; ``seats`` is the largest group it takes."""

    id: str
    provider: str
    seats: int
    currency: str = "USD"


@dataclass
class Stay:
    """A booking as the customer's browser knows it."""

    id: str
    customer: str
    offer: Offer
    start: datetime
    end: datetime
    intent: str


@dataclass
class Town:
    """One seed's world."""

    stack: Stack
    prefix: str
    random: Random
    offers: list[Offer] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    payouts: list[tuple[str, str]] = field(default_factory=list)  # provider, payout id
    reviews: list[str] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        """Read the bookings' statuses, so that acts may be chosen that fit them."""
        bookings = self.stack.db.collection("bookings")
        for snapshot in self.stack.db.get_all([bookings.document(one.id) for one in self.stays]):
            self.statuses[snapshot.id] = str((snapshot.to_dict() or {}).get("status"))

    def customer(self) -> str:
        """One of the few people who book here."""
        return f"{self.prefix}-customer-{self.random.randrange(5)}"

    def now(self) -> datetime:
        """The stack's present."""
        return self.stack.control.now()


def settle(stack: Stack, seed: int, prefix: str) -> Town:
    """A new town: three providers (the last one's bank refuses), each with two services."""
    town = Town(stack, prefix, Random(seed))
    second = {0: MIXED, 5: SETTLED}.get(seed % 7, ())
    settled = ["usd"] if second is SETTLED else []
    stack.control.call("POST", "settlement", {"currencies": settled})
    for number, bank in enumerate((GOOD_BANK, GOOD_BANK, BAD_BANK)):
        uid = f"{prefix}-provider-{number}"
        _provider(stack, uid, bank)
        town.providers.append(uid)
        for kind in range(2):
            other = second[number] if kind and number < len(second) else {}
            id_ = f"{prefix}-service-{number}-{kind}"
            town.offers.append(_service(stack, uid, id_, town, other))
    if seed % 3:
        _top_up(stack)
    stack.control.idle()
    return town


def _provider(stack: Stack, uid: str, bank: str) -> None:
    profile = {"role": "PROVIDER", "displayName": "Ada", "email": f"{uid}@example.com"}
    stack.db.collection("userProfiles").document(uid).set({**profile, "country": "US"})
    told = stack.api.as_user(uid).post("stripe-connect", "CREATE_ACCOUNT", providerId=uid).ok()
    stack.control.onboard(told["accountId"], bank_account_number=bank)
    stack.control.idle()


def _service(stack: Stack, uid: str, service_id: str, town: Town, other: dict[str, Any]) -> Offer:
    kind = town.random.choice(SERVICES)
    document = {
        "providerId": uid,
        "title": "Piano lesson",
        "category": "music",
        "currency": "USD",
        "timezone": "UTC",
        "active": True,
        **kind,
        **other,
    }
    _bank_in(stack, uid, document["currency"])
    stack.db.collection("services").document(service_id).set(document)
    return Offer(service_id, uid, int(kind.get("maxGroupSize", 1)), document["currency"])


def _bank_in(stack: Stack, uid: str, code: str) -> None:
    """A bank account of the provider in another currency than the one they have."""
    if code == "USD":
        return
    profile = stack.db.collection("userProfiles").document(uid).get().to_dict() or {}
    bank: Any = {
        "object": "bank_account",
        "country": "US",
        "currency": code.lower(),
        "routing_number": "110000000",
        "account_number": GOOD_BANK,
    }
    stack.stripe.v1.accounts.external_accounts.create(
        profile["stripeAccountId"], {"external_account": bank}
    )


def _top_up(stack: Stack) -> None:
    """Money of the platform's own, so that refunds need not wait for customers' funds."""
    stack.stripe.v1.payment_intents.create(
        {
            "amount": 2_000_00,
            "currency": "usd",
            "payment_method": "pm_card_bypassPending",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
