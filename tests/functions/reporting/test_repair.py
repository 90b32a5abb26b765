"""RECONCILE takes over Stripe's word on payouts of which nothing was heard."""

from __future__ import annotations

from tests.functions.acts import an_unheard_payout, payout_statuses
from tests.support.market import Market


def test_a_payout_whose_end_was_never_heard_of_is_brought_up_to_date(market: Market) -> None:
    provider, payout_id = an_unheard_payout(market)
    assert payout_statuses(market, provider) == ["PROCESSING"]
    told = market.api.as_operator().post("reporting", "RECONCILE").ok()
    assert told["repaired"] >= 1
    assert not [one for one in told["mismatches"] if payout_id in one["objects"]]
    assert payout_statuses(market, provider) == ["PAID"]


def test_only_providers_have_earnings(market: Market) -> None:
    caller = market.api.as_user("customer-without-earnings")
    for action in ("CALCULATE_EARNINGS", "GET_PAYOUT_HISTORY"):
        answer = caller.post("payout-manager", action, providerId="customer-without-earnings")
        answer.refused(403, "forbidden")
        unknown = market.api.as_operator().post("payout-manager", action, providerId="nobody-here")
        unknown.refused(404, "not_found")
