"""An event whose object moves on, and is recorded by another delivery, while it is being read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.bootstrap import Services
from common.settings import Settings
from common.stripe_gateway.calls import Json
from common.stripe_gateway.gateway import Gateway
from common.webhooks import dispatch
from emulator.stack.handle import RunningStack
from tests.functions.acts import a_completed_booking, charge_of
from tests.functions.books import books_balance
from tests.functions.deliveries import an_event, events_of
from tests.functions.inside import services_on
from tests.support.market import Market, fresh


@pytest.fixture
def services(stack: RunningStack, market: Market) -> Iterator[Services]:
    with services_on(stack, market) as built:
        yield built


class Slow(Gateway):
    """Stripe, whose first answer to a read is under way while something else happens."""

    def __init__(self, settings: Settings, meanwhile: Callable[[], object]) -> None:
        super().__init__(settings)
        self._meanwhile: list[Callable[[], object]] = [meanwhile]

    def dispute(self, dispute_id: str) -> Json:
        return self._late(super().dispute(dispute_id))

    def account(self, account_id: str) -> Json:
        return self._late(super().account(account_id))

    def _late(self, told: Json) -> Json:
        if self._meanwhile:
            self._meanwhile.pop()()
        return told


def delivered(services: Services, event: Json, meanwhile: Callable[[], object]) -> str:
    """An event handled in this process while that happens."""
    slow = replace(services, stripe=Slow(services.settings, meanwhile))
    return dispatch.process(slow, event, fresh("req"), {})


def test_a_dispute_that_is_lost_while_its_opening_is_read_stays_lost(
    market: Market, services: Services
) -> None:
    booking = a_completed_booking(market)
    market.control.webhooks("drop")
    dispute = market.control.dispute(charge_of(market, booking))
    [opened] = events_of(market, "charge.dispute.created", dispute["id"])
    market.control.webhooks("normal")

    def lost() -> None:
        market.control.dispute(charge_of(market, booking), outcome="lost")
        market.control.idle()

    assert delivered(services, opened, lost) == "processed"
    document = market.db.collection("disputes").document(dispute["id"]).get().to_dict() or {}
    assert (document["status"], document["settled"]) == ("lost", True)
    assert market.booking(booking.id)["status"] == "REFUNDED"
    books_balance(market, booking)
    [withdrawn] = events_of(market, "charge.dispute.funds_withdrawn", dispute["id"])
    assert dispatch.process(services, withdrawn, fresh("req"), {}) == "processed"
    books_balance(market, booking)


def test_an_account_that_is_restricted_while_an_older_event_is_read_stays_restricted(
    market: Market, services: Services
) -> None:
    provider = market.a_provider()
    account_id = str(provider.account_id)
    event: dict[str, Any] = an_event("account.updated", {"id": account_id}, account=account_id)

    def restricted() -> None:
        market.control.onboard(account_id, "restricted")
        market.control.idle()

    assert delivered(services, event, restricted) == "processed"
    profile = market.db.collection("userProfiles").document(provider.uid).get().to_dict() or {}
    assert profile["stripeAccountStatus"] == "RESTRICTED"
