"""Payouts between whose claim, transfer and payout something else happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from common.bootstrap import Services
from common.operations import runner
from common.operations.model import Operation
from common.payouts import execution
from common.store import collections
from common.stripe_gateway.calls import Call
from emulator.stack.handle import RunningStack
from tests.functions.acts import (
    AT_ONCE,
    a_completed_booking,
    arrive,
    charge_of,
    earnings,
    maintenance,
    operations_left,
    payout,
    payout_now,
    payouts_of,
    refund,
    transfers_of,
)
from tests.functions.books import books_balance
from tests.functions.inside import a_context, services_on
from tests.support.market import Booking, Market, Provider, fresh, usd

LEASE = 10
PENDING_FUNDS = "pm_card_visa"


@pytest.fixture
def services(stack: RunningStack, market: Market) -> Iterator[Services]:
    with services_on(stack, market) as built:
        yield built


def begun(market: Market, services: Services, provider: Provider) -> Operation:
    """A payout set aside and written down by a request that then died."""
    context = a_context(services, "SCHEDULE_PAYOUT", provider.uid)
    wanted = execution.Wanted(fresh("payout"), provider.uid)
    operation, _ = execution._set_aside(wanted, context)
    assert operation is not None
    return operation


def cut_off(market: Market, provider: Provider) -> str:
    """A payout whose transfer Stripe did not answer; its id."""
    market.control.fault("POST", "/v1/transfers", "error_before", times=6, status=503)
    told = payout(market, provider)
    assert told.status == 503
    market.control.clear_faults()
    history = market.api.as_user(provider.uid).post(
        "payout-manager", "GET_PAYOUT_HISTORY", providerId=provider.uid
    )
    return str(history.ok()["payouts"][0]["payoutId"])


def test_nothing_is_transferred_for_a_booking_disputed_after_its_payout_was_begun(
    market: Market,
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    payout_id = cut_off(market, provider)
    market.control.dispute(charge_of(market, booking))
    market.control.idle()
    market.control.advance(LEASE)
    maintenance(market)
    assert transfers_of(market, booking) == []
    assert payouts_of(market, provider) == []
    assert payout_now(market, payout_id)["status"] == "CANCELLED"
    assert earnings(market, provider)["heldEarnings"] == usd("184.00")
    assert operations_left(market, "payoutId", payout_id) == []
    books_balance(market, booking)


def test_nothing_is_transferred_to_an_account_that_can_no_longer_be_paid(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    payout_id = cut_off(market, provider)
    market.control.onboard(str(provider.account_id), outcome="restricted")
    market.control.idle()
    market.control.advance(LEASE)
    maintenance(market)
    assert transfers_of(market, booking) == []
    assert payout_now(market, payout_id)["status"] == "CANCELLED"
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    assert operations_left(market, "payoutId", payout_id) == []
    market.control.onboard(str(provider.account_id))
    market.control.idle()
    payout(market, provider).ok()
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    books_balance(market, booking)


def test_of_several_bookings_only_the_disputed_one_leaves_the_payout(market: Market) -> None:
    first = a_completed_booking(market)
    provider = first.service.provider
    second = a_completed_booking(market, provider)
    payout_id = cut_off(market, provider)
    market.control.dispute(charge_of(market, first))
    market.control.idle()
    market.control.advance(LEASE)
    maintenance(market)
    assert transfers_of(market, first) == []
    assert [one.amount for one in transfers_of(market, second)] == [184_00]
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    assert payout_now(market, payout_id)["bookingIds"] == [second.id]
    books_balance(market, first, second)


def test_a_transfer_overtaken_by_a_full_refund_is_taken_back_and_not_paid_out(
    market: Market,
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    market.control.fault("POST", "/v1/transfers", "hold_after")
    told: dict[str, Any] = {}
    asking = Thread(target=lambda: told.update(answer=payout(market, provider)))
    market.control.webhooks("hold")
    asking.start()
    while not market.stripe.v1.transfers.list({"transfer_group": booking.id}).data:
        assert asking.is_alive()
    assert refund(market, booking).ok()["refundAmount"] == usd("200.00")
    market.control.release_faults()
    asking.join()
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    assert told["answer"].ok()["status"] == "CANCELLED"
    assert [one.amount_reversed for one in transfers_of(market, booking)] == [184_00]
    assert payouts_of(market, provider) == []
    assert earnings(market, provider)["debt"] == usd("0.00")
    books_balance(market, booking)


def test_a_transfer_that_comes_through_after_it_was_given_up_is_taken_back(
    market: Market, services: Services
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    operation = begun(market, services, provider)
    refund(market, booking).ok()
    given_up = runner.resume(a_context(services, "RUN_MAINTENANCE"), operation.id)
    assert given_up is not None
    assert given_up.settled
    _funds(market)
    services.stripe.perform(_without_source(operation))
    market.control.idle()
    assert [one.amount_reversed for one in transfers_of(market, booking)] == [184_00]
    assert earnings(market, provider)["debt"] == usd("0.00")


def _without_source(operation: Operation) -> Call:
    """The transfer as it was written down, but not tied to a charge that is refunded by now."""
    call = operation.stages[0][0]
    params = {name: value for name, value in call.params.items() if name != "source_transaction"}
    return replace(call, params=params, idempotency_key=fresh("late"))


def test_what_another_payout_of_the_same_booking_claims_is_not_cut_from_this_one(
    market: Market,
) -> None:
    booking = a_completed_booking(market, pm=PENDING_FUNDS)
    provider = booking.service.provider
    later = (market.control.now() + timedelta(days=30)).isoformat()
    payout(market, provider, amount=84, scheduledDate=later).ok()
    told = payout(market, provider, amount=100).ok()
    assert told["amount"] == usd("100.00")
    market.control.advance(3 * 86_400)
    maintenance(market)
    arrive(market)
    assert [one.amount for one in payouts_of(market, provider)] == [100_00]
    books_balance(market, booking)


def test_two_who_hear_the_same_refusal_make_one_payout(market: Market, services: Services) -> None:
    """Both perform the stage; who records second has heard what was recorded already."""
    first = a_completed_booking(market)
    provider = first.service.provider
    second = a_completed_booking(market, provider)
    _spare_money(market, provider)
    market.control.webhooks("hold")  # funds that come would have a webhook go on with it, too
    operation = begun(market, services, provider)
    refused = f"transfer:{first.id}"
    results: dict[str, runner.Result] = {}
    for call in operation.stages[0]:
        ok = None if call.name == refused else services.stripe.perform(call)
        results[call.name] = runner.Result(ok, None if ok else "resource_missing")
    key = collections.payout(operation.id)
    one, docs, _ = runner._record(
        a_context(services, "RUN_MAINTENANCE"), operation, results, {}, None
    )
    done, _ = runner.run(a_context(services, "RUN_MAINTENANCE"), one, docs)
    assert done.settled
    stale, _, _ = runner._record(a_context(services, "RUN_MAINTENANCE"), one, {}, {}, None)
    assert stale.settled
    stale, _, _ = runner._record(
        a_context(services, "RUN_MAINTENANCE"), operation, results, {}, None
    )
    assert stale.settled
    assert services.store.read([key])[key].require()["amount"] == 184_00
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()
    books_balance(market, second)


def test_who_recorded_too_late_goes_on_with_what_stands(market: Market, services: Services) -> None:
    first = a_completed_booking(market)
    provider = first.service.provider
    a_completed_booking(market, provider)
    market.control.webhooks("hold")
    operation = begun(market, services, provider)
    results = {
        call.name: runner.Result(
            None if call.name == f"transfer:{first.id}" else services.stripe.perform(call),
            "resource_missing" if call.name == f"transfer:{first.id}" else None,
        )
        for call in operation.stages[0]
    }
    after, _, _ = runner._record(
        a_context(services, "RUN_MAINTENANCE"), operation, results, {}, None
    )
    again, _, _ = runner._record(
        a_context(services, "RUN_MAINTENANCE"), operation, results, {}, None
    )
    assert (again.attempts, again.plan["attempt"]) == (after.attempts, after.plan["attempt"])
    assert [call.idempotency_key for call in again.stages[0]] == [
        call.idempotency_key for call in after.stages[0]
    ]


def test_a_resumer_takes_the_lease(market: Market, services: Services) -> None:
    booking = a_completed_booking(market)
    operation = begun(market, services, booking.service.provider)
    market.control.advance(LEASE)
    context, seen = a_context(services, "RUN_MAINTENANCE"), list[Any]()
    taken, docs = runner._take_over(context, operation.id, seen)
    assert taken is not None
    assert docs
    assert taken.lease_until > context.now
    left, nothing = runner._take_over(context, operation.id, seen)
    assert not nothing  # it has moved since this one looked: somebody else goes on with it
    assert left is not None


def _funds(market: Market) -> None:
    """Other customers' money, at once available to the platform."""
    funds: Any = {
        "amount": 1_000_00,
        "currency": "usd",
        "payment_method": AT_ONCE,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }
    market.stripe.v1.payment_intents.create(funds)
    market.control.idle()


