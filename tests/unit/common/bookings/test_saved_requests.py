"""Requests further ahead than an authorisation lives, as decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.bookings import deadlines, payment_operations, saved_requests
from common.bookings.model import Booking
from common.bookings.payment_operations import payment_operation, void_operation
from common.bookings.status import Status
from common.operations.model import Operation, Result, State
from tests.unit.common.bookings.builders import NOW, a_booking

DAY = timedelta(days=1)
SETUP = {"id": "seti_1", "status": "succeeded", "customer": "cus_1", "payment_method": "pm_1"}
ERROR = {"code": "card_declined", "decline_code": "generic_decline", "message": "No."}


def pending(starts_in: timedelta = 30 * DAY, **request: Any) -> Booking:
    booking = a_booking(status=Status.PENDING, paid=False, starts_in=starts_in)
    known = {"blocks": True, "saved": True, "setupIntentId": "seti_1", **request}
    return replace(booking, mode="REQUEST", request=known)


def waiting(starts_in: timedelta = 30 * DAY) -> Booking:
    found = saved_requests.saved(SETUP)
    assert found is not None
    return saved_requests.requested(pending(starts_in), found, now=NOW, by="stripe", why="test")


def unpaid(booking: Booking, intent: dict[str, Any] | None = None) -> Booking:
    made = {"id": "pi_1", "status": "requires_payment_method"} if intent is None else intent
    return saved_requests.unpaid(booking, made, ERROR, link="https://app/pay", now=NOW)


def void(booking: Booking) -> Operation:
    made = void_operation(booking, now=NOW, actor="a", action="A", request_id="r")
    assert made is not None
    return made


def test_seven_days_are_near_and_a_second_more_is_far() -> None:
    assert not saved_requests.is_far(NOW + 7 * DAY, NOW)
    assert saved_requests.is_far(NOW + 7 * DAY + timedelta(seconds=1), NOW)


@pytest.mark.parametrize("lacks", [{"status": "processing"}, {"customer": None}])
def test_only_a_setup_that_succeeded_for_a_customer_has_saved_anything(lacks: Any) -> None:
    assert saved_requests.saved({**SETUP, **lacks}) is None


def test_a_setup_intent_is_of_the_booking_that_asked_for_it() -> None:
    assert saved_requests.is_of(pending(), "seti_1")
    assert saved_requests.is_of(pending(setupIntentId=None), "seti_1")
    assert not saved_requests.is_of(pending(), "seti_2")
    assert not saved_requests.is_of(pending(saved=False), "seti_1")


def test_the_provider_has_six_days_and_never_beyond_the_start() -> None:
    assert waiting().hold_until == NOW + 6 * DAY
    assert waiting(2 * DAY).hold_until == NOW + 2 * DAY


def test_a_saved_payment_method_runs_no_clock_of_the_banks() -> None:
    assert deadlines.of(waiting()) == ()


@pytest.mark.parametrize(
    ("starts_in", "has"), [(30 * DAY, DAY), (DAY / 2, DAY / 2), (-DAY, timedelta(0))]
)
def test_the_customer_has_a_day_to_pay_and_never_beyond_the_start(
    starts_in: timedelta, has: timedelta
) -> None:
    after = unpaid(replace(waiting(), start=NOW + starts_in))
    assert after.request["payBy"] == after.hold_until == NOW + has
    assert saved_requests.awaits_payment(after)
    assert after.payment["lastFailure"]["declineCode"] == "generic_decline"


def test_what_an_event_said_of_the_intent_meanwhile_stays() -> None:
    told = {"intentId": "pi_1", "intentStatus": "requires_action"}
    assert unpaid(replace(waiting(), payment=told)).payment["intentStatus"] == "requires_action"
    assert "intentId" not in unpaid(waiting(), {}).payment


def test_a_payment_for_an_accepted_request_is_taken_at_once() -> None:
    def captured(booking: Booking) -> object:
        made = payment_operation(booking, attempt=1, now=NOW, actor="a", action="A", request_id="r")
        return made.stages[0][0].params.get("capture_method")

    assert captured(unpaid(waiting())) is None
    assert captured(pending(saved=False)) == "manual"


def test_what_is_let_go_is_what_there_is() -> None:
    methods = [
        [call.method for stage in void(booking).stages for call in stage]
        for booking in (pending(), waiting(), unpaid(waiting()))
    ]
    assert methods == [
        ["setup_intents.cancel"],
        ["payment_methods.detach"],
        ["payment_intents.cancel", "payment_methods.detach"],
    ]
    nothing = pending(setupIntentId=None)
    assert void_operation(nothing, now=NOW, actor="a", action="A", request_id="r") is None
    assert payment_operations.void_id(nothing) is None


def test_a_method_saved_a_moment_before_its_setup_was_cancelled_is_detached() -> None:
    operation = void(pending())
    refused = Result(None, "setup_intent_unexpected_state", "no", {"setup_intent": SETUP})
    settled = payment_operations.settle_void(operation, {"forget": refused}, {}, NOW)
    assert settled.operation.state is State.OPEN
    assert settled.operation.stages[0][0].target == "pm_1"
    gone = Result(None, None, "no", {"setup_intent": {**SETUP, "status": "canceled"}})
    settled = payment_operations.settle_void(operation, {"forget": gone}, {}, NOW)
    assert settled.operation.state is State.DONE
    settled = payment_operations.settle_void(operation, {"forget": Result(None, "x")}, {}, NOW)
    assert settled.operation.state is State.FAILED
