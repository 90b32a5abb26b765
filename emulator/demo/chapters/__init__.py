"""The demo's chapters in their order; each module plays one with ``play(market, screen)``."""

from __future__ import annotations

from collections.abc import Callable

from emulator.demo.chapters import (
    booked,
    books,
    cancelled,
    declined,
    disputed,
    lost_webhook,
    onboarding,
    paid_out,
    refunded,
    reported,
    requested,
    seats,
    subscribed,
    three_d_secure,
    yen,
)
from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen

Chapter = Callable[[Marketplace, Screen], None]

CHAPTERS: tuple[tuple[str, Chapter], ...] = (
    ("A provider onboards", onboarding.play),
    ("A customer checks, books and pays", booked.play),
    ("A card is declined, another one works", declined.play),
    ("A bank asks for 3-D Secure", three_d_secure.play),
    ("The lesson is over: the provider is paid 92 %", paid_out.play),
    ("A booking is cancelled under its policy", cancelled.play),
    ("A booking is refunded in part", refunded.play),
    ("Two cardholders dispute: one is won, one lost", disputed.play),
    ("Forty people want seven seats", seats.play),
    ("Requests to book: accepted, declined, weeks ahead", requested.play),
    ("A booking in yen", yen.play),
    ("A webhook is lost, and healed", lost_webhook.play),
    ("A monthly subscription is paid, renewed and cancelled", subscribed.play),
    ("What it has come to", reported.play),
    ("The books", books.play),
)
