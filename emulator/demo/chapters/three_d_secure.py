"""A bank wants to hear from its customer before it pays."""

from __future__ import annotations

from emulator.demo.functions import Refused
from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """requires_action, the bank's page, payment_intent.succeeded."""
    booking = market.books("Dara", "piano", market.in_days(31), "piano lesson")
    screen.tell("Dara books a lesson", booking.payment_intent)
    intent = market.pays(booking, "pm_card_threeDSecure2Required")
    screen.expect("her bank asks her; the payment", intent.status, "requires_action")
    try:
        booking.customer.post("booking-processor", "CONFIRM_BOOKING", bookingId=booking.id)
        screen.differs("an unpaid booking was confirmed on its customer's word")
    except Refused as refused:
        screen.expect(
            "claiming to have paid does not help", refused.body["type"], "payment_incomplete"
        )
    market.outside.authenticates(booking.payment_intent)
    screen.tell("she confirms it in her bank's app", market.charge(booking))
    screen.expect("the booking is", market.status(booking), "CONFIRMED")
