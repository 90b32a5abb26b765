"""The evidence of one life, gathered from the running stack as RECONCILE gathers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client as FirestoreClient
from stripe import StripeClient

from common.bootstrap import build
from common.reconciliation.evidence import Evidence
from common.reconciliation.gathering import gather
from common.settings import load
from emulator.stack.handle import RunningStack
from tests.support.api import Api
from tests.support.market import Booking, Market, Provider
from tests.support.stripe_control import StripeControl
from tests.support.subscriptions import (
    Subscription,
    a_recurring_service,
    a_subscription,
    period_of,
)


@dataclass(frozen=True)
class Life:
    """What was played, and both sides of the books after it."""

    evidence: Evidence
    provider: Provider
    paid_out: Booking
    part_refunded: Booking
    cancelled: Booking
    lost: Booking
    unpaid: Booking
    subscription: Subscription
    period: Booking
    exchanged: Booking

    def doc(self, collection: str, id_: str) -> dict[str, Any]:
        """One document, to be changed in a copy."""
        found = self.evidence.document(collection, id_)
        assert found is not None, f"no {collection} {id_}"
        return dict(found)


def settings_of(stack: RunningStack) -> dict[str, str]:
    """The environment of a function of this stack."""
    return {
        "GOOGLE_CLOUD_PROJECT": stack.project,
        "STRIPE_SECRET_KEY": stack.stripe_key,
        "STRIPE_API_BASE": stack.stripe,
        "APP_URL": stack.functions,
    }


def settled_in_dollars(market: Market, provider: Provider) -> Booking:
    """A booking in euros whose charge Stripe has settled in dollars."""
    market.control.call("POST", "settlement", {"currencies": ["usd"]})
    service = market.a_service(provider, currency="EUR")
    booking = market.a_booking(service, paid=True, starts_in=timedelta(hours=600))
    market.control.call("POST", "settlement", {"currencies": []})
    return booking


@pytest.fixture(scope="module")
def life(stack: RunningStack, api: Api, stripe: StripeClient, db: FirestoreClient) -> Life:
    market = Market(api, StripeControl(stack.stripe), stripe, db)
    provider = market.a_provider()
    service = market.a_service(provider)
    paid_out = market.a_booking(service, paid=True, starts_in=timedelta(hours=30))
    market.complete(paid_out)
    caller = market.api.as_user(provider.uid)
    caller.post("payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid).ok()
    for _ in ("the funds become available and the payout leaves", "it arrives"):
        market.control.advance(int(timedelta(days=4).total_seconds()))
    operator = market.api.as_operator()
    part_refunded = market.a_booking(service, paid=True, starts_in=timedelta(hours=300))
    operator.post(
        "refund-processor", "PROCESS_REFUND", bookingId=part_refunded.id, refundAmount=50
    ).ok()
    cancelled = market.a_booking(service, paid=True, starts_in=timedelta(hours=20))
    market.api.as_user(cancelled.customer).post(
        "booking-processor", "CANCEL_BOOKING", bookingId=cancelled.id
    ).ok()
    lost = market.a_booking(service, paid=True, starts_in=timedelta(hours=400))
    charge = market.booking(lost.id)["payment"]["chargeId"]
    market.control.dispute(charge, outcome="lost")
    unpaid = market.a_booking(service, starts_in=timedelta(hours=500))
    subscription = a_subscription(market, a_recurring_service(market, provider=provider), paid=True)
    period = period_of(market, subscription)
    exchanged = settled_in_dollars(market, provider)
    market.control.idle()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore)
        evidence = gather(build(load(settings_of(stack))))
    return Life(
        evidence,
        provider,
        paid_out,
        part_refunded,
        cancelled,
        lost,
        unpaid,
        subscription,
        period,
        exchanged,
    )
