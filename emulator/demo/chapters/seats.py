"""Forty people ask for a class of seven at the same moment; two of the seven then do not pay."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from emulator.demo.functions import Refused
from emulator.demo.marketplace import HOUR, Booking, Marketplace
from emulator.demo.screen import Screen

PEOPLE, SEATS, PAY = 40, 7, 5


def play(market: Marketplace, screen: Screen) -> None:
    """CREATE_BOOKING forty times at once; holds that lapse; RUN_MAINTENANCE."""
    start = market.in_days(5)
    _offer(market)
    screen.tell(f"Fay offers a yoga class with {SEATS} seats at 25.00")
    with ThreadPoolExecutor(PEOPLE) as pool:
        asked = [
            pool.submit(_asks, market, f"Guest {number:02}", start)
            for number in range(1, PEOPLE + 1)
        ]
        got = [one.result() for one in asked]
    seated = [one for one in got if isinstance(one, Booking)]
    refused = Counter(one for one in got if isinstance(one, str))
    screen.tell(f"{PEOPLE} people book at the same moment")
    screen.expect("so many get a seat", len(seated), SEATS)
    screen.expect("the others are told", _counts(refused), f"{PEOPLE - SEATS} full")
    for late in seated[PAY:]:
        del market.bookings[late.name]
    with ThreadPoolExecutor(PAY) as pool:
        list(pool.map(market.pays, seated[:PAY]))
    states = Counter(market.status(one) for one in seated)
    screen.expect(
        "five pay, two do not", _counts(states), f"{PAY} CONFIRMED, {SEATS - PAY} PENDING"
    )
    market.outside.waits(timedelta(minutes=16))
    run = market.operator.post("booking-processor", "RUN_MAINTENANCE")
    screen.expect("a quarter of an hour later these are let go", run["expired"], SEATS - PAY)
    screen.expect("and as many seats are free", _left(market, start), SEATS - PAY)


def _offer(market: Marketplace) -> None:
    fay = market.signs_up("Fay")
    market.outside.finishes_onboarding(market.opens_account(fay)["accountId"])
    market.offers(
        fay,
        "yoga",
        title="Yoga class",
        category="sport",
        price=25,
        capacityMode="SEATS",
        capacity=SEATS,
    )


def _asks(market: Marketplace, name: str, start: datetime) -> Booking | str:
    """The booking, or why there is none."""
    try:
        return market.books(name.replace(" ", "-"), "yoga", start, "yoga class")
    except Refused as refused:
        return str(refused.body.get("reason"))


def _counts(of: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in of.most_common())


def _left(market: Marketplace, start: datetime) -> int:
    answer = market.functions.sign_in("late").post(
        "booking-processor",
        "CHECK_AVAILABILITY",
        serviceId="yoga",
        startDateTime=start.isoformat(),
        endDateTime=(start + HOUR).isoformat(),
    )
    return int(answer["remainingCapacity"])
