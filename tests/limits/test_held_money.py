"""Captured money: too far to book, warned of, sent in time, and reported where it cannot go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.functions import acts, books
from tests.limits.conftest import Platform
from tests.support.market import Booking

DAY = timedelta(days=1)
#: Days before the end of the limit at which we act, and before that at which we warn.
MARGINS = {"US": (7, 14), "DE": (7, 14), "TH": (3, 2)}
MANUAL = {"interval": "MANUAL", "minimumAmount": 5000}


def days_to_act(platform: Platform) -> int:
    return platform.limit.days - MARGINS[platform.country][0]


def days_to_warn(platform: Platform) -> int:
    return days_to_act(platform) - MARGINS[platform.country][1]


def earned(platform: Platform, **profile: Any) -> Booking:
    """A completed booking, of a provider whom no schedule pays unless told otherwise."""
    provider = platform.market.a_provider(**{"payoutSchedule": MANUAL, **profile})
    return acts.a_completed_booking(platform.market, provider)


def deadline(platform: Platform, booking: Booking) -> Any:
    return platform.market.booking(booking.id)["payoutDeadline"]


def test_a_time_that_ends_too_late_to_be_paid_for_cannot_be_booked(platform: Platform) -> None:
    market = platform.market
    service = market.a_service(market.a_provider())
    last = acts.soon(market, days=days_to_act(platform))
    for end, reason in ((last, None), (last + timedelta(minutes=5), "too_far")):
        asked: Any = {
            "serviceId": service.id,
            "startDateTime": (end - timedelta(hours=1)).isoformat(),
            "endDateTime": end.isoformat(),
        }
        told = market.api.as_user("someone").post(
            "booking-processor", "CHECK_AVAILABILITY", **asked
        )
        assert told.ok().get("reason") == reason
        assert told.ok()["available"] is (reason is None)
        answer = market.book(service, start=end - timedelta(hours=1), lasts=timedelta(hours=1))
        if reason is None:
            answer.ok()
        else:
            assert answer.refused(409)["reason"] == reason


def test_earnings_that_nobody_asks_for_are_warned_of_once_and_sent_in_time(
    platform: Platform,
) -> None:
    booking = earned(platform)
    provider = booking.service.provider
    shown = deadline(platform, booking)
    assert shown["kind"] == "hold"
    platform.run(days_to_warn(platform) - 0.1)
    assert platform.logged("booking.deadline_near", booking.id) == []
    assert platform.run(0.2)["warned"] >= 1
    platform.run(0.1)
    (near,) = platform.logged("booking.deadline_near", booking.id)
    assert (near["kind"], near["lapsesAt"]) == ("hold", shown["lapsesAt"])
    assert near["severity"] == "WARNING"
    assert acts.payouts_of(platform.market, provider) == []
    assert platform.run(MARGINS[platform.country][1] + 0.1)["acted"] >= 1
    (payout,) = acts.payouts_of(platform.market, provider)
    assert payout.amount == 184_00
    assert platform.market.control.now().isoformat() < shown["lapsesAt"]
    acts.arrive(platform.market)
    platform.run()
    assert deadline(platform, booking) is None
    assert platform.logged("booking.deadline_blocked", booking.id) == []
    books.books_balance(platform.market, booking)


def test_a_payout_that_waits_for_a_later_date_leaves_in_time(platform: Platform) -> None:
    booking = earned(platform)
    provider = booking.service.provider
    later = platform.market.control.now() + platform.limit + 30 * DAY
    told = acts.payout(platform.market, provider, scheduledDate=later.isoformat()).ok()
    assert told["status"] == "SCHEDULED"
    platform.run(days_to_act(platform))
    (payout,) = acts.payouts_of(platform.market, provider)
    assert payout.metadata["payoutId"] == told["payoutId"]


def test_disputed_money_is_reported_once_a_day_and_overdue_after_its_limit(
    platform: Platform,
) -> None:
    booking = acts.a_completed_booking(
        platform.market, platform.market.a_provider(payoutSchedule=MANUAL)
    )
    opened = platform.market.control.dispute(acts.charge_of(platform.market, booking))
    evidence: Any = {"evidence": {"uncategorized_text": "photographs"}}
    platform.market.stripe.v1.disputes.update(opened["id"], evidence)  # or it is lost in nine days
    platform.market.control.idle()
    platform.run(days_to_act(platform) + 0.1)
    platform.run(0.3)
    (blocked,) = platform.logged("booking.deadline_blocked", booking.id)
    assert (blocked["reason"], blocked["severity"]) == ("dispute", "ERROR")
    assert books.about(books.reconcile(platform.market), booking.id) == []
    platform.run(1)
    assert len(platform.logged("booking.deadline_blocked", booking.id)) == 2
    platform.run(MARGINS[platform.country][0])
    (overdue,) = books.about(books.reconcile(platform.market), booking.id)
    assert overdue["kind"] == "booking.hold_overdue"
    assert "dispute" in overdue["problem"]
    platform.market.control.dispute(acts.charge_of(platform.market, booking), outcome="won")
    platform.run(1)
    assert len(acts.payouts_of(platform.market, booking.service.provider)) == 1
    assert books.about(books.reconcile(platform.market), booking.id) == []


def test_a_restricted_account_is_reported_and_paid_once_it_is_mended(platform: Platform) -> None:
    booking = earned(platform)
    provider = booking.service.provider
    platform.market.control.onboard(str(provider.account_id), "restricted")
    platform.run(days_to_act(platform) + 0.1)
    (blocked,) = platform.logged("booking.deadline_blocked", booking.id)
    assert blocked["reason"] == "account_restricted"
    assert deadline(platform, booking)["obstacle"] is None
    platform.market.control.onboard(str(provider.account_id), "complete")
    platform.market.control.idle()
    assert platform.run(1)["acted"] >= 1
    assert len(acts.payouts_of(platform.market, provider)) == 1


def test_a_scheduled_payout_to_a_restricted_account_is_reported(platform: Platform) -> None:
    booking = earned(platform)
    provider = booking.service.provider
    later = platform.market.control.now() + platform.limit + 30 * DAY
    acts.payout(platform.market, provider, scheduledDate=later.isoformat()).ok()
    platform.market.control.onboard(str(provider.account_id), "restricted")
    platform.run(days_to_act(platform) + 0.1)
    (blocked,) = platform.logged("booking.deadline_blocked", booking.id)
    assert blocked["reason"] == "account_restricted"
    assert acts.payout_statuses(platform.market, provider) == ["SCHEDULED"]


def test_only_provider_and_operator_see_the_deadline(platform: Platform) -> None:
    booking = earned(platform)
    seen = {
        who: ask(platform.market, booking, "booking-processor", "GET_BOOKING").ok()["booking"]
        for who, ask in (("customer", acts.as_customer), ("provider", acts.as_provider))
    }
    assert "payoutDeadline" not in seen["customer"]
    assert seen["provider"]["payoutDeadline"] == deadline(platform, booking)
    assert set(deadline(platform, booking)) == {"kind", "lapsesAt", "actsAt", "obstacle"}
