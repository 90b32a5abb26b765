"""What people do with a booking's money, each act in one line of a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from google.cloud.firestore_v1.base_query import FieldFilter

from tests.support.api import Answer
from tests.support.market import Booking, Market, Provider, fresh

#: A card whose funds are available at once, so that payouts need not wait for them.
AT_ONCE = "pm_card_bypassPending"
DAY = 86_400


def soon(market: Market, **ahead: float) -> datetime:
    """A whole second shortly ahead, by the stack's clock (``timedelta``'s words; 5 minutes)."""
    return (market.control.now() + timedelta(**(ahead or {"minutes": 5}))).replace(microsecond=0)


def a_paid_booking(
    market: Market,
    provider: Provider | None = None,
    *,
    price: int | str = 200,
    pm: str = AT_ONCE,
    start: datetime | None = None,
    lasts: timedelta = timedelta(minutes=30),
    **service: Any,
) -> Booking:
    """A confirmed booking at ``price``, starting in 72 hours unless told otherwise."""
    offered = market.a_service(provider or market.a_provider(), price=price, **service)
    booking = market.a_booking(offered, start=start or soon(market, hours=72), lasts=lasts)
    market.pay(booking, pm)
    return booking


def a_completed_booking(
    market: Market, provider: Provider | None = None, *, pm: str = AT_ONCE, **offered: Any
) -> Booking:
    """A booking that was paid and whose service is over."""
    booking = a_paid_booking(market, provider, pm=pm, start=soon(market), **offered)
    market.complete(booking)
    return booking


def a_provider_at_bank(market: Market, number: str) -> Provider:
    """A provider whose bank account has this (test) number."""
    provider = market.a_provider(ready=False)
    told = market.api.as_user(provider.uid).post(
        "stripe-connect", "CREATE_ACCOUNT", providerId=provider.uid
    )
    account: str = told.ok()["accountId"]
    market.control.onboard(account, bank_account_number=number)
    market.control.idle()
    return Provider(provider.uid, account)


def as_customer(market: Market, booking: Booking, processor: str, action: str, **f: Any) -> Answer:
    """The booking's customer calls."""
    caller = market.api.as_user(booking.customer)
    return caller.post(processor, action, bookingId=booking.id, **f)


def as_provider(market: Market, booking: Booking, processor: str, action: str, **f: Any) -> Answer:
    """The booking's provider calls."""
    caller = market.api.as_user(booking.service.provider.uid)
    return caller.post(processor, action, bookingId=booking.id, **f)


def as_operator(market: Market, booking: Booking, processor: str, action: str, **f: Any) -> Answer:
    """An operator calls about a booking."""
    return market.api.as_operator().post(processor, action, bookingId=booking.id, **f)


def refund(market: Market, booking: Booking, amount: Any = None, **fields: Any) -> Answer:
    """PROCESS_REFUND by an operator, with a key of its own unless one is given."""
    key = fields.pop("idempotency_key", None) or fresh("key")
    asked = {} if amount is None else {"refundAmount": amount}
    return as_operator(
        market,
        booking,
        "refund-processor",
        "PROCESS_REFUND",
        idempotency_key=key,
        **asked,
        **fields,
    )


def earnings(market: Market, provider: Provider, **fields: Any) -> dict[str, Any]:
    """CALCULATE_EARNINGS, asked by the provider."""
    caller = market.api.as_user(provider.uid)
    return caller.post(
        "payout-manager", "CALCULATE_EARNINGS", providerId=provider.uid, **fields
    ).ok()


def payout(
    market: Market, provider: Provider, action: str = "SCHEDULE_PAYOUT", **fields: Any
) -> Answer:
    """A payout, asked for by the provider."""
    caller = market.api.as_user(provider.uid)
    return caller.post("payout-manager", action, providerId=provider.uid, **fields)


def payout_now(market: Market, payout_id: str) -> dict[str, Any]:
    """A payout as the provider's history shows it at this moment."""
    stored = market.db.collection("payouts").document(payout_id).get().to_dict() or {}
    history = market.api.as_operator().post(
        "payout-manager", "GET_PAYOUT_HISTORY", providerId=stored["providerId"], limit=100
    )
    return next(one for one in history.ok()["payouts"] if one["payoutId"] == payout_id)


def arrive(market: Market) -> None:
    """Payouts that left reach their banks: two days later."""
    market.control.advance(2 * DAY + 60)


def maintenance(market: Market) -> dict[str, Any]:
    """RUN_MAINTENANCE, as the scheduler's operator."""
    return market.api.as_operator().post("booking-processor", "RUN_MAINTENANCE").ok()


def transfers_of(market: Market, booking: Booking) -> list[Any]:
    """A booking's transfers at Stripe, the oldest first."""
    return list(reversed(market.stripe.v1.transfers.list({"transfer_group": booking.id}).data))


def refunds_of(market: Market, booking: Booking) -> list[Any]:
    """A booking's refunds at Stripe, the oldest first."""
    listed = market.stripe.v1.refunds.list({"payment_intent": booking.payment_intent})
    return list(reversed(listed.data))


def payouts_of(market: Market, provider: Provider) -> list[Any]:
    """A connected account's payouts at Stripe, the oldest first."""
    assert provider.account_id is not None
    listed = market.stripe.v1.payouts.list({}, {"stripe_account": provider.account_id})
    return list(reversed(listed.data))


def made_by(intent: Any) -> str | None:
    """The customer that a payment intent names; one of an invoice, or made by hand, names none."""
    metadata: dict[str, str] = intent.metadata.to_dict()
    return metadata.get("customerId")


def charge_of(market: Market, booking: Booking) -> str:
    """The charge that paid a booking."""
    intent = market.stripe.v1.payment_intents.retrieve(booking.payment_intent)
    return str(intent.latest_charge)


def operations_left(market: Market, field: str, value: str) -> list[str]:
    """Operations whose plan names this and that are not finished, as ``id state``."""
    found = market.db.collection("operations").where(
        filter=FieldFilter(f"plan.{field}", "==", value)
    )
    documents = [(one.id, one.to_dict() or {}) for one in found.stream()]
    return [
        f"{id_} {doc['state']}" for id_, doc in documents if doc["state"] not in ("DONE", "FAILED")
    ]


def together(*acts: Callable[[], Answer]) -> list[Answer]:
    """Do things at the same time; their answers in the order of the acts."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(act) for act in acts]]


def until_answered(act: Callable[[], Answer]) -> Answer:
    """Do it, and again after every 503, as the contract asks of a client (10 seconds at most)."""
    for _ in range(40):
        answer = act()
        if answer.status != 503:
            return answer
        time.sleep(0.25)
    return answer


def an_unheard_payout(market: Market) -> tuple[Provider, str]:
    """A provider, and the id of a payout that has arrived at the bank without a word to us."""
    provider = market.a_provider()
    market.complete(market.a_booking(market.a_service(provider), paid=True))
    caller = market.api.as_user(provider.uid)
    payout = caller.post("payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid).ok()
    market.control.idle()  # what was told of its beginning has arrived
    market.control.webhooks("drop")
    market.control.advance(4 * DAY)
    market.control.webhooks("normal")
    return provider, str(payout["payoutId"])


def payout_statuses(market: Market, provider: Provider) -> list[str]:
    """The statuses of a provider's payouts, newest first, as the provider sees them."""
    caller = market.api.as_user(provider.uid)
    told = caller.post("payout-manager", "GET_PAYOUT_HISTORY", providerId=provider.uid).ok()
    return [str(one["status"]) for one in told["payouts"]]
