"""RUN_MAINTENANCE asks Stripe after payouts of which nothing was heard."""

from __future__ import annotations

from datetime import timedelta

from tests.support.market import Market

DAYS = int(timedelta(days=4).total_seconds())


def test_a_lost_payout_paid_is_healed_by_the_maintenance_run(market: Market) -> None:
    provider = market.a_provider()
    booking = market.a_booking(market.a_service(provider), paid=True)
    market.complete(booking)
    caller = market.api.as_user(provider.uid)
    payout = caller.post("payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid).ok()
    market.control.idle()  # what was told of its beginning has arrived
    market.control.webhooks("drop")
    market.control.advance(DAYS)
    market.control.webhooks("normal")

    def status() -> str:
        answer = caller.post("payout-manager", "GET_PAYOUT_HISTORY", providerId=provider.uid)
        return next(
            str(one["status"])
            for one in answer.ok()["payouts"]
            if one["payoutId"] == payout["payoutId"]
        )

    assert status() == "PROCESSING"
    market.api.as_operator().post("booking-processor", "RUN_MAINTENANCE").ok()
    assert status() == "PAID"