def _spare_money(market: Market, provider: Provider) -> None:
    """Other money in the connected balance, which a payout made twice would take."""
    _funds(market)
    market.stripe.v1.transfers.create(
        {"amount": 500_00, "currency": "usd", "destination": str(provider.account_id)}
    )
    market.control.idle()


def indebted(market: Market) -> tuple[Provider, Booking]:
    """A provider who was paid 184.00 and owes 92.00 of it."""
    booking = a_completed_booking(market)
    provider = booking.service.provider
    payout(market, provider).ok()
    arrive(market)
    refund(market, booking, 100).ok()
    assert earnings(market, provider)["debt"] == usd("92.00")
    return provider, booking


def test_a_debt_is_recovered_once_whoever_is_paid_at_the_same_time(
    market: Market, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, owing = indebted(market)
    second = a_completed_booking(market, provider)
    third = a_completed_booking(market, provider)
    real, others = execution.eligible, list[Any]()

    def overtaken(*args: Any) -> Any:
        if not others:
            others.append(payout(market, provider, amount=92).ok())
        return real(*args)

    monkeypatch.setattr(execution, "eligible", overtaken)
    wanted = execution.Wanted(fresh("payout"), provider.uid, amount=50)
    told = execution.request(wanted, a_context(services, "SCHEDULE_PAYOUT", provider.uid))
    assert others[0]["debtRecovered"] == usd("92.00")
    assert told["debtRecovered"] == usd("0.00")
    assert earnings(market, provider)["debt"] == usd("0.00")
    books_balance(market, owing, second, third)
