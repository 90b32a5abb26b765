"""Every failed attempt to pay is remembered and counted once, whatever becomes of the booking."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter
from stripe import CardError

from tests.functions.acts import AT_ONCE
from tests.support.market import Booking, Market, fresh


def attempts(market: Market, booking: Booking) -> list[dict[str, Any]]:
    of_booking = FieldFilter("bookingId", "==", booking.id)
    found = market.db.collection("failedPayments").where(filter=of_booking).stream()
    return [one.to_dict() or {} for one in found]


def counted(market: Market, category: str) -> int:
    """What all days' totals have of a category that only this test uses."""
    docs = [one.to_dict() or {} for one in market.db.collection("dailyTotals").stream()]
    return sum(doc["by"].get(f"c:{category}", {}).get("failed", 0) for doc in docs)


def a_booking(market: Market) -> tuple[Booking, str]:
    """An unpaid booking of a category of its own."""
    category = fresh("category")
    return market.a_booking(market.a_service(market.a_provider(), category=category)), category


def decline(market: Market, booking: Booking) -> None:
    with pytest.raises(CardError):
        market.pay(booking, "pm_card_chargeDeclinedInsufficientFunds", wait=False)


def test_each_attempt_is_one_document_and_one_in_its_day(market: Market) -> None:
    booking, category = a_booking(market)
    for _ in range(2):
        decline(market, booking)
    market.control.idle()
    market.pay(booking, AT_ONCE)
    found = attempts(market, booking)
    assert [one["declineCode"] for one in found] == ["insufficient_funds"] * 2
    assert {one["category"] for one in found} == {category}
    assert counted(market, category) == 2


def test_an_event_that_comes_twice_counts_once(market: Market) -> None:
    booking, category = a_booking(market)
    market.control.webhooks("duplicate")
    decline(market, booking)
    market.control.idle()
    assert len(attempts(market, booking)) == counted(market, category) == 1


def test_news_that_comes_after_the_payment_counts_and_changes_nothing_else(market: Market) -> None:
    booking, category = a_booking(market)
    market.control.webhooks("reverse")
    decline(market, booking)
    market.pay(booking, AT_ONCE, wait=False)
    market.control.release_webhooks()
    market.control.idle()
    shown = market.booking(booking.id)
    assert (shown["status"], shown["payment"]["lastFailure"]) == ("CONFIRMED", None)
    assert len(attempts(market, booking)) == counted(market, category) == 1
