"""Charges that settle in another currency than they were made in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe as sdk
from hypothesis import given
from hypothesis import strategies as st
from stripe import StripeClient

from emulator.stripe.settlement import RATES, parse
from tests.emulator.stripe.direct import Direct
from tests.emulator.stripe.driver import Emulator, Marketplace, running


@pytest.fixture(autouse=True)
def _settling(emulator: Emulator) -> Iterator[None]:
    emulator.control("POST", "/settlement", {"currencies": ["usd", "eur"]})
    yield
    emulator.control("POST", "/settlement", {"currencies": []})


def _came(payment: Any) -> Any:
    return payment.latest_charge.balance_transaction


def test_a_charge_in_a_foreign_currency_reaches_the_balance_converted(
    market: Marketplace,
) -> None:
    payment = market.payment(100_00, "pm_card_bypassPending", "gbp")
    txn = _came(payment)
    assert (payment.latest_charge.currency, payment.latest_charge.amount) == ("gbp", 100_00)
    assert (txn.currency, txn.amount, txn.exchange_rate) == ("usd", 127_00, 1.27)
    assert (txn.fee, txn.fee_details[0].currency) == (127 * 290 // 100 + 30, "usd")
    assert market.funds() == (127_00 - txn.fee, 0)
    assert market.funds(currency="gbp") == (0, 0)


def test_currencies_without_decimals_are_converted_by_their_units(market: Marketplace) -> None:
    txn = _came(market.payment(10_000, currency="jpy"))
    assert (txn.currency, txn.amount, txn.exchange_rate) == ("usd", 67_00, 0.0067)


def test_settlement_currencies_stay_their_own(market: Marketplace) -> None:
    txn = _came(market.payment(100_00, currency="eur"))
    assert (txn.currency, txn.amount, txn.exchange_rate) == ("eur", 100_00, None)


def test_a_transfer_from_such_a_charge_is_in_what_it_settled_in_and_no_more_than_that(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    payment = market.payment(100_00, currency="gbp")
    with pytest.raises(sdk.InvalidRequestError) as caught:
        market.transfer(account, 92_00, payment, currency="gbp")
    assert caught.value.param == "currency"
    with pytest.raises(sdk.InvalidRequestError, match="must not exceed the source amount"):
        market.transfer(account, 127_01, payment)
    market.transfer(account, 127_00, payment)
    assert market.funds(account) == (0, 127_00)


def test_a_refund_takes_back_what_came_and_a_failed_one_returns_it(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    market.payment(500_00, "pm_card_bypassPending")
    before = market.funds()
    payment = market.payment(33_33, "pm_card_refundFail", "gbp")
    emulator.advance(3 * 86400)
    with_charge = market.funds()
    refund = stripe.v1.refunds.create({"payment_intent": payment.id})
    assert (refund.currency, refund.amount) == ("gbp", 33_33)
    txn = stripe.v1.balance_transactions.retrieve(str(refund.balance_transaction))
    assert (txn.currency, txn.amount, txn.exchange_rate) == ("usd", -_came(payment).amount, 1.27)
    emulator.idle()
    assert stripe.v1.refunds.retrieve(refund.id).status == "failed"
    assert market.funds() == with_charge != before


def test_a_refund_that_waits_goes_out_when_money_comes_in_the_settled_currency(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    account = market.account()
    payment = market.payment(100_00, "pm_card_bypassPending", "gbp")
    market.transfer(account, 120_00)
    refund = stripe.v1.refunds.create({"payment_intent": payment.id})
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    market.payment(200_00, "pm_card_bypassPending")
    emulator.idle()
    assert stripe.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_dispute_is_in_the_charges_currency_and_its_money_in_the_settled_one(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    payment = market.payment(100_00, "pm_card_createDispute", "gbp")
    dispute = stripe.v1.disputes.list({"payment_intent": payment.id}).data[0]
    assert (dispute.currency, dispute.amount) == ("gbp", 100_00)
    taken = dispute.balance_transactions[0]
    assert (taken.currency, taken.amount, taken.fee) == ("usd", -127_00, 15_00)
    emulator.control("POST", "/disputes", {"charge": dispute.charge, "outcome": "won"})
    won = stripe.v1.disputes.retrieve(dispute.id).balance_transactions
    assert [txn.amount for txn in won] == [-127_00, 127_00]


def test_what_converts_to_too_little_or_has_no_rate_is_not_charged(
    stripe: StripeClient, market: Marketplace
) -> None:
    with pytest.raises(sdk.InvalidRequestError, match="must convert to at least") as caught:
        market.payment(70, currency="jpy")
    assert caught.value.code == "amount_too_small"
    with pytest.raises(sdk.APIError) as failed:
        market.payment(10_000, currency="isk")
    assert failed.value.http_status == 501


def test_the_choice_is_in_the_state_file_and_what_cannot_be_chosen_is_refused(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.control("POST", "/settlement", {"currencies": ["isk"]}, status=400)
    emulator.control("POST", "/settlement", {"currencies": "usd"}, status=400)
    state = tmp_path / "state.db"
    with running(None, state, "--settlement-currencies", "eur") as first:
        assert Marketplace(first).funds(currency="eur") == (0, 0)
    with running(state=state) as second:
        txn = _came(Marketplace(second).payment(108_00, currency="usd"))
        assert (txn.currency, txn.amount) == ("eur", 100_00)


@given(st.integers(100, 99_999_999), st.sampled_from(sorted(RATES)), st.integers(1, 100))
def test_a_refund_in_full_is_all_that_came_and_a_part_never_more(
    amount: int, currency: str, percent: int
) -> None:
    direct = Direct()
    direct.world.settle_in(parse("eur,usd"))
    body = f"amount={amount}&currency={currency}&confirm=true&payment_method=pm_card_bypassPending"
    status, intent = direct.call("POST", "/v1/payment_intents", body)
    if status != 200:
        assert intent["error"]["code"] == "amount_too_small"
        return
    charge = intent["latest_charge"]
    part = max(1, amount * percent // 100)
    status, refund = direct.call("POST", "/v1/refunds", f"charge={charge}&amount={part}")
    assert status == 200
    came = direct.world.store.get("charge", charge)["balance_transaction"]
    brought = direct.world.store.get("balance_transaction", came)
    went = direct.world.store.get("balance_transaction", refund["balance_transaction"])
    assert went["currency"] == brought["currency"]
    assert -went["amount"] <= brought["amount"]
    assert part < amount or -went["amount"] == brought["amount"]
    assert direct.world.failures == []
