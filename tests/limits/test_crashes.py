"""A run that dies, or loses an answer, at any external call of its deadlines' part is made good by
the next: each booking is warned of, and its money leaves once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from common.bootstrap import Services
from common.errors import Unavailable
from common.store import collections
from functions.booking_processor import hold_limits
from tests.functions import acts, books
from tests.functions.inside import a_context
from tests.limits.conftest import Platform, PlatformIn
from tests.support.market import Booking, Market, Provider
from tests.sweep.faults import CURRENT, Crash, Faults, modes_of
from tests.sweep.here import Here, emulators

#: The external calls of warning and acting.
CALLS = ["commit", "commit", "transfers.create", "payouts.create", "commit"]
STRIKES = [(n, mode) for n, call in enumerate(CALLS) for mode in modes_of(call)]


def unpaid_earnings(platform: Platform) -> Booking:
    provider = platform.market.a_provider(payoutSchedule={"interval": "MANUAL"})
    return acts.a_completed_booking(platform.market, provider)


def test_a_run_that_breaks_anywhere_is_made_good_by_the_next(platform_in: PlatformIn) -> None:
    platform = platform_in("TH")
    bookings = [unpaid_earnings(platform) for _ in STRIKES]
    whole = unpaid_earnings(platform)
    platform.market.control.advance(int(7.2 * acts.DAY))
    with _here(platform) as services:
        assert _struck(services, whole, Faults()).calls == CALLS
        for booking, (at, mode) in zip(bookings, STRIKES, strict=True):
            faults = _struck(services, booking, Faults(at, mode))
            assert faults.struck == CALLS[at], (at, mode, faults.calls)
    platform.market.control.advance(20 * 60)
    for _ in ("what was left open", "what that made due"):
        acts.maintenance(platform.market)
        platform.market.control.idle()
    ends = [_became(platform, booking) for booking in bookings]
    assert dict(zip(STRIKES, ends, strict=True)) == dict.fromkeys(STRIKES, _became(platform, whole))
    assert platform.run()["acted"] == 0
    every = books.reconcile(platform.market)
    assert books.about(every, *(booking.id for booking in bookings)) == []


@contextmanager
def _here(platform: Platform) -> Iterator[Services]:
    """The functions' code in this process; what Stripe tells of it is kept until the end."""
    control = platform.market.control
    with emulators(platform.stack):
        here = Here(platform.stack, control.now)
        control.webhooks("hold")
        try:
            yield here.services
        finally:
            control.webhooks("normal")
            control.release_webhooks()
            control.idle()


def _struck(services: Services, booking: Booking, faults: Faults) -> Faults:
    """Warn and act as a run does, until the fault ends it."""
    key = collections.booking(booking.id)
    token = CURRENT.set(faults)
    try:
        with suppress(Crash, Unavailable):
            for part in (hold_limits.warn, hold_limits.act):
                context = a_context(services, "RUN_MAINTENANCE")
                part(context, services.store.read([key])[key])
    finally:
        CURRENT.reset(token)
    return faults


def _became(platform: Platform, booking: Booking) -> dict[str, object]:
    """All that must be alike, wherever the run broke."""
    market, provider = platform.market, booking.service.provider
    warned = market.db.collection("bookings").document(booking.id).get().to_dict() or {}
    return {
        "transfers": [one.amount for one in acts.transfers_of(market, booking)],
        "payouts": [one.amount for one in acts.payouts_of(market, provider)],
        "open": acts.operations_left(market, "payoutId", _payout_id(market, provider)),
        "deadline": list(warned["limits"]["deadlines"]),
    }


def _payout_id(market: Market, provider: Provider) -> str:
    (payout,) = acts.payouts_of(market, provider)
    return str(payout.metadata["payoutId"])
