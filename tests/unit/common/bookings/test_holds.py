"""Places that lapsed: whoever takes one ends the booking that held it, and voids its payment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from common.auth.caller import Caller
from common.bookings import claims, documents
from common.bookings.calendar import Claim, Verdict
from common.bookings.holds import expire, lapsed_claims
from common.bookings.model import Booking
from common.bookings.place import Place
from common.bookings.status import Status
from common.context import Context
from common.store import collections
from common.store.store import Create, Replace, Snapshot, Write
from tests.unit.common.bookings.builders import NOW, a_booking

LATER = NOW + timedelta(minutes=31)


def a_request() -> Context:
    """A request as far as a decision sees it; nothing here reads or writes."""
    nothing = cast(Any, None)
    return Context(nothing, nothing, Caller("someone"), nothing, "X", "request-1", LATER, None, {})


def pending(number: int, **payment: str) -> Booking:
    booking = a_booking(status=Status.PENDING, paid=False, booking_id=f"booking-{number}")
    return replace(booking, payment=payment, hold_until=NOW + timedelta(minutes=30))


def snapshot(booking: Booking) -> Snapshot:
    return Snapshot(collections.booking(booking.id), documents.to_document(booking), NOW)


def a_place(*lapsed: Booking) -> Place:
    verdict = Verdict(available=True, reason=None, remaining=1, blocking=())
    return Place(verdict, (), tuple((snapshot(booking), booking) for booking in lapsed))


def created(writes: list[Write]) -> list[dict[str, Any]]:
    return [write.data for write in writes if isinstance(write, Create)]


def replaced(writes: list[Write]) -> list[Replace]:
    return [write for write in writes if isinstance(write, Replace)]


def test_the_lapsed_claims_are_those_of_the_lapsed_bookings() -> None:
    one, two = pending(1), pending(2)
    lapsed: list[Claim] = lapsed_claims(a_place(one, two))
    assert lapsed == [claims.of_booking(one), claims.of_booking(two)]
    assert lapsed_claims(a_place()) == []


def test_each_lapsed_booking_expires_for_its_own_reason_and_instant() -> None:
    writes = expire(a_place(pending(1), pending(2)), a_request())
    changed = replaced(writes)
    assert [write.was.key.id for write in changed] == ["booking-1", "booking-2"]
    for write in changed:
        assert write.data["status"] == "EXPIRED"
        last = write.data["history"][-1]
        told: tuple[str, str, datetime] = (last["by"], last["why"], last["at"])
        assert told == ("system", "hold_lapsed", LATER)


def test_its_payment_intent_is_left_to_an_operation_that_the_next_maintenance_may_take() -> None:
    [operation] = created(expire(a_place(pending(1, intentId="pi_1")), a_request()))
    assert operation["kind"] == "void"
    assert operation["stages"]["0"][0]["target"] == "pi_1"
    assert operation["plan"] == {"bookingId": "booking-1"}
    assert operation["leaseUntil"] == operation["createdAt"] == LATER
    assert (operation["actor"], operation["action"]) == ("system", "EXPIRE_HOLD")
    assert operation["requestId"] == "request-1"


def test_a_booking_without_a_payment_intent_has_none_to_void() -> None:
    assert created(expire(a_place(pending(1)), a_request())) == []


def test_where_nothing_lapsed_nothing_is_written() -> None:
    assert expire(a_place(), a_request()) == []
