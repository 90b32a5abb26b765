"""A platform that moved to another country, and a request that nobody answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from functions.booking_processor import run_maintenance
from tests.functions import acts
from tests.functions.inside import a_context, services_on
from tests.limits.conftest import PlatformIn
from tests.support.market import Booking, Market

DAY = timedelta(days=1)


def test_bookings_follow_a_platform_that_moved_and_are_never_refunded_for_it(
    platform_in: PlatformIn,
) -> None:
    platform = platform_in("US")
    market = platform.market
    booking = acts.a_paid_booking(market, start=acts.soon(market, days=60))
    market.control.advance(int(8 * DAY.total_seconds()))
    with services_on(platform.stack, market) as services:
        there = replace(services, settings=replace(services.settings, platform_country="TH"))
        context = a_context(there, "RUN_MAINTENANCE")
        told = run_maintenance.handle(run_maintenance.Request(), context)
    assert told["redated"] >= 1
    shown = market.booking(booking.id)
    assert shown["status"] == "CONFIRMED"
    assert shown["refund"] is None
    assert shown["payoutDeadline"]["obstacle"] == "not_served"
    since = datetime.fromisoformat(shown["payoutDeadline"]["lapsesAt"]) - 10 * DAY
    assert since <= datetime.fromisoformat(shown["history"][-1]["at"])
    assert set(stored(market, booking)["limits"]["notices"]["hold"]) == {
        "lapsesAt",
        "warnedAt",
        "lookedAt",
    }
    assert platform.run()["redated"] >= 1, "and back again, since this platform is in the US"
    a_year_on = market.control.now() + 365 * DAY
    assert stored(market, booking)["nextDeadlineAt"] > a_year_on


def stored(market: Market, booking: Booking) -> dict[str, Any]:
    return market.db.collection("bookings").document(booking.id).get().to_dict() or {}


def test_a_request_that_nobody_answers_is_warned_of_and_let_go(platform_in: PlatformIn) -> None:
    platform = platform_in("US")
    booking = a_request(platform.market)
    platform.run(4.9)
    assert platform.logged("booking.deadline_near", booking.id) == []
    platform.run(0.2)
    (near,) = platform.logged("booking.deadline_near", booking.id)
    assert (near["kind"], near["reason"]) == ("authorization", "unanswered")
    shown = platform.market.booking(booking.id)
    assert shown["payoutDeadline"]["actsAt"] == shown["request"]["respondBy"]
    assert platform.run(1)["expired"] >= 1
    assert platform.market.booking(booking.id)["payoutDeadline"] is None
    assert platform.logged("booking.deadline_blocked", booking.id) == []


def test_a_request_is_accepted_only_once_its_money_can_be_held_to_the_end(
    platform_in: PlatformIn,
) -> None:
    platform = platform_in("TH")
    booking = a_request(platform.market, starts_in=timedelta(days=9))
    accepted = acts.as_provider(platform.market, booking, "booking-processor", "CONFIRM_BOOKING")
    assert accepted.refused(409)["reason"] == "too_far"
    platform.market.control.advance(int(2.5 * acts.DAY))
    again = acts.as_provider(platform.market, booking, "booking-processor", "CONFIRM_BOOKING")
    assert again.ok()["status"] == "CONFIRMED"
    far = platform.market.book(booking.service, starts_in=timedelta(days=13))
    assert far.refused(409)["reason"] == "too_far"


def a_request(market: Market, starts_in: timedelta = timedelta(days=6, hours=22)) -> Booking:
    """A request whose payment a bank has set aside, or whose card is kept since it is far ahead."""
    service = market.a_service(market.a_provider(), bookingMode="REQUEST")
    booking = market.a_booking(service, starts_in=starts_in)
    if booking.client_secret.startswith("seti_"):
        market.stripe.v1.setup_intents.confirm(
            booking.payment_intent, {"payment_method": "pm_card_visa"}
        )
        market.control.idle()
    else:
        market.pay(booking)
    return booking
