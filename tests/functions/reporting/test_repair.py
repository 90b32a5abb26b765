"""RECONCILE takes over Stripe's word on payouts of which nothing was heard."""

from __future__ import annotations

from datetime import timedelta

from tests.support.market import Market

DAYS = int(timedelta(days=4).total_seconds())


def test_a_payout_whose_end_was_never_heard_of_is_brought_up_to_date(market: Market) -> None:
    provider = market.a_provider()
    booking = market.a_booking(market.a_service(provider), paid=True)
    market.complete(booking)
    caller = market.api.as_user(provider.uid)
    payout = caller.post("payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid).ok()
    market.control.idle()  # what was told of its beginning has arrived
    market.control.webhooks("drop")
    market.control.advance(DAYS)
    market.control.webhooks("normal")
    told = market.api.as_operator().post("reporting", "RECONCILE").ok()
    assert told["repaired"] >= 1
    assert not [one for one in told["mismatches"] if payout["payoutId"] in one["objects"]]
    answer = caller.post("payout-manager", "GET_PAYOUT_HISTORY", providerId=provider.uid).ok()
    assert [one["status"] for one in answer["payouts"]] == ["PAID"]


def test_only_providers_have_earnings(market: Market) -> None:
    caller = market.api.as_user("customer-without-earnings")
    for action in ("CALCULATE_EARNINGS", "GET_PAYOUT_HISTORY"):
        answer = caller.post("payout-manager", action, providerId="customer-without-earnings")
        answer.refused(403, "forbidden")
        unknown = market.api.as_operator().post("payout-manager", action, providerId="nobody-here")
        unknown.refused(404, "not_found")
