"""PAUSE_PAYOUTS and RESUME_PAYOUTS: nothing is transferred or paid out in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from common.bootstrap import Services
from common.operations import runner
from common.operations.model import Operation, State
from common.payouts import execution
from emulator.stack.handle import RunningStack
from tests.functions.acts import (
    DAY,
    a_completed_booking,
    a_provider_at_bank,
    arrive,
    earnings,
    maintenance,
    payout,
    payout_now,
    payouts_of,
    refund,
    together,
    transfers_of,
)
from tests.functions.books import books_balance
from tests.functions.inside import a_context, services_on
from tests.support.api import Answer
from tests.support.market import Market, Provider, fresh, usd

WHILE_PAUSED = 301
PENDING_FUNDS = "pm_card_visa"


def pause(market: Market, **fields: Any) -> Answer:
    asked = {"reason": "a bank account was stolen", **fields}
    return market.api.as_operator().post("payout-manager", "PAUSE_PAYOUTS", **asked)


def resume(market: Market, **fields: Any) -> Answer:
    asked = {"reason": "it was found", **fields}
    return market.api.as_operator().post("payout-manager", "RESUME_PAYOUTS", **asked)


@pytest.fixture(autouse=True)
def _going_on(market: Market) -> Iterator[None]:
    """The stack is shared: whatever a test does, payouts go on after it."""
    yield
    resume(market).ok()


@pytest.fixture
def services(stack: RunningStack, market: Market) -> Iterator[Services]:
    with services_on(stack, market) as built:
        yield built


def begun(services: Services, provider: Provider) -> tuple[Operation, Any]:
    """A payout set aside and written down, its calls not begun."""
    context = a_context(services, "SCHEDULE_PAYOUT", provider.uid)
    operation, docs = execution._set_aside(execution.Wanted(fresh("payout"), provider.uid), context)
    assert operation is not None
    return operation, docs


def test_while_paused_no_payout_is_taken_and_afterwards_the_same_key_works(market: Market) -> None:
    booking = a_completed_booking(market)
    provider, key = booking.service.provider, fresh("key")
    told = pause(market).ok()
    assert (told["paused"], told["reason"]) == (True, "a bank account was stolen")
    later = (market.control.now() + timedelta(days=2)).isoformat()
    for fields in ({"idempotency_key": key}, {"amount": 5}, {"scheduledDate": later}):
        refused = payout(market, provider, **fields).refused(409, "payouts_paused")
        assert refused["since"] == told["since"]
    payout(market, provider, "INSTANT_PAYOUT").refused(409, "payouts_paused")
    market.api.as_operator().post(
        "payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid
    ).refused(409, "payouts_paused")
    assert transfers_of(market, booking) == []
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    resume(market).ok()
    assert payout(market, provider, idempotency_key=key).ok()["status"] == "PROCESSING"
    market.control.idle()
    books_balance(market, booking)


def test_what_lies_in_a_connected_balance_stays_there_while_paused(market: Market) -> None:
    provider = a_provider_at_bank(market, "000111111116")
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)  # and back again
    pause(market).ok()
    caller = market.api.as_user(provider.uid)
    asked = {"providerId": provider.uid, "amount": 184}
    caller.post("stripe-connect", "CREATE_PAYOUT", **asked).refused(409, "payouts_paused")
    assert len(payouts_of(market, provider)) == 1
    books_balance(market, booking)


def test_refunds_and_reversals_go_on_while_payouts_are_paused(market: Market) -> None:
    provider = a_provider_at_bank(market, "000111111116")
    booking = a_completed_booking(market, provider)
    payout(market, provider).ok()
    arrive(market)
    pause(market).ok()
    refund(market, booking, 100).ok()
    market.control.idle()
    assert transfers_of(market, booking)[0].amount_reversed == 92_00
    books_balance(market, booking)


def test_a_payout_whose_date_comes_while_paused_waits_and_then_leaves(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    date = (market.control.now() + timedelta(hours=1)).isoformat()
    sent = payout(market, provider, scheduledDate=date).ok()
    pause(market).ok()
    market.control.advance(3601)
    maintenance(market)
    assert payout_now(market, sent["payoutId"])["status"] == "SCHEDULED"
    assert transfers_of(market, booking) == []
    resume(market).ok()
    maintenance(market)
    assert payout_now(market, sent["payoutId"])["status"] == "PROCESSING"
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    market.control.idle()
    books_balance(market, booking)


def test_a_scheduled_payout_may_be_called_off_while_paused(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    later = (market.control.now() + timedelta(days=2)).isoformat()
    sent = payout(market, provider, scheduledDate=later).ok()
    pause(market).ok()
    caller = market.api.as_user(provider.uid)
    caller.post("payout-manager", "CANCEL_PAYOUT", payoutId=sent["payoutId"]).ok()
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")


def test_a_run_while_paused_queues_nothing_and_one_after_it_pays(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    date = market.control.now().date().isoformat()
    pause(market).ok()
    operator = market.api.as_operator()
    told = operator.post("payout-manager", "RUN_SCHEDULED_PAYOUTS", date=date).ok()
    assert (told["queued"], told["failed"], told["paused"]) == (0, 0, True)
    assert told["skipped"] >= 1
    assert transfers_of(market, booking) == []
    resume(market).ok()
    told = operator.post("payout-manager", "RUN_SCHEDULED_PAYOUTS", date=date).ok()
    assert told["paused"] is False
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    assert len(payouts_of(market, provider)) == 1
    market.control.idle()
    books_balance(market, booking)


def test_a_pause_between_a_payouts_intent_and_its_first_call_wins(
    market: Market, services: Services
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    operation, docs = begun(services, provider)
    pause(market).ok()
    context = a_context(services, "SCHEDULE_PAYOUT", provider.uid)
    waiting, _ = runner.run(context, operation, docs)
    assert waiting.state is State.WAITING
    assert transfers_of(market, booking) == []
    market.control.advance(WHILE_PAUSED)
    maintenance(market)
    assert transfers_of(market, booking) == []
    assert payout_now(market, operation.id)["status"] == "PROCESSING"
    resume(market).ok()
    market.control.advance(WHILE_PAUSED)
    maintenance(market)
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    assert len(payouts_of(market, provider)) == 1
    market.control.idle()
    books_balance(market, booking)


def test_a_pause_between_a_payouts_first_read_and_its_intent_wins(
    market: Market, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    real = execution.eligible

    def overtaken(*args: Any) -> Any:
        pause(market).ok()
        return real(*args)

    monkeypatch.setattr(execution, "eligible", overtaken)
    wanted = execution.Wanted(fresh("payout"), provider.uid)
    execution.request(wanted, a_context(services, "SCHEDULE_PAYOUT", provider.uid))
    assert transfers_of(market, booking) == []
    assert payouts_of(market, provider) == []
    resume(market).ok()
    market.control.advance(WHILE_PAUSED)
    maintenance(market)
    assert len(payouts_of(market, provider)) == 1
    market.control.idle()
    books_balance(market, booking)


def test_a_payout_that_waits_for_its_funds_does_not_leave_while_paused(market: Market) -> None:
    booking = a_completed_booking(market, pm=PENDING_FUNDS)
    provider = booking.service.provider
    payout(market, provider).ok()
    assert len(transfers_of(market, booking)) == 1
    pause(market).ok()
    market.control.advance(4 * DAY)  # the funds come, and Stripe tells
    maintenance(market)
    assert payouts_of(market, provider) == []
    resume(market).ok()
    market.control.advance(WHILE_PAUSED)
    maintenance(market)
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    market.control.idle()
    books_balance(market, booking)


def test_a_payout_that_died_after_its_transfer_is_found_when_payouts_go_on(
    market: Market, services: Services
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    operation, _ = begun(services, provider)
    pause(market).ok()
    services.stripe.perform(operation.stages[0][0])  # the call was under way already
    market.control.idle()
    market.control.advance(10)
    maintenance(market)
    assert payouts_of(market, provider) == []
    books_balance(market, booking)
    resume(market).ok()
    market.control.advance(WHILE_PAUSED)
    maintenance(market)
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    market.control.idle()
    books_balance(market, booking)


def test_what_is_disputed_while_payouts_are_paused_does_not_leave_with_the_rest(
    market: Market, services: Services
) -> None:
    first = a_completed_booking(market)
    provider = first.service.provider
    second = a_completed_booking(market, provider)
    begun(services, provider)
    pause(market).ok()
    market.control.advance(10)
    maintenance(market)
    market.api.as_user(first.customer).post(
        "refund-processor", "DISPUTE_REFUND", bookingId=first.id, reason="nobody came"
    ).ok()
    resume(market).ok()
    market.control.advance(WHILE_PAUSED)
    maintenance(market)
    assert transfers_of(market, first) == []
    assert [one.amount for one in transfers_of(market, second)] == [184_00]
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    market.control.idle()
    books_balance(market, first, second)


def test_a_pause_and_payouts_at_the_same_time_leave_nothing_half_done(market: Market) -> None:
    bookings = [a_completed_booking(market) for _ in range(2)]
    providers = [booking.service.provider for booking in bookings]
    answers = together(
        lambda: payout(market, providers[0]),
        lambda: pause(market),
        lambda: payout(market, providers[1]),
    )
    assert answers[1].ok()["paused"] is True
    assert {one.status for one in answers} <= {200, 409}
    before = [len(payouts_of(market, one)) for one in providers]
    maintenance(market)
    assert [len(payouts_of(market, one)) for one in providers] == before
    resume(market).ok()
    market.control.advance(WHILE_PAUSED)
    maintenance(market)
    made = [len(payouts_of(market, one)) for one in providers]
    assert made == [int(answers[at].status == 200) for at in (0, 2)]
    market.control.idle()
    books_balance(market, *bookings)


def test_pausing_twice_answers_with_the_first_and_each_turn_is_kept(market: Market) -> None:
    first = pause(market, reason="one").ok()
    again = pause(market, reason="two").ok()
    assert again == first
    both = together(*[lambda: resume(market, reason="over")] * 2)
    assert both[0].ok() == both[1].ok()
    assert both[0].json["paused"] is False
    key = fresh("key")
    keyed = [pause(market, reason="three", idempotency_key=key).ok() for _ in range(2)]
    assert keyed[0] == keyed[1]
    kept = [one.to_dict() or {} for one in market.db.collection("payoutPauses").stream()]
    newest = sorted(kept, key=lambda one: one["changes"])[-3:]
    assert [(one["paused"], one["reason"], one["by"]) for one in newest] == [
        (True, "one", "operator"),
        (False, "over", "operator"),
        (True, "three", "operator"),
    ]
    assert [one["changes"] for one in newest] == list(
        range(newest[0]["changes"], newest[0]["changes"] + 3)
    )


def test_only_operators_pause_and_say_why(market: Market) -> None:
    provider = market.a_provider()
    for action in ("PAUSE_PAYOUTS", "RESUME_PAYOUTS"):
        caller = market.api.as_user(provider.uid)
        caller.post("payout-manager", action, reason="mine").refused(403)
    pause(market, reason="").refused(400)
    pause(market, reason="x" * 501).refused(400)
    pause(market, reason=7).refused(400)
    market.api.as_operator().post("payout-manager", "PAUSE_PAYOUTS").refused(400)
    assert resume(market).ok()["paused"] is False
