"""Stripe's message that a payment succeeded never arrives; the maintenance run asks for it."""

from __future__ import annotations

from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """payment_intent.succeeded, dropped; RUN_MAINTENANCE."""
    booking = market.books("Gus", "piano", market.in_days(4), "piano lesson")
    market.outside.loses_webhooks(True)
    try:
        intent = market.pays(booking)
    finally:
        market.outside.loses_webhooks(False)
    screen.tell("Gus pays, and the webhook gets lost", intent.id)
    screen.expect("his booking is still", market.status(booking), "PENDING")
    run = market.operator.post("booking-processor", "RUN_MAINTENANCE")
    screen.expect("the maintenance run finds what was missed", run["recovered"] > 0, True)
    screen.expect("and the booking is", market.status(booking), "CONFIRMED")
