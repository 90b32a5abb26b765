"""Stripe promises no order: whichever event of a payment comes first, the booking ends the same."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.support.market import Market

TYPES = ("payment_intent.succeeded", "charge.succeeded", "charge.updated")


@pytest.mark.parametrize("order", list(permutations(TYPES)), ids=" ".join)
def test_a_payment_confirms_its_booking_whatever_order_its_events_come_in(
    market: Market, order: tuple[str, ...]
) -> None:
    booking = market.a_booking()
    market.control.webhooks("hold")
    market.pay(booking)  # waits for charge.updated, which comes a moment later
    charge = market.stripe.v1.payment_intents.retrieve(booking.payment_intent).latest_charge
    ids: dict[str, str] = {}
    for event in market.stripe.v1.events.list({"types": list(TYPES), "limit": 100}).data:
        if event.data.object["id"] in (booking.payment_intent, charge):
            ids[str(event.type)] = event.id
    assert set(ids) == set(TYPES)
    market.control.webhooks("normal")
    market.control.release_webhooks([ids[name] for name in order])
    market.control.idle()
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    assert sorted(row["kind"] for row in market.ledger(booking.id)) == ["charge", "stripe_fee"]
