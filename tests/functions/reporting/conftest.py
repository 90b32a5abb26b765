"""One life of several days, with everything in it that a report speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client as FirestoreClient
from stripe import CardError, StripeClient

from emulator.stack.handle import RunningStack
from tests.functions import acts
from tests.functions.reporting.recount import rows_between
from tests.support.api import Api
from tests.support.market import Booking, Market, Provider
from tests.support.stripe_control import StripeControl


@dataclass(frozen=True)
class Life:
    """What was played from ``begins`` (a UTC midnight) until ``ends``, and its ledger.

    ``rows`` are its ledger transactions and failed payments.
    """

    market: Market
    begins: datetime
    ends: datetime
    dollars: Provider
    yen: Provider
    idle: Provider
    refunded: Booking
    paid_out: Booking
    rows: list[dict[str, Any]]

    def ask(self, action: str, **fields: Any) -> Any:
        """An operator's request to reporting."""
        return self.market.api.as_operator().post("reporting", action, **fields)

    def metrics(self, start: datetime, end: datetime, **fields: Any) -> dict[str, Any]:
        """GET_METRICS of [start, end)."""
        told = self.ask(
            "GET_METRICS", **{"from": start.isoformat(), "to": end.isoformat(), **fields}
        )
        answer: dict[str, Any] = told.ok()
        return answer


def to_midnight(market: Market) -> datetime:
    """Move the stack's clock just past the next UTC midnight; that midnight."""
    now = market.control.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    market.control.advance(int((midnight - now).total_seconds()) + 1)
    return midnight


@pytest.fixture(scope="module")
def life(stack: RunningStack, api: Api, stripe: StripeClient, db: FirestoreClient) -> Life:
    market = Market(api, StripeControl(stack.stripe), stripe, db)
    market.control.idle()
    begins = to_midnight(market)
    dollars, yen = market.a_provider(), market.a_provider(country="JP")
    idle = market.a_provider(ready=False)
    api.as_user(idle.uid).post("stripe-connect", "CREATE_ACCOUNT", providerId=idle.uid).ok()
    paid_out = acts.a_completed_booking(market, dollars)
    declined = market.a_booking(market.a_service(dollars, category="=sport"))
    with pytest.raises(CardError):
        market.pay(declined, "pm_card_visa_chargeDeclined")
    market.pay(declined, acts.AT_ONCE)
    to_midnight(market)
    acts.payout(market, dollars).ok()
    refunded = acts.a_paid_booking(market, dollars, price=75, category="=sport")
    acts.refund(market, refunded, 25).ok()
    acts.a_completed_booking(market, yen, price=1501, currency="JPY")
    cancelled = acts.a_paid_booking(market, yen, price=999, currency="JPY")
    acts.as_customer(market, cancelled, "booking-processor", "CANCEL_BOOKING").ok()
    to_midnight(market)
    acts.refund(market, paid_out, 50).ok()
    lost = acts.a_paid_booking(market, dollars, price=40)
    market.control.dispute(market.booking(lost.id)["payment"]["chargeId"], outcome="lost")
    acts.payout(market, yen).ok()
    market.control.idle()
    ends = to_midnight(market)
    market.control.idle()
    rows = rows_between(market, begins, ends)
    return Life(market, begins, ends, dollars, yen, idle, refunded, paid_out, rows)
