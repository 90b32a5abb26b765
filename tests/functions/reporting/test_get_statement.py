"""GET_STATEMENT: a booking's whole money story, line by line, for those it concerns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    arrive,
    as_customer,
    payout,
    refund,
)
from tests.functions.books import rows_of
from tests.support.market import Booking, Market, fresh, usd


def statement(market: Market, booking: Booking) -> dict[str, Any]:
    answer = market.api.as_operator().post("reporting", "GET_STATEMENT", bookingId=booking.id)
    return answer.ok()


def story(told: dict[str, Any]) -> list[tuple[str, Decimal]]:
    """Each line's kind, and what is held after it."""
    return [(line["kind"], line["held"]) for line in told["transactions"]]


def test_a_booking_that_was_paid_out_and_refunded_tells_it_in_order(market: Market) -> None:
    booking = a_completed_booking(market)
    payout(market, booking.service.provider).ok()
    arrive(market)
    a_paid_booking(market)  # or Stripe has no money to give back
    refund(market, booking, 50).ok()
    told = statement(market, booking)
    assert story(told) == [
        ("charge", usd("200.00")),
        ("stripe_fee", usd("200.00")),
        ("earning", usd("184.00")),
        ("transfer", usd("0.00")),
        ("refund", usd("-46.00")),
        ("debt", usd("0.00")),
    ]
    assert told["held"] == 0
    assert (told["status"], told["currency"]) == ("COMPLETED", "USD")


def test_a_refund_while_it_is_held_leaves_the_rest_held(market: Market) -> None:
    booking = a_paid_booking(market)
    refund(market, booking, 50).ok()
    told = statement(market, booking)
    assert story(told)[-1] == ("refund", usd("150.00"))
    assert told["held"] == usd("150.00")


def test_what_a_bank_froze_is_not_held(market: Market) -> None:
    booking = a_paid_booking(market)
    charge = market.booking(booking.id)["payment"]["chargeId"]
    market.control.dispute(charge)
    market.control.idle()
    assert statement(market, booking)["held"] == 0
    market.control.dispute(charge, outcome="won")
    market.control.idle()
    assert statement(market, booking)["held"] == usd("200.00")


def test_every_line_is_a_ledger_transaction_with_stripe_s_own_object(market: Market) -> None:
    booking = a_completed_booking(market)
    payout(market, booking.service.provider).ok()
    told = statement(market, booking)
    stored = {row["id"]: row for row in rows_of(market, "bookingId", booking.id)}
    assert {line["transactionId"] for line in told["transactions"]} == set(stored)
    shapes = {"charge": "ch_", "balance_transaction": "txn_", "transfer": "tr_"}
    for line in told["transactions"]:
        entries = stored[line["transactionId"]]["entries"]
        assert [entry["account"] for entry in line["entries"]] == [
            one["account"] for one in entries
        ]
        assert [entry["amount"] * 100 for entry in line["entries"]] == [
            one["amount"] for one in entries
        ]
        if line["kind"] == "earning":
            assert (line["stripeObject"], line["stripeId"]) == (None, None)
        else:
            assert line["stripeId"].startswith(shapes[line["stripeObject"]])


def test_an_unpaid_booking_has_an_empty_story(market: Market) -> None:
    told = statement(market, market.a_booking())
    assert (told["transactions"], told["held"]) == ([], 0)


def test_customer_and_provider_see_it_and_a_stranger_finds_nothing(market: Market) -> None:
    booking = a_paid_booking(market)
    whole = statement(market, booking)
    assert as_customer(market, booking, "reporting", "GET_STATEMENT").ok() == whole
    provider = market.api.as_user(booking.service.provider.uid)
    assert provider.post("reporting", "GET_STATEMENT", bookingId=booking.id).ok() == whole
    stranger = market.api.as_user(fresh("stranger"))
    hidden = stranger.post("reporting", "GET_STATEMENT", bookingId=booking.id)
    unknown = stranger.post("reporting", "GET_STATEMENT", bookingId="booking-nobody")
    assert hidden.refused(404, "not_found")["error"] == unknown.refused(404, "not_found")["error"]
