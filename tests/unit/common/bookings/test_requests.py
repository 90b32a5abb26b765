"""Requests to book: how long the provider has, and what an answer makes of the booking."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings import requests
from common.bookings.model import Booking
from common.bookings.status import Status
from common.errors import WrongState
from tests.unit.common.bookings.builders import NOW, a_booking

DAY = timedelta(days=1)
BANK = 1_790_000_000


def pending(blocks: bool = True, **more: Any) -> Booking:
    booking = a_booking(status=Status.PENDING, paid=False, **more)
    return replace(booking, mode="REQUEST", request={"blocks": blocks})


def waiting(blocks: bool = True, **more: Any) -> Booking:
    booking = pending(blocks, **more)
    found = requests.authorized(an_intent(booking))
    assert found is not None
    return requests.requested(booking, found, now=NOW, by="stripe", why="test")


def an_intent(booking: Booking, **more: Any) -> dict[str, Any]:
    card = {"brand": "visa", "last4": "4242"}
    return {
        "id": "pi_1",
        "status": "requires_capture",
        "amount_capturable": booking.money.total,
        "currency": booking.money.currency.lower(),
        "latest_charge": {
            "id": "ch_1",
            "created": BANK - 604_800,
            "payment_method_details": {"card": card},
            "balance_transaction": None,
        },
        **more,
    }


def until(booking: Booking, bank: datetime = NOW + 7 * DAY) -> datetime:
    return requests.answer_by(booking, NOW, bank)


def test_the_provider_has_six_days_at_most() -> None:
    assert until(pending(starts_in=30 * DAY)) == NOW + 6 * DAY


def test_the_provider_has_until_a_day_after_the_start_of_a_long_booking() -> None:
    booking = pending(starts_in=2 * DAY)
    long = replace(booking, end=booking.start + 3 * DAY)
    assert until(long) == long.start + DAY


def test_the_provider_has_until_the_end_of_a_short_booking() -> None:
    booking = pending(starts_in=2 * DAY)
    assert until(booking) == booking.end


def test_a_request_that_keeps_no_place_is_answered_before_its_start() -> None:
    booking = pending(blocks=False, starts_in=2 * DAY)
    assert until(booking) == booking.start


@given(st.integers(0, 40 * 24), st.integers(1, 20 * 24), st.integers(13, 7 * 24), st.booleans())
def test_no_answer_is_awaited_beyond_what_the_bank_waits(
    ahead: int, lasts: int, bank: int, blocks: bool
) -> None:
    booking = pending(blocks, starts_in=timedelta(hours=ahead))
    booking = replace(booking, end=booking.start + timedelta(hours=lasts))
    lapses = NOW + timedelta(hours=bank)
    by = requests.answer_by(booking, NOW, lapses)
    assert by <= lapses - requests.CAPTURE_MARGIN
    assert by <= min(NOW + 6 * DAY, booking.start + DAY, booking.end)


def test_the_banks_own_limit_is_taken_from_the_charge_where_stripe_says_it() -> None:
    booking = pending(starts_in=30 * DAY)
    intent = an_intent(booking)
    intent["latest_charge"]["payment_method_details"]["card"]["capture_before"] = BANK
    found = requests.authorized(intent)
    assert found is not None
    assert found.capture_before is not None
    assert found.capture_before.timestamp() == BANK
    assert found.charge["cardLast4"] == "4242"


@pytest.mark.parametrize("status", ["requires_action", "succeeded", "canceled", "processing"])
def test_only_money_set_aside_is_an_authorisation(status: str) -> None:
    assert requests.authorized(an_intent(pending(), status=status)) is None


def test_another_amount_or_currency_is_not_this_bookings_authorisation() -> None:
    booking = pending()
    for other in ({"amount_capturable": 1}, {"currency": "eur"}):
        found = requests.authorized(an_intent(booking, **other))
        assert found is not None
        assert not requests.matches(booking, found)


def test_an_accepted_request_keeps_its_place_from_then_on() -> None:
    before = waiting(blocks=False, starts_in=30 * DAY)
    assert not before.keeps_place
    after = requests.accepting(before, NOW + DAY)
    assert after.keeps_place
    assert after.status is Status.REQUESTED


def test_the_last_instant_for_an_answer_is_too_late() -> None:
    booking = waiting(starts_in=30 * DAY)
    assert booking.hold_until is not None
    requests.accepting(booking, booking.hold_until - timedelta(microseconds=1))
    with pytest.raises(WrongState):
        requests.accepting(booking, booking.hold_until)


@pytest.mark.parametrize("status", [Status.PENDING, Status.CONFIRMED, Status.COMPLETED])
def test_only_a_request_that_waits_can_be_answered(status: Status) -> None:
    booking = a_booking(status=status, paid=status is not Status.PENDING)
    with pytest.raises(WrongState):
        requests.accepting(booking, NOW)
    with pytest.raises(WrongState):
        requests.declined(booking, reason=None, now=NOW, by="p")


def test_what_was_accepted_cannot_be_declined() -> None:
    accepted = requests.accepting(waiting(starts_in=30 * DAY), NOW)
    with pytest.raises(WrongState):
        requests.declined(accepted, reason=None, now=NOW, by="p")


def test_a_declined_request_has_no_place_and_says_why() -> None:
    over = requests.declined(waiting(starts_in=30 * DAY), reason="away", now=NOW, by="p")
    assert (over.status, over.keeps_place, over.hold_until) == (Status.DECLINED, False, None)
    assert over.request["declineReason"] == "away"
