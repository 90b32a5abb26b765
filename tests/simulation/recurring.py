"""Subscriptions in a town, with random numbers of their own: a seed's other acts stay the same.

A recurring service of each provider, billed by the week; customers subscribe, pay (or do not),
change their cards, cancel; weeks pass, operators refund periods, cardholders dispute them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import requests
from google.cloud.firestore_v1.base_query import FieldFilter
from stripe import StripeError

from tests.simulation.inside import drawn
from tests.simulation.town import Town
from tests.simulation.trouble import Trouble
from tests.simulation.wire import Request, Wire

Act = Callable[[], Any]
#: How often an act is one of these.
SHARE = 0.15
WEEK = timedelta(days=7, hours=1, minutes=1)
_CARDS = (
    "pm_card_bypassPending", "pm_card_visa", "pm_card_authenticationRequired",
    "pm_card_chargeDeclined", "pm_card_createDispute", "pm_card_refundFail",
)  # fmt: skip
_CARD_WEIGHTS = (10, 4, 2, 2, 1, 1)
_WEIGHTS = {
    "subscribe": 9, "settle_up": 2, "unsubscribe": 2, "another_card": 2, "week": 2,
    "give_back": 4, "claim": 2, "trouble": 4,
}  # fmt: skip
#: What only functions ask of Stripe for a subscription's sake.
_PATHS = (
    ("POST", r"/v1/(customers|products|prices)"),
    ("POST", r"/v1/subscriptions"),
    ("DELETE", r"/v1/subscriptions/[^/]+"),
    ("GET", r"/v1/subscriptions/[^/]+"),
    ("GET", r"/v1/invoices/[^/]+"),
    ("GET", r"/v1/invoice_payments"),
)
_PATH_WEIGHTS = (3, 4, 2, 3, 2, 2)


@dataclass
class Membership:
    """A subscription as its customer's browser knows it."""

    id: str
    customer: str
    provider: str


