"""REPLAY_EVENTS: an operator lets events that were lost, or that broke, have their effect."""

from __future__ import annotations

from typing import Any

from tests.functions.acts import a_completed_booking, arrive, payout, payout_now
from tests.functions.deliveries import events_of, remembered
from tests.support.api import Answer
from tests.support.market import Booking, Market


def replay(market: Market, **fields: Any) -> Answer:
    return market.api.as_operator().post("booking-processor", "REPLAY_EVENTS", **fields)


def paid_unheard(market: Market) -> tuple[Booking, str]:
    """A booking that was paid, and the event that nobody was told of."""
    booking = market.a_booking(market.a_service(market.a_provider()))
    market.control.idle()
    market.control.webhooks("drop")
    market.pay(booking)
    market.control.webhooks("normal")
    [event] = events_of(market, "payment_intent.succeeded", booking.payment_intent)
    return booking, event["id"]


def test_an_event_that_was_lost_has_its_effect_by_its_id_and_once(market: Market) -> None:
    booking, event_id = paid_unheard(market)
    [told] = replay(market, eventIds=[event_id]).ok()["events"]
    assert told == {
        "eventId": event_id,
        "type": "payment_intent.succeeded",
        "outcome": "processed",
    }
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    [again] = replay(market, eventIds=[event_id]).ok()["events"]
    assert again["outcome"] == "duplicate"


def test_an_event_that_broke_is_kept_and_does_not_stop_another(market: Market) -> None:
    booking, event_id = paid_unheard(market)
    other, other_id = paid_unheard(market)
    document = market.db.collection("bookings").document(booking.id)
    money = (document.get().to_dict() or {})["money"]
    document.update({"money": "spoiled"})
    broke, worked = replay(market, eventIds=[event_id, other_id]).ok()["events"]
    assert (broke["outcome"], worked["outcome"]) == ("failed", "processed")
    kept = remembered(market, event_id)
    assert kept is not None
    assert (kept["outcome"], kept["error"]) == ("failed", broke["error"])
    document.update({"money": money})
    mended = {one["eventId"]: one["outcome"] for one in replay(market).ok()["events"]}
    assert mended[event_id] == "processed"
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    assert market.booking(other.id)["status"] == "CONFIRMED"


def test_an_accounts_events_that_were_never_heard_of_are_fetched(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    market.control.idle()
    market.control.webhooks("drop")
    sent = payout(market, provider).ok()
    arrive(market)
    market.control.webhooks("normal")
    assert payout_now(market, sent["payoutId"])["status"] == "PROCESSING"
    told = replay(market, accountId=provider.account_id).ok()["events"]
    assert "payout.paid" in {one["type"] for one in told if one["outcome"] == "processed"}
    assert payout_now(market, sent["payoutId"])["status"] == "PAID"


def test_an_event_that_stripe_does_not_know_is_said_to_be_unknown(market: Market) -> None:
    assert replay(market, eventIds=["evt_nobody"]).ok()["events"] == [
        {"eventId": "evt_nobody", "outcome": "unknown"}
    ]


def test_only_operators_replay_and_only_so_many_at_once(market: Market) -> None:
    customer = market.api.as_user("customer-1")
    customer.post("booking-processor", "REPLAY_EVENTS").refused(403)
    replay(market, eventIds=["evt_1"] * 101).refused(400)
