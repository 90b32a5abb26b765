"""The marketplace of the demo: its people, what they offer and book, and how they pay."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client
from stripe import PaymentIntent, StripeClient

from emulator.demo.functions import Caller, Functions
from emulator.demo.outside import Outside
from emulator.stack.handle import RunningStack

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Booking:
    """A booking and what its customer needs to pay it."""

    id: str
    customer: Caller
    name: str
    what: str
    end: datetime
    client_secret: str
    currency: str = "USD"

    @property
    def payment_intent(self) -> str:
        return self.client_secret.split("_secret_", 1)[0]


@dataclass
class Marketplace:
    """Everything a chapter needs; bookings are remembered under their customer's name."""

    functions: Functions
    outside: Outside
    stripe: StripeClient
    """With the secret key, as our bookkeeping may use it."""
    browser: StripeClient
    """With the publishable key, as Stripe.js in a customer's browser."""
    firestore: Client
    operator: Caller
    bookings: dict[str, Booking] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    """Provider's uid -> Stripe account."""

    @classmethod
    def on(cls, stack: RunningStack) -> Marketplace:
        """The marketplace on a stack that runs."""
        functions = Functions(stack.functions, stack.project)
        os.environ["FIRESTORE_EMULATOR_HOST"] = stack.firestore  # Google's client looks there
        addresses: Any = {"api": stack.stripe}
        return cls(
            functions,
            Outside(stack.stripe),
            StripeClient(stack.stripe_key, base_addresses=addresses),
            StripeClient(str(stack.publishable_key), base_addresses=addresses),
            Client(project=stack.project, credentials=AnonymousCredentials()),  # type: ignore[no-untyped-call]
            functions.sign_in("operator", operator=True),
        )

    def signs_up(self, name: str, country: str = "US", currency: str = "USD") -> Caller:
        """Somebody becomes a provider; the app's backend writes their profile."""
        provider = self.functions.sign_in(name.lower())
        profile = {
            "role": "PROVIDER",
            "displayName": name,
            "email": f"{name.lower()}@example.com",
            "country": country,
            "defaultCurrency": currency,
        }
        self.firestore.collection("userProfiles").document(provider.uid).set(profile)
        return provider

    def opens_account(self, provider: Caller) -> dict[str, Any]:
        """CREATE_ACCOUNT: the answer, with the account's id and the onboarding page."""
        answer = provider.post("stripe-connect", "CREATE_ACCOUNT", providerId=provider.uid)
        self.accounts[provider.uid] = answer["accountId"]
        return answer

    def offers(self, provider: Caller, service_id: str, **fields: Any) -> str:
        """A provider offers a service, in US dollars unless told otherwise; its id."""
        document = {
            "providerId": provider.uid,
            "currency": "USD",
            "timezone": "America/New_York",
            "active": True,
            **fields,
        }
        self.firestore.collection("services").document(service_id).set(document)
        return service_id

    def books(
        self, name: str, service_id: str, start: datetime, what: str, currency: str = "USD"
    ) -> Booking:
        """CREATE_BOOKING for an hour from ``start``; not paid yet."""
        customer = self.functions.sign_in(name.lower())
        answer = customer.post(
            "booking-processor",
            "CREATE_BOOKING",
            serviceId=service_id,
            customerEmail=f"{name.lower()}@example.com",
            startDateTime=start.isoformat(),
            endDateTime=(start + HOUR).isoformat(),
        )
        secret = answer["clientSecret"]
        booking = Booking(answer["bookingId"], customer, name, what, start + HOUR, secret, currency)
        self.bookings[name] = booking
        return booking

    def pays(self, booking: Booking, card: str = "pm_card_visa") -> PaymentIntent:
        """The customer's browser confirms the payment; the webhooks arrive.

        Raises:
            stripe.CardError: The card was declined.
        """
        params: Any = {  # the SDK's types leave out what only a browser sends
            "client_secret": booking.client_secret,
            "payment_method": card,
            "return_url": "https://example.com/booked",
        }
        try:
            return self.browser.v1.payment_intents.confirm(booking.payment_intent, params)
        finally:
            self.outside.post_arrives()

    def shown(self, booking: Booking) -> dict[str, Any]:
        """The booking as an operator sees it."""
        answer = self.operator.post("booking-processor", "GET_BOOKING", bookingId=booking.id)
        found: dict[str, Any] = answer["booking"]
        return found

    def status(self, booking: Booking) -> str:
        return str(self.shown(booking)["status"])

    def charge(self, booking: Booking) -> str:
        """The id of the charge that paid it."""
        return str(self.shown(booking)["payment"]["chargeId"])

    def earnings(self, provider: Caller) -> dict[str, Any]:
        """CALCULATE_EARNINGS."""
        return provider.post("payout-manager", "CALCULATE_EARNINGS", providerId=provider.uid)

    def in_days(self, days: int, hour: int = 15) -> datetime:
        """A full hour, that many days from now: 15:00 UTC is a morning in New York."""
        day = self.outside.now() + days * DAY
        return day.replace(hour=hour, minute=0, second=0, microsecond=0)