class Recurring:
    """Plans acts about subscriptions in one town."""

    def __init__(self, town: Town, wire: Wire, trouble: Trouble, seed: int) -> None:
        self.town, self.wire, self.trouble = town, wire, trouble
        self.random = Random(f"recurring {seed}")
        self.members: list[Membership] = []
        self._count = 0
        self._services = [self._service(provider) for provider in town.providers]

    def due(self) -> bool:
        """Whether the next act is one of these."""
        return self.random.random() < SHARE

    def plan(self) -> tuple[str, Act] | None:
        """One act, or None where nothing fits what was drawn."""
        name = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        planned: Act | None = getattr(self, f"_{name}")()
        return None if planned is None else (name, planned)

    def _service(self, provider: str) -> tuple[str, str]:
        service_id = f"{provider}-weekly"
        document = {
            "providerId": provider,
            "title": "Choir",
            "category": "music",
            "price": self.random.choice(("19.99", "40", "7.77")),
            "currency": "USD",
            "billingInterval": "WEEK",
            "trialDays": self.random.choice((0, 0, 3)),
            "active": True,
        }
        self.town.stack.db.collection("services").document(service_id).set(document)
        return service_id, provider

    def _request(self, caller: str, processor: str, action: str, **fields: Any) -> Request:
        self._count += 1
        key = f"{self.town.prefix}-r{self._count}"
        faults = None if self.wire.inside is None else drawn(self.random)
        return Request(caller, processor, action, fields, key, faults)

    def _member(self) -> Membership | None:
        return self.random.choice(self.members[-6:]) if self.members else None

    # -- acts ---------------------------------------------------------------------------------

    def _subscribe(self) -> Act:
        service, provider = self.random.choice(self._services)
        customer = f"{self.town.prefix}-customer-{self.random.randrange(5)}"
        card = self._card() if self.random.random() < 0.85 else None
        request = self._subscription(customer, service)
        return lambda: self._subscribed(request, Membership("", customer, provider), card)

    def _settle_up(self) -> Act | None:
        """A customer asks for the secret again and pays what is open."""
        member, card = self._member(), self._card()
        if member is None:
            return None
        request = self._subscription(member.customer, f"{member.provider}-weekly")
        return lambda: self._subscribed(request, member, card)

    def _subscription(self, customer: str, service: str) -> Request:
        return self._request(
            customer,
            "stripe-connect",
            "CREATE_SUBSCRIPTION",
            serviceId=service,
            customerEmail=f"{customer}@example.com",
        )

    def _subscribed(self, request: Request, member: Membership, card: str | None) -> None:
        told = self.wire.send(request)
        if told is None or told.status != 200:
            return
        id_ = str(told.json["subscriptionId"])
        if id_ not in {one.id for one in self.members}:
            self.members.append(replace(member, id=id_))
        if card is not None and told.json["clientSecret"]:
            self._pays(str(told.json["clientSecret"]), card)

    def _card(self) -> str:
        return self.random.choices(_CARDS, _CARD_WEIGHTS)[0]

    def _pays(self, secret: str, card: str) -> None:
        stack, intent = self.town.stack, secret.partition("_secret_")[0]
        try:
            paid = stack.stripe.v1.payment_intents.confirm(
                intent, {"payment_method": card, "return_url": "https://example.com/paid"}
            )
            if paid.status == "requires_action":
                stack.control.authenticate(intent)
            status = paid.status
        except (StripeError, requests.HTTPError) as refused:
            status = type(refused).__name__
        self.wire.say(f"a subscriber pays with {card} -> {status}")

    def _unsubscribe(self) -> Act | None:
        member = self._member()
        later, who = self.random.random() < 0.6, self.random.choice(("c", "c", "p", "a"))
        if member is None:
            return None
        caller = {"c": member.customer, "p": member.provider, "a": "operator"}[who]
        request = self._request(
            caller,
            "stripe-connect",
            "CANCEL_SUBSCRIPTION",
            subscriptionId=member.id,
            atPeriodEnd=later,
        )
        return lambda: self.wire.send(request)

    def _another_card(self) -> Act | None:
        """By Stripe's own page; it may be one that fails at the next renewal."""
        member = self._member()
        card = self.random.choice(("pm_card_visa", "pm_card_chargeCustomerFail"))
        if member is None:
            return None

        def act() -> None:
            v1 = self.town.stack.stripe.v1
            try:
                customer = str(v1.subscriptions.retrieve(member.id).customer)
                added = v1.payment_methods.attach(card, {"customer": customer})
                v1.subscriptions.update(member.id, {"default_payment_method": added.id})
                said = "names"
            except StripeError:
                said = "cannot name"
            self.wire.say(f"a subscriber {said} another card, {card}")

        return act

    def _week(self) -> Act:
        def act() -> None:
            self.wire.say("-- a week passes")
            self.town.stack.control.advance(int(WEEK.total_seconds()))

        return act

    def _give_back(self) -> Act | None:
        """An operator refunds the newest period of a subscription, or a part of it."""
        member, share = self._member(), self.random.choice((None, None, 0.3, 0.5))
        if member is None:
            return None
        request = self._request("operator", "refund-processor", "PROCESS_REFUND", reason="refund")

        def act() -> None:
            period = self._newest_period(member)
            if period is None:
                return
            request.fields["bookingId"] = period["id"]
            if share is not None:
                part = Decimal(period["money"]["total"]) * Decimal(str(share)) / 100
                request.fields["refundAmount"] = part.quantize(Decimal("0.01"))
            self.wire.send(request)

        return act

    def _claim(self) -> Act | None:
        """A cardholder disputes the newest period; the bank may decide at once."""
        member, outcome = self._member(), self.random.choice((None, "won", "lost"))
        if member is None:
            return None

        def act() -> None:
            period = self._newest_period(member)
            if period is None:
                return
            try:
                self.town.stack.control.dispute(period["payment"]["chargeId"], outcome=outcome)
                said = outcome or "opened"
            except requests.HTTPError:
                said = "refused"
            self.wire.say(f"a subscriber disputes a period: {said}")

        return act

    def _newest_period(self, member: Membership) -> dict[str, Any] | None:
        """From the documents: no request of this process may meet a planted kill."""
        of_it = FieldFilter("subscriptionId", "==", member.id)
        found = self.town.stack.db.collection("bookings").where(filter=of_it).stream()
        docs = [{**(one.to_dict() or {}), "id": one.id} for one in found]
        return max(docs, key=lambda doc: (doc["start"], doc["id"]), default=None)

    def _trouble(self) -> Act:
        self.wire.say(self.trouble.fault(self.random, _PATHS, _PATH_WEIGHTS))
        return lambda: None
