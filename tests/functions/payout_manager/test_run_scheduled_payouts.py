"""RUN_SCHEDULED_PAYOUTS: everybody whose day it is, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.functions.acts import (
    a_completed_booking,
    arrive,
    earnings,
    payout,
    payout_now,
    payouts_of,
    together,
    transfers_of,
)
from tests.functions.books import books_balance
from tests.support.api import Answer
from tests.support.market import Market, usd


def run(market: Market, **fields: Any) -> Answer:
    return market.api.as_operator().post("payout-manager", "RUN_SCHEDULED_PAYOUTS", **fields)


def test_a_run_pays_each_provider_once_however_often_it_runs(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    date = market.control.now().date().isoformat()
    first = run(market, date=date).ok()
    assert first["queued"] >= 1
    assert first["runId"]
    later = a_completed_booking(market, provider)
    second = run(market, date=date).ok()
    assert second["runId"] == first["runId"]
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    assert transfers_of(market, later) == []
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    arrive(market)
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    books_balance(market, booking, later)


def test_two_runs_at_once_pay_once(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    date = market.control.now().date().isoformat()
    answers = together(*[lambda: run(market, date=date)] * 2)
    assert {answer.status for answer in answers} == {200}
    market.control.idle()
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    assert len(payouts_of(market, provider)) == 1
    books_balance(market, booking)


def test_a_run_starts_the_payouts_whose_date_has_come(market: Market) -> None:
    manual = {"interval": "MANUAL"}
    booking = a_completed_booking(market, market.a_provider(payoutSchedule=manual))
    date = market.control.now() + timedelta(hours=2)
    told = payout(market, booking.service.provider, scheduledDate=date.isoformat()).ok()
    run(market).ok()
    assert payout_now(market, told["payoutId"])["status"] == "SCHEDULED"
    market.control.advance(2 * 3600 + 1)
    run(market).ok()
    assert payout_now(market, told["payoutId"])["status"] == "PROCESSING"
    market.control.idle()
    books_balance(market, booking)


def test_a_run_passes_over_providers_whose_day_it_is_not_or_who_have_too_little(
    market: Market,
) -> None:
    manual = a_completed_booking(market, market.a_provider(payoutSchedule={"interval": "MANUAL"}))
    small = a_completed_booking(
        market, market.a_provider(payoutSchedule={"interval": "DAILY", "minimumAmount": 500})
    )
    today = market.control.now()
    other_day = (today + timedelta(days=1)).strftime("%A").upper()
    weekly = a_completed_booking(
        market, market.a_provider(payoutSchedule={"interval": "WEEKLY", "anchor": other_day})
    )
    run(market, date=today.date().isoformat()).ok()
    for booking in (manual, small, weekly):
        assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
        assert transfers_of(market, booking) == []
    tomorrow = (today + timedelta(days=1)).date().isoformat()
    run(market, date=tomorrow).ok()
    assert [one.amount for one in transfers_of(market, weekly)] == [184_00]
    market.control.idle()
    books_balance(market, manual, small, weekly)


def test_only_operators_and_the_scheduler_run_payouts(market: Market) -> None:
    provider = market.a_provider()
    caller = market.api.as_user(provider.uid)
    caller.post("payout-manager", "RUN_SCHEDULED_PAYOUTS").refused(403)
    run(market, date="2026-13-01").refused(400)
