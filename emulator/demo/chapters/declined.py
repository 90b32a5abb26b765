"""A card is declined: the place stays hers, and another card pays the same booking."""

from __future__ import annotations

import stripe

from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """payment_intent.payment_failed, then payment_intent.succeeded."""
    booking = market.books("Cleo", "piano", market.in_days(30), "piano lesson")
    screen.tell("Cleo books a lesson in a month", booking.payment_intent)
    try:
        market.pays(booking, "pm_card_chargeDeclinedInsufficientFunds")
        screen.differs("a card without funds was charged")
    except stripe.CardError as declined:
        error = declined.error
        code = error.decline_code if error else None
        screen.expect("her first card is declined", code, "insufficient_funds")
    shown = market.shown(booking)
    screen.expect("she keeps the place; the booking is", shown["status"], "PENDING")
    failure = (shown["payment"]["lastFailure"] or {}).get("declineCode")
    screen.expect("and knows why", failure, "insufficient_funds")
    again = booking.customer.post("stripe-connect", "CREATE_PAYMENT_INTENT", bookingId=booking.id)
    screen.expect(
        "trying again uses the same payment intent",
        again["paymentIntentId"],
        booking.payment_intent,
    )
    market.pays(booking, "pm_card_mastercard")
    screen.tell("she pays with another card", market.charge(booking))
    screen.expect("the booking is", market.status(booking), "CONFIRMED")
