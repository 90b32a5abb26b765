"""Check-in codes, arrivals and no-shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.functions.acts import (
    a_paid_booking,
    as_customer,
    as_operator,
    as_provider,
    earnings,
    maintenance,
    refunds_of,
    soon,
    together,
)
from tests.functions.books import books_balance
from tests.support.api import Answer
from tests.support.market import Booking, Market, fresh, usd

BOOKINGS = "booking-processor"


def code_of(market: Market, booking: Booking) -> dict[str, Any] | None:
    shown = as_customer(market, booking, BOOKINGS, "GET_BOOKING").ok()["booking"]
    code: dict[str, Any] | None = shown["checkIn"]
    return code


def token_of(market: Market, booking: Booking) -> str:
    code = code_of(market, booking)
    assert code is not None
    return str(code["token"])


def check_in(market: Market, booking: Booking, token: str | None, **fields: Any) -> Answer:
    sent = {} if token is None else {"token": token}
    return as_provider(market, booking, BOOKINGS, "CHECK_IN", **sent, **fields)


def no_show(market: Market, booking: Booking) -> Answer:
    return as_provider(market, booking, BOOKINGS, "MARK_NO_SHOW")


def a_booking_about_to_start(market: Market, **service: Any) -> Booking:
    return a_paid_booking(market, start=soon(market, minutes=30), **service)


def test_the_customers_code_is_an_image_that_only_they_see(market: Market) -> None:
    booking = a_booking_about_to_start(market)
    code = code_of(market, booking)
    assert code is not None
    assert code["token"].startswith(f"{booking.id}.")
    image = ElementTree.fromstring(code["qrSvg"])
    assert image.tag.endswith("svg")
    for act in (as_provider, as_operator):
        shown = act(market, booking, BOOKINGS, "GET_BOOKING").ok()["booking"]
        assert "checkIn" not in shown
        assert code["token"] not in str(shown)
        assert shown["qrCode"] == f"qr_{booking.id}"
    kept = market.db.collection("bookings").document(booking.id).get().to_dict()
    assert code["token"] not in str(kept)


def test_an_unpaid_booking_has_no_code(market: Market) -> None:
    assert code_of(market, market.a_booking()) is None


def test_a_code_counts_once(market: Market) -> None:
    booking = a_booking_about_to_start(market)
    token, key = token_of(market, booking), fresh("key")
    told = check_in(market, booking, token, idempotency_key=key).ok()
    assert told["booking"]["attendance"]["checkedInAt"] == told["checkedInAt"]
    assert check_in(market, booking, token, idempotency_key=key).ok() == told
    again = check_in(market, booking, token).refused(409)
    assert (again["type"], again["checkedInAt"]) == ("already_checked_in", told["checkedInAt"])
    assert code_of(market, booking) is None


def test_two_scans_at_once_are_one_arrival(market: Market) -> None:
    booking = a_booking_about_to_start(market)
    token = token_of(market, booking)
    answers = together(*[lambda: check_in(market, booking, token)] * 4)
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]


@pytest.mark.parametrize("token", ["", "x", "qr_{id}", "{id}.", "{id}.AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_code_that_is_not_the_bookings_own_is_a_400(market: Market, token: str) -> None:
    booking = a_booking_about_to_start(market)
    check_in(market, booking, token.format(id=booking.id)).refused(400)
    assert market.booking(booking.id)["attendance"]["checkedInAt"] is None


def test_the_code_of_another_booking_is_a_400(market: Market) -> None:
    booking, other = a_booking_about_to_start(market), a_booking_about_to_start(market)
    told = check_in(market, booking, token_of(market, other)).refused(400)
    assert told["type"] == "bad_check_in_token"


def test_only_an_operator_may_do_without_the_code_and_no_stranger_may_try(market: Market) -> None:
    booking = a_booking_about_to_start(market)
    refused = check_in(market, booking, None).refused(400)
    assert refused["fields"][0]["field"] == "token"
    as_customer(market, booking, BOOKINGS, "CHECK_IN").refused(403)
    as_customer(market, booking, BOOKINGS, "MARK_NO_SHOW").refused(403)
    stranger = market.api.as_user(market.a_provider(ready=False).uid)
    for action in ("CHECK_IN", "MARK_NO_SHOW"):
        stranger.post(BOOKINGS, action, bookingId=booking.id).refused(404)
    as_operator(market, booking, BOOKINGS, "CHECK_IN").ok()


def test_nobody_checks_in_more_than_a_day_early(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=25))
    assert check_in(market, booking, token_of(market, booking)).refused(409)["type"] == "too_early"
    market.control.advance(3600)
    check_in(market, booking, token_of(market, booking)).ok()


def test_a_no_show_gets_back_what_the_service_said_when_it_was_booked(market: Market) -> None:
    booking = a_booking_about_to_start(market, noShowRefundPercent=25)
    changed = market.db.collection("services").document(booking.service.id)
    changed.update({"noShowRefundPercent": 100})
    market.control.advance(44 * 60)
    assert no_show(market, booking).refused(409)["type"] == "too_early"
    market.control.advance(60 + 1)
    told = no_show(market, booking).ok()
    assert told["status"] == "CANCELLED"
    assert told["refund"]["refundAmount"] == usd("50.00")
    assert told["booking"]["attendance"]["noShowAt"] is not None
    assert no_show(market, booking).ok()["refund"]["refundId"] == told["refund"]["refundId"]
    assert [one.amount for one in refunds_of(market, booking)] == [50_00]
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("138.00")
    market.control.idle()
    books_balance(market, booking)


def test_a_no_show_gets_nothing_back_where_the_service_says_nothing(market: Market) -> None:
    booking = a_booking_about_to_start(market)
    market.control.advance(50 * 60)
    told = no_show(market, booking).ok()
    assert (told["status"], told["refund"]) == ("CANCELLED", None)
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_who_came_is_no_no_show(market: Market) -> None:
    booking = a_booking_about_to_start(market)
    check_in(market, booking, token_of(market, booking)).ok()
    market.control.advance(50 * 60)
    assert no_show(market, booking).refused(409)["type"] == "already_checked_in"


def test_where_a_check_in_is_required_who_did_not_come_is_a_no_show_at_the_end(
    market: Market,
) -> None:
    wants = {"checkInRequired": True, "noShowRefundPercent": 10}
    missed, came = (a_booking_about_to_start(market, **wants) for _ in range(2))
    check_in(market, came, token_of(market, came)).ok()
    left = came.end - market.control.now() + timedelta(seconds=1)
    market.control.advance(int(left.total_seconds()) + 1)
    refused = as_provider(market, missed, BOOKINGS, "COMPLETE_BOOKING").refused(409)
    assert refused["type"] == "not_checked_in"
    maintenance(market)
    assert market.booking(came.id)["status"] == "COMPLETED"
    told = market.booking(missed.id)
    assert (told["status"], told["refund"]["refundAmount"]) == ("CANCELLED", usd("20.00"))
    market.control.idle()
    books_balance(market, came, missed)


def test_an_operator_may_complete_what_was_not_checked_in(market: Market) -> None:
    booking = a_booking_about_to_start(market, checkInRequired=True)
    left = (booking.end - market.control.now()).total_seconds()
    market.control.advance(int(left) + 1)
    assert as_operator(market, booking, BOOKINGS, "COMPLETE_BOOKING").ok()["status"] == "COMPLETED"
    books_balance(market, booking)


def test_a_no_show_and_a_check_in_at_once_have_one_outcome(market: Market) -> None:
    booking = a_booking_about_to_start(market, noShowRefundPercent=50)
    token = token_of(market, booking)
    market.control.advance(50 * 60)
    answers = together(lambda: no_show(market, booking), lambda: check_in(market, booking, token))
    assert sorted(answer.status for answer in answers) == [200, 409]
    market.control.idle()
    books_balance(market, booking)
