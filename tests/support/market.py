"""Builders: the people and things of a marketplace, made as clients and providers make them.

Each says only what matters to the test; ids are fresh, so that tests share one stack and never
see each other.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from google.cloud.firestore import Client as FirestoreClient
from google.cloud.firestore_v1.base_query import FieldFilter
from stripe import PaymentIntent, SetupIntent, StripeClient

from tests.support.api import Answer, Api
from tests.support.stripe_control import StripeControl


def fresh(prefix: str) -> str:
    """An id that nobody else has."""
    return f"{prefix}-{uuid.uuid4().hex[:16]}"


@dataclass(frozen=True)
class Provider:
    """A provider; ``account_id`` None: without a Stripe account yet."""

    uid: str
    account_id: str | None


@dataclass(frozen=True)
class Service:
    """A bookable service as its document in Firestore."""

    id: str
    provider: Provider
    document: dict[str, Any]


@dataclass(frozen=True)
class Booking:
    """A booking that was accepted, unpaid as yet."""

    id: str
    client_secret: str
    customer: str
    service: Service
    start: datetime
    end: datetime
    json: dict[str, Any]

    @property
    def payment_intent(self) -> str:
        return payment_intent_of(self.client_secret)


class Market:
    """Builds on one running stack."""

    def __init__(
        self, api: Api, control: StripeControl, stripe: StripeClient, db: FirestoreClient
    ) -> None:
        self.api, self.control, self.stripe, self.db = api, control, stripe, db

    def a_provider(self, *, ready: bool = True, country: str = "US", **profile: Any) -> Provider:
        """A user with role PROVIDER; ``ready``: with an account, onboarding finished."""
        uid = fresh("provider")
        document = {
            "role": "PROVIDER",
            "displayName": "Ada",
            "email": f"{uid}@example.com",
            "country": country,
            **profile,
        }
        self.db.collection("userProfiles").document(uid).set(document)
        if not ready:
            return Provider(uid, None)
        created = self.api.as_user(uid).post(
            "stripe-connect", "CREATE_ACCOUNT", providerId=uid, country=country
        )
        account_id: str = created.ok()["accountId"]
        self.control.onboard(account_id)
        self.control.idle()
        return Provider(uid, account_id)

    def a_service(
        self, provider: Provider, *, price: int | float | str = 200, **overrides: Any
    ) -> Service:
        """A service of the provider, always open; ``price`` in major units as a client writes
        it; ``overrides`` are fields of the document (None removes one)."""
        service_id = fresh("service")
        document = {
            "providerId": provider.uid,
            "title": "Piano lesson",
            "category": "music",
            "price": price,
            "currency": "USD",
            "timezone": "UTC",
            "cancellationPolicy": "FLEXIBLE",
            "active": True,
            **overrides,
        }
        document = {name: value for name, value in document.items() if value is not None}
        self.db.collection("services").document(service_id).set(document)
        return Service(service_id, provider, document)

    def book(
        self,
        service: Service,
        *,
        customer: str | None = None,
        start: datetime | None = None,
        starts_in: timedelta = timedelta(hours=72),
        lasts: timedelta = timedelta(hours=1),
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Answer:
        """Ask for a booking; the raw answer. Without ``start``: the first full hour from
        ``starts_in`` on, by the stack's clock."""
        customer = customer or fresh("customer")
        begins = start or _full_hour(self.control.now() + starts_in)
        return self.api.as_user(customer).post(
            "booking-processor",
            "CREATE_BOOKING",
            idempotency_key=idempotency_key,
            **{
                "serviceId": service.id,
                "customerId": customer,
                "customerEmail": f"{customer}@example.com",
                "startDateTime": begins.isoformat(),
                "endDateTime": (begins + lasts).isoformat(),
                **fields,
            },
        )

    def a_booking(
        self,
        service: Service | None = None,
        *,
        customer: str | None = None,
        start: datetime | None = None,
        starts_in: timedelta = timedelta(hours=72),
        lasts: timedelta = timedelta(hours=1),
        paid: bool = False,
        **fields: Any,
    ) -> Booking:
        """A booking that was accepted (of a new service where none is given); ``paid`` with a
        card that works, its webhooks delivered."""
        service = service or self.a_service(self.a_provider())
        customer = customer or fresh("customer")
        begins = start or _full_hour(self.control.now() + starts_in)
        told = self.book(service, customer=customer, start=begins, lasts=lasts, **fields).ok()
        booking = Booking(
            id=told["bookingId"],
            client_secret=told["clientSecret"],
            customer=customer,
            service=service,
            start=begins,
            end=begins + lasts,
            json=told["booking"],
        )
        if paid:
            self.pay(booking)
        return booking

    def pay(
        self, booking: Booking | str, pm: str = "pm_card_visa", *, wait: bool = True
    ) -> PaymentIntent:
        """Confirm a booking's payment (or that of a client secret); ``wait`` for its webhooks.

        A declined card is the SDK's CardError, as in the customer's browser.
        """
        secret = booking if isinstance(booking, str) else booking.client_secret
        intent = self.stripe.v1.payment_intents.confirm(
            payment_intent_of(secret),
            {"payment_method": pm, "return_url": "https://example.com/paid"},
        )
        if wait:
            self.control.idle()
        return intent

    def save(self, booking: Booking, pm: str = "pm_card_visa", *, wait: bool = True) -> SetupIntent:
        """Confirm the setup intent of a request further ahead than an authorisation lives."""
        setup = self.stripe.v1.setup_intents.confirm(
            payment_intent_of(booking.client_secret),
            {"payment_method": pm, "return_url": "https://example.com/saved"},
        )
        if wait:
            self.control.idle()
        return setup

    def complete(self, booking: Booking) -> dict[str, Any]:
        """Move the clock past the booking's end and complete it as its provider."""
        left = (booking.end - self.control.now()).total_seconds()
        if left >= 0:
            self.control.advance(int(left) + 1)
        return (
            self.api.as_user(booking.service.provider.uid)
            .post("booking-processor", "COMPLETE_BOOKING", bookingId=booking.id)
            .ok()
        )

    def booking(self, booking_id: str) -> dict[str, Any]:
        """The booking as an operator sees it."""
        answer = self.api.as_operator().post(
            "booking-processor", "GET_BOOKING", bookingId=booking_id
        )
        shown: dict[str, Any] = answer.ok()["booking"]
        return shown

    def ledger(self, booking_id: str) -> list[dict[str, Any]]:
        """The booking's ledger transactions, oldest first, read from Firestore itself."""
        of_booking = FieldFilter("bookingId", "==", booking_id)
        found = self.db.collection("transactions").where(filter=of_booking).stream()
        rows = [snapshot.to_dict() or {} for snapshot in found]
        return sorted(rows, key=lambda row: row["createdAt"])


def payment_intent_of(client_secret: str) -> str:
    """The intent that a client secret belongs to."""
    return client_secret.split("_secret_", 1)[0]


def usd(text: str) -> Decimal:
    """A figure as the API's JSON gives it back: usd("184.00")."""
    return Decimal(text)


def _full_hour(moment: datetime) -> datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(hours=1)
