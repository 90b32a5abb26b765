"""A provider accepts one request to book, and declines another; a third is weeks ahead."""

from __future__ import annotations

from typing import Any

from emulator.demo.functions import Caller
from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """Set aside, then taken or let go; far ahead: the card is kept, and taken when accepted."""
    ada = market.functions.sign_in("ada")
    market.offers(
        ada, "tuning", title="Piano tuning", category="music", price=120, bookingMode="REQUEST"
    )
    _wanted(market, screen, ada)
    _unwanted(market, screen, ada)
    _weeks_ahead(market, screen, ada)


def _wanted(market: Marketplace, screen: Screen, ada: Caller) -> None:
    booking = market.books("Gus", "tuning", market.in_days(3), "piano tuning")
    market.pays(booking)
    screen.expect("Gus asks for a tuning; the booking is", market.status(booking), "REQUESTED")
    told = ada.post("booking-processor", "CONFIRM_BOOKING", bookingId=booking.id)
    screen.expect("Ada accepts, what his bank set aside is taken", told["status"], "CONFIRMED")


def _unwanted(market: Marketplace, screen: Screen, ada: Caller) -> None:
    booking = market.books("Hal", "tuning", market.in_days(4), "piano tuning")
    market.pays(booking)
    told = ada.post(
        "booking-processor", "DECLINE_BOOKING", bookingId=booking.id, reason="I am away"
    )
    screen.expect("Hal's she declines", told["status"], "DECLINED")
    there = market.stripe.v1.payment_intents.retrieve(booking.payment_intent)
    screen.expect("and his bank lets the money go: the payment is", there.status, "canceled")
    del market.bookings[booking.name]  # nothing was paid


def _weeks_ahead(market: Marketplace, screen: Screen, ada: Caller) -> None:
    booking = market.books("Ida", "tuning", market.in_days(20), "piano tuning")
    params: Any = {  # the SDK's types leave out what only a browser sends
        "client_secret": booking.client_secret,
        "payment_method": "pm_card_visa",
        "return_url": "https://example.com/saved",
    }
    market.browser.v1.setup_intents.confirm(booking.payment_intent, params)
    market.outside.post_arrives()
    screen.expect("Ida's is weeks ahead: her card is kept", market.status(booking), "REQUESTED")
    told = ada.post("booking-processor", "CONFIRM_BOOKING", bookingId=booking.id)
    screen.expect("Ada accepts, and the card is charged", told["status"], "CONFIRMED")
