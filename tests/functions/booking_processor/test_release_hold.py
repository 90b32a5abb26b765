"""RELEASE_HOLD: an operator ends what a review or a fraud warning began."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.functions.acts import (
    a_completed_booking,
    as_customer,
    as_operator,
    charge_of,
    earnings,
    payout,
    together,
    transfers_of,
)
from tests.functions.books import books_balance
from tests.support.api import Answer
from tests.support.market import Booking, Market, fresh, usd

AT_BANK = {"review": "reviews", "fraud_warning": "early_fraud_warnings"}


def held(market: Market, kind: str) -> Booking:
    """A completed booking with such a hold."""
    booking = a_completed_booking(market)
    market.control.call("POST", AT_BANK[kind], {"charge": charge_of(market, booking)})
    market.control.idle()
    assert market.booking(booking.id)["payment"]["holds"] == [kind]
    return booking


def release(market: Market, booking: Booking, kind: str, **fields: Any) -> Answer:
    asked = {"kind": kind, "note": "the cardholder was asked", **fields}
    return as_operator(market, booking, "booking-processor", "RELEASE_HOLD", **asked)


def kept(market: Market, booking: Booking) -> list[dict[str, Any]]:
    """What is kept of the releases of a booking's holds."""
    of_booking = FieldFilter("bookingId", "==", booking.id)
    found = market.db.collection("holdReleases").where(filter=of_booking).stream()
    return [one.to_dict() or {} for one in found]


@pytest.mark.parametrize("kind", AT_BANK)
def test_a_released_hold_frees_the_earnings_and_is_kept_with_its_reason(
    market: Market, kind: str
) -> None:
    booking = held(market, kind)
    provider = booking.service.provider
    assert earnings(market, provider)["totalEarnings"] == 0
    told = release(market, booking, kind).ok()
    assert (told["bookingId"], told["holds"]) == (booking.id, [])
    assert told["booking"]["payment"]["holds"] == []
    assert earnings(market, provider)["totalEarnings"] == usd("184.00")
    (record,) = kept(market, booking)
    assert (record["kind"], record["by"]) == (kind, "operator")
    assert record["note"] == "the cardholder was asked"
    assert [one.split("_")[0] in ("prv", "issfr") for one in record["objectIds"]] == [True]
    assert payout(market, provider).ok()["amount"] == usd("184.00")
    assert len(transfers_of(market, booking)) == 1
    market.control.idle()
    books_balance(market, booking)


def test_releasing_again_changes_nothing(market: Market) -> None:
    booking, key = held(market, "review"), fresh("key")
    first = release(market, booking, "review", idempotency_key=key).ok()
    again = release(market, booking, "review").ok()
    assert (again["holds"], again["booking"]) == (first["holds"], first["booking"])
    assert release(market, booking, "review", idempotency_key=key).ok() == first
    assert release(market, booking, "fraud_warning").ok()["holds"] == []
    assert len(kept(market, booking)) == 1


def test_released_twice_at_once_it_is_kept_once(market: Market) -> None:
    booking = held(market, "fraud_warning")
    answers = together(*[lambda: release(market, booking, "fraud_warning")] * 3)
    assert [one.ok()["holds"] for one in answers] == [[], [], []]
    assert len(kept(market, booking)) == 1
    books_balance(market, booking)


def test_only_the_named_hold_ends(market: Market) -> None:
    booking = held(market, "fraud_warning")
    as_customer(market, booking, "refund-processor", "DISPUTE_REFUND", reason="short").ok()
    assert release(market, booking, "fraud_warning").ok()["holds"] == ["refund_dispute"]
    assert earnings(market, booking.service.provider)["totalEarnings"] == 0


def test_several_warnings_of_one_payment_are_released_together(market: Market) -> None:
    booking = held(market, "fraud_warning")
    market.control.call("POST", "early_fraud_warnings", {"charge": charge_of(market, booking)})
    market.control.idle()
    assert release(market, booking, "fraud_warning").ok()["holds"] == []
    (record,) = kept(market, booking)
    assert len(record["objectIds"]) == 2
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")


def test_a_review_that_closes_after_its_release_changes_nothing(market: Market) -> None:
    booking = a_completed_booking(market)
    review = market.control.call("POST", "reviews", {"charge": charge_of(market, booking)})
    market.control.idle()
    release(market, booking, "review").ok()
    market.control.call("POST", f"reviews/{review['id']}/close", {"reason": "approved"})
    market.control.idle()
    assert market.booking(booking.id)["payment"]["holds"] == []
    assert earnings(market, booking.service.provider)["totalEarnings"] == usd("184.00")
    books_balance(market, booking)


def test_a_review_that_was_not_approved_ends_by_an_operators_decision(market: Market) -> None:
    booking = a_completed_booking(market)
    review = market.control.call("POST", "reviews", {"charge": charge_of(market, booking)})
    market.control.call("POST", f"reviews/{review['id']}/close", {"reason": "refunded_as_fraud"})
    market.control.idle()
    assert market.booking(booking.id)["payment"]["holds"] == ["review"]
    assert release(market, booking, "review").ok()["holds"] == []


def test_only_operators_release_and_only_what_is_theirs_to_release(market: Market) -> None:
    booking = held(market, "review")
    for uid in (booking.customer, booking.service.provider.uid, fresh("customer")):
        caller = market.api.as_user(uid)
        fields = {"bookingId": booking.id, "kind": "review", "note": "mine"}
        caller.post("booking-processor", "RELEASE_HOLD", **fields).refused(403)
    for kind in ("dispute", "refund_dispute", "REVIEW", ""):
        release(market, booking, kind).refused(400)
    release(market, booking, "review", note="").refused(400)
    release(market, booking, "review", note=None).refused(400)
    market.api.as_operator().post(
        "booking-processor", "RELEASE_HOLD", bookingId="booking-nobody", kind="review", note="x"
    ).refused(404)
    assert market.booking(booking.id)["payment"]["holds"] == ["review"]
    assert kept(market, booking) == []
