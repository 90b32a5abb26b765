"""SCHEDULE_PAYOUT, INSTANT_PAYOUT, CANCEL_PAYOUT and their history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.functions.acts import (
    AT_ONCE,
    a_completed_booking,
    a_provider_at_bank,
    arrive,
    earnings,
    maintenance,
    operations_left,
    payout,
    payout_now,
    payouts_of,
    refund,
    together,
    transfers_of,
    until_answered,
)
from tests.functions.books import books_balance, connected, owed, provider_sums
from tests.support.market import Market, fresh, usd

FAILS = "000111111116"
PAYS = "000123456789"


def test_a_payout_is_transferred_then_paid_when_stripe_says_so(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    told = payout(market, provider).ok()
    assert told["providerId"] == provider.uid
    assert (told["amount"], told["currency"]) == (usd("184.00"), "USD")
    assert told["status"] == "PROCESSING"
    assert told["bookingIds"] == [booking.id]
    assert told["scheduledDate"]
    assert earnings(market, provider)["totalEarnings"] == 0
    [transfer] = transfers_of(market, booking)
    assert (transfer.amount, transfer.destination) == (184_00, provider.account_id)
    arrive(market)
    assert payout_now(market, told["payoutId"])["status"] == "PAID"
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    assert owed(provider) not in provider_sums(market, provider)
    books_balance(market, booking)


@pytest.mark.parametrize("action", ["SCHEDULE_PAYOUT", "INSTANT_PAYOUT"])
def test_more_than_is_available_is_refused_in_the_guides_words(market: Market, action: str) -> None:
    booking = a_completed_booking(market)
    told = payout(market, booking.service.provider, action, amount=200).refused(400)
    assert told["error"] == "Insufficient earnings"
    assert told["available"] == usd("184.00")
    assert told["requested"] == usd("200.00")
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_nothing_earned_is_nothing_to_pay_out(market: Market) -> None:
    told = payout(market, market.a_provider()).refused(400)
    assert told["error"] == "Insufficient earnings"
    assert told["available"] == 0


def test_without_a_stripe_account_nobody_is_paid(market: Market) -> None:
    told = payout(market, market.a_provider(ready=False)).refused(400)
    assert told["error"] == "Provider payment processing not set up"


def test_an_amount_that_is_no_amount_is_refused(market: Market) -> None:
    provider = market.a_provider()
    for bad in (-1, 0, "1.001", "x", True):
        payout(market, provider, amount=bad).refused(400)


def test_a_payout_for_a_later_date_waits_for_it(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    date = market.control.now() + timedelta(hours=5)
    told = payout(market, provider, amount=100, scheduledDate=date.isoformat()).ok()
    assert (told["status"], told["amount"]) == ("SCHEDULED", usd("100.00"))
    assert earnings(market, provider)["totalEarnings"] == usd("84.00")
    maintenance(market)
    assert payout_now(market, told["payoutId"])["status"] == "SCHEDULED"
    assert transfers_of(market, booking) == []
    market.control.advance(5 * 3600 + 1)
    maintenance(market)
    assert payout_now(market, told["payoutId"])["status"] == "PROCESSING"
    arrive(market)
    assert payout_now(market, told["payoutId"])["status"] == "PAID"
    assert [one.amount for one in transfers_of(market, booking)] == [100_00]
    books_balance(market, booking)


def test_a_scheduled_payout_can_be_cancelled_until_it_leaves(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    date = market.control.now() + timedelta(days=3)
    told = payout(market, provider, scheduledDate=date.isoformat()).ok()
    caller, act = market.api.as_user(provider.uid), ("payout-manager", "CANCEL_PAYOUT")
    stranger = market.api.as_user(fresh("provider"))
    stranger.post(*act, payoutId=told["payoutId"]).refused(404)
    for _ in range(2):
        over = caller.post(*act, payoutId=told["payoutId"]).ok()
        assert over["status"] == "CANCELLED"
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    gone = payout(market, provider).ok()
    refused = caller.post(*act, payoutId=gone["payoutId"]).refused(409)
    assert refused["currentStatus"] == "PROCESSING"
    books_balance(market, booking)


def test_a_scheduled_payout_carries_only_what_is_still_due_when_it_leaves(market: Market) -> None:
    provider = market.a_provider()
    kept = a_completed_booking(market, provider)
    refunded = a_completed_booking(market, provider)
    date = market.control.now() + timedelta(hours=1)
    told = payout(market, provider, scheduledDate=date.isoformat()).ok()
    assert told["amount"] == usd("368.00")
    refund(market, refunded).ok()
    market.control.advance(3601)
    maintenance(market)
    left = payout_now(market, told["payoutId"])
    assert (left["status"], left["amount"]) == ("PROCESSING", usd("184.00"))
    assert left["bookingIds"] == [kept.id]
    assert transfers_of(market, refunded) == []
    arrive(market)
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    books_balance(market, kept, refunded)


def test_a_payout_the_bank_sends_back_is_paid_again_without_a_second_transfer(
    market: Market,
) -> None:
    provider = a_provider_at_bank(market, FAILS)
    booking = a_completed_booking(market, provider)
    told = payout(market, provider).ok()
    arrive(market)
    failed = payout_now(market, told["payoutId"])
    assert failed["status"] == "FAILED"
    assert failed["failureCode"] == "no_account"
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    assert provider_sums(market, provider)[connected(provider)] == 184_00
    books_balance(market, booking)
    assert provider.account_id is not None
    market.control.onboard(provider.account_id, bank_account_number=PAYS)
    market.control.idle()
    again = payout(market, provider).ok()
    assert again["payoutId"] != told["payoutId"]
    arrive(market)
    assert payout_now(market, again["payoutId"])["status"] == "PAID"
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    assert [one.status for one in payouts_of(market, provider)] == ["failed", "paid"]
    assert earnings(market, provider)["totalEarnings"] == 0
    books_balance(market, booking)


def test_a_payout_waits_for_funds_that_are_pending_and_then_goes_on(market: Market) -> None:
    booking = a_completed_booking(market, pm="pm_card_visa")
    provider = booking.service.provider
    told = payout(market, provider).ok()
    assert told["status"] == "PROCESSING"
    market.control.idle()
    assert payouts_of(market, provider) == []
    assert earnings(market, provider)["totalEarnings"] == 0
    books_balance(market, booking)
    arrive(market)  # the funds become available
    maintenance(market)
    assert len(payouts_of(market, provider)) == 1
    arrive(market)
    assert payout_now(market, told["payoutId"])["status"] == "PAID"
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    books_balance(market, booking)


def test_an_instant_payouts_fee_is_inside_its_amount(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    told = payout(market, provider, "INSTANT_PAYOUT", amount="101.00").ok()
    assert (told["method"], told["amount"]) == ("instant", usd("101.00"))
    assert (told["fee"], told["netAmount"]) == (usd("1.00"), usd("100.00"))
    [sent] = payouts_of(market, provider)
    assert (sent.method, sent.amount) == ("instant", 100_00)
    market.control.advance(1801)
    assert payout_now(market, told["payoutId"])["status"] == "PAID"
    assert earnings(market, provider)["totalEarnings"] == usd("83.00")
    assert provider_sums(market, provider)[owed(provider)] == -83_00
    assert connected(provider) not in provider_sums(market, provider)
    books_balance(market, booking)


def test_an_instant_payout_does_not_wait_for_pending_funds(market: Market) -> None:
    booking = a_completed_booking(market, pm="pm_card_visa")
    told = payout(market, booking.service.provider, "INSTANT_PAYOUT").ok()
    assert told["amount"] == usd("184.00")
    assert told["fee"] + told["netAmount"] == usd("184.00")
    market.control.advance(1801)
    assert payout_now(market, told["payoutId"])["status"] == "PAID"
    books_balance(market, booking)


def test_an_instant_payout_eaten_by_its_fee_is_refused(market: Market) -> None:
    booking = a_completed_booking(market)
    payout(market, booking.service.provider, "INSTANT_PAYOUT", amount="0.50").refused(400)
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_payouts_raced_never_pay_more_than_was_earned(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    answers = together(
        *[lambda: payout(market, provider, amount=120)] * 3,
        lambda: payout(market, provider, "INSTANT_PAYOUT", amount=120),
    )
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    for answer in answers:
        if answer.status == 400:
            assert answer.json["error"] == "Insufficient earnings"
            assert answer.json["available"] == usd("64.00")
    arrive(market)
    assert sum(one.amount for one in transfers_of(market, booking)) == 120_00
    assert earnings(market, provider)["totalEarnings"] == usd("64.00")
    books_balance(market, booking)


def test_one_key_is_one_payout(market: Market) -> None:
    booking, key = a_completed_booking(market), fresh("key")
    provider = booking.service.provider
    first = payout(market, provider, amount=50, idempotency_key=key).ok()
    again = payout(market, provider, amount=50, idempotency_key=key)
    assert again.ok() == first
    assert again.headers["Idempotent-Replayed"] == "true"
    payout(market, provider, amount=51, idempotency_key=key).refused(422)
    market.control.idle()
    assert [one.amount for one in transfers_of(market, booking)] == [50_00]
    books_balance(market, booking)


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/v1/transfers", "kill_before"),
        ("/v1/transfers", "kill_after"),
        ("/v1/transfers", "timeout_after"),
        ("/v1/payouts", "kill_before"),
        ("/v1/payouts", "kill_after"),
        ("/v1/payouts", "error_before"),
    ],
)
def test_a_payout_cut_short_is_finished_with_one_transfer_and_one_payout(
    market: Market, path: str, mode: str
) -> None:
    booking, key = a_completed_booking(market), fresh("key")
    provider = booking.service.provider
    times = 3 if mode == "error_before" else 1  # the client asks three times
    market.control.fault("POST", path, mode, times=times, seconds=0.2)
    payout(market, provider, idempotency_key=key)
    market.control.clear_faults()
    market.control.advance(6)  # the lease of the one who died
    if mode == "kill_after":
        maintenance(market)
    told = until_answered(lambda: payout(market, provider, idempotency_key=key)).ok()
    assert told["amount"] == usd("184.00")
    arrive(market)
    assert payout_now(market, told["payoutId"])["status"] == "PAID"
    assert [one.amount for one in transfers_of(market, booking)] == [184_00]
    assert [one.amount for one in payouts_of(market, provider)] == [184_00]
    assert operations_left(market, "payoutId", told["payoutId"]) == []
    books_balance(market, booking)


def test_a_transfer_that_stripe_refuses_leaves_the_payout_and_the_rest_goes(
    market: Market,
) -> None:
    provider = market.a_provider()
    bookings = [a_completed_booking(market, provider) for _ in range(2)]
    market.control.fault("POST", "/v1/transfers", "error_before", status=400, code="some_reason")
    told = payout(market, provider).ok()
    assert told["amount"] == usd("184.00")
    assert len(told["bookingIds"]) == 1
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    market.control.idle()
    books_balance(market, *bookings)


def test_a_payout_that_stripe_refuses_fails_and_the_money_is_available_again(
    market: Market,
) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    market.control.fault(
        "POST", "/v1/payouts", "error_before", status=400, code="payouts_not_allowed"
    )
    told = payout(market, provider).ok()
    assert told["status"] == "FAILED"
    assert told["failureCode"] == "payouts_not_allowed"
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    assert payout(market, provider).ok()["status"] == "PROCESSING"
    market.control.idle()
    assert len(transfers_of(market, booking)) == 1
    books_balance(market, booking)


def test_history_is_paged_newest_first_and_filtered_by_status(market: Market) -> None:
    booking = a_completed_booking(market, pm=AT_ONCE)
    provider = booking.service.provider
    made = [payout(market, provider, amount=amount).ok()["payoutId"] for amount in (10, 20, 30)]
    caller, act = market.api.as_user(provider.uid), ("payout-manager", "GET_PAYOUT_HISTORY")
    first = caller.post(*act, providerId=provider.uid, limit=2).ok()
    second = caller.post(*act, providerId=provider.uid, limit=2, cursor=first["nextCursor"]).ok()
    seen = [one["payoutId"] for one in [*first["payouts"], *second["payouts"]]]
    assert seen == made[::-1]
    assert second["nextCursor"] is None
    none = caller.post(*act, providerId=provider.uid, status="PAID").ok()
    assert none["payouts"] == []
    assert caller.post(*act, providerId=provider.uid, status="LOST").status == 400
    books_balance(market, booking)
