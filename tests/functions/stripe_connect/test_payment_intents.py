"""CREATE_PAYMENT_INTENT: the booking's one live intent, and CREATE_PAYOUT's refusals."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.functions.acts import a_completed_booking, a_provider_at_bank, arrive, payout, together
from tests.support.api import Answer
from tests.support.market import Booking, Market, Provider, usd
from tests.support.stripe_control import StripeControl


def intent(market: Market, booking: Booking, **more: Any) -> Answer:
    caller = market.api.as_user(booking.customer)
    return caller.post("stripe-connect", "CREATE_PAYMENT_INTENT", bookingId=booking.id, **more)


def test_the_live_intent_of_a_booking_is_given_again(market: Market) -> None:
    booking = market.a_booking()
    told = intent(market, booking).ok()
    assert told == {
        "paymentIntentId": booking.payment_intent,
        "clientSecret": booking.client_secret,
        "amount": usd("200.00"),
        "currency": "USD",
        "status": "requires_payment_method",
    }


def test_an_intent_cancelled_at_stripe_is_replaced_by_one_new_one_however_many_ask(
    market: Market, control: StripeControl
) -> None:
    booking = market.a_booking()
    market.stripe.v1.payment_intents.cancel(booking.payment_intent)
    control.idle()
    ids = {one.ok()["paymentIntentId"] for one in together(*[lambda: intent(market, booking)] * 8)}
    assert len(ids) == 1
    assert ids != {booking.payment_intent}
    told = intent(market, booking).ok()
    assert told["paymentIntentId"] in ids
    assert (told["amount"], told["status"]) == (usd("200.00"), "requires_payment_method")
    market.pay(told["clientSecret"])
    assert market.booking(booking.id)["status"] == "CONFIRMED"


def test_a_paid_booking_wants_no_further_payment(market: Market) -> None:
    booking = market.a_booking(paid=True)
    assert intent(market, booking).refused(409)["currentStatus"] == "CONFIRMED"


def test_a_replay_has_the_client_secret_and_nothing_stored_has_it(market: Market) -> None:
    booking = market.a_booking()
    first = intent(market, booking, idempotency_key="k-1").ok()
    again = intent(market, booking, idempotency_key="k-1")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.ok() == first
    of_caller = FieldFilter("caller", "==", booking.customer)
    kept = market.db.collection("idempotency").where(filter=of_caller).stream()
    texts = [str(one.to_dict()) for one in kept]
    assert texts
    assert not [text for text in texts if "_secret_" in text]


def create_payout(market: Market, provider: Provider, amount: object, **fields: Any) -> Answer:
    caller = market.api.as_user(provider.uid)
    return caller.post(
        "stripe-connect", "CREATE_PAYOUT", providerId=provider.uid, amount=amount, **fields
    )


def test_a_payout_over_the_accounts_own_balance_is_refused_in_the_guides_words(
    market: Market,
) -> None:
    told = create_payout(market, market.a_provider(), 200).refused(400)
    assert told["error"] == "Insufficient earnings"
    assert (told["available"], told["requested"]) == (usd("0.00"), usd("200.00"))


def test_a_payout_of_a_provider_who_is_not_set_up_is_refused_in_the_guides_words(
    market: Market,
) -> None:
    told = create_payout(market, market.a_provider(ready=False), 10).refused(400)
    assert told["error"] == "Provider payment processing not set up"


@pytest.mark.parametrize("amount", [-1, 0, "NaN", "1.234", "1e400", True, None, [], "ten"])
def test_an_amount_that_is_none_is_a_400(market: Market, amount: object) -> None:
    provider = market.a_provider()
    create_payout(market, provider, amount).refused(400)


def test_money_that_a_failed_payout_left_in_the_balance_can_be_paid_out(
    market: Market, control: StripeControl
) -> None:
    provider = a_provider_at_bank(market, "000111111113")  # closed: payouts to it fail
    a_completed_booking(market, provider)
    payout(market, provider).ok()
    control.idle()
    arrive(market)
    assert provider.account_id is not None
    balance = market.stripe.v1.balance.retrieve({}, {"stripe_account": provider.account_id})
    assert sum(one.amount for one in balance.available) == 184_00
    control.onboard(provider.account_id, bank_account_number="000123456789")
    control.idle()
    told = create_payout(market, provider, "100.00", idempotency_key="k-1").ok()
    assert told["payoutId"]
    assert (told["amount"], told["currency"]) == (usd("100.00"), "USD")
    assert told["arrivalDate"].endswith("Z")
    again = create_payout(market, provider, "100.00", idempotency_key="k-1").ok()
    assert again["payoutId"] == told["payoutId"]
    balance = market.stripe.v1.balance.retrieve({}, {"stripe_account": provider.account_id})
    assert sum(one.amount for one in balance.available) == 84_00
