"""RUN_MAINTENANCE asks Stripe after payouts of which nothing was heard."""

from __future__ import annotations

from tests.functions.acts import an_unheard_payout, payout_statuses
from tests.support.market import Market


def test_a_lost_payout_paid_is_healed_by_the_maintenance_run(market: Market) -> None:
    provider, _ = an_unheard_payout(market)
    assert payout_statuses(market, provider) == ["PROCESSING"]
    market.api.as_operator().post("booking-processor", "RUN_MAINTENANCE").ok()
    assert payout_statuses(market, provider) == ["PAID"]
