"""A customer asks whether an hour is free, books it and pays; the webhook confirms."""

from __future__ import annotations

from decimal import Decimal

from emulator.demo.marketplace import HOUR, Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """CHECK_AVAILABILITY, CREATE_BOOKING, payment_intent.succeeded."""
    start = market.in_days(3)
    ben = market.functions.sign_in("ben")
    free = ben.post(
        "booking-processor",
        "CHECK_AVAILABILITY",
        serviceId="piano",
        startDateTime=start.isoformat(),
        endDateTime=(start + HOUR).isoformat(),
    )
    screen.expect("the hour is free", free["available"], True)
    booking = market.books("Ben", "piano", start, "piano lesson")
    screen.tell("Ben books it", booking.payment_intent)
    shown = market.shown(booking)
    screen.expect("nobody else can have it, but it is", shown["status"], "PENDING")
    pricing = shown["pricing"]
    screen.expect("he owes", pricing["totalAmount"], Decimal("200.00"))
    screen.expect("of which the platform keeps 8 %", pricing["platformFee"], Decimal("16.00"))
    screen.expect("and Ada will get", pricing["providerEarnings"], Decimal("184.00"))
    market.pays(booking)
    screen.tell("he pays with a card that works", market.charge(booking))
    screen.expect("payment_intent.succeeded makes it", market.status(booking), "CONFIRMED")
    held = market.earnings(market.functions.sign_in("ada"))["heldEarnings"]
    screen.expect("what Ada will get is held until the lesson", held, Decimal("184.00"))
