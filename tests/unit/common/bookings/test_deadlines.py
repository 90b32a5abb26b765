"""Until when money may lie where it is, in every country, and when we warn and act."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.bookings import deadlines, documents
from common.bookings.deadlines import Deadline, Kind
from common.bookings.model import Booking
from common.bookings.status import Status
from tests.unit.common.bookings.builders import NOW, a_booking, earned

DAY = timedelta(days=1)
LIMITS = [("US", 730), ("TH", 10), ("DE", 90), ("GB", 90), ("JP", 90), (None, 90)]
#: Country -> days from the beginning to the warning, the act and the end.
CALENDAR = [("US", 709, 723, 730), ("DE", 69, 83, 90), ("TH", 5, 7, 10)]


def paid(country: str | None = "US", account: str | None = "US", **money: Any) -> Booking:
    booking = replace(a_booking(**money), paid_at=NOW)
    return replace(booking, countries={"platform": country, "account": account})


def transferred(booking: Booking, *amounts: int, paid_out: int = 0) -> Booking:
    """Completed, and transferred a day apart from ``NOW`` on."""
    made = tuple(
        {"id": f"tr_{n}", "amount": amount, "reversed": 0, "at": NOW + n * DAY}
        for n, amount in enumerate(amounts)
    )
    done = earned(booking, transferred=sum(amounts), paid=paid_out)
    return replace(done, transfers=made)


def requested(answer_within: timedelta = 6 * DAY, **more: Any) -> Booking:
    booking = a_booking(status=Status.REQUESTED, paid=False)
    known = {"authorizedAt": NOW, "captureBefore": NOW + 7 * DAY, **more}
    return replace(booking, request=known, hold_until=NOW + answer_within)


def only(booking: Booking) -> Deadline:
    (found,) = deadlines.of(booking)
    return found


@pytest.mark.parametrize(("country", "days"), LIMITS)
def test_money_may_be_held_as_long_as_its_country_says(country: str | None, days: int) -> None:
    assert deadlines.hold_limit(country) == timedelta(days=days)


@pytest.mark.parametrize(("country", "warn", "act", "lapse"), CALENDAR)
def test_captured_money_has_its_platforms_calendar(
    country: str, warn: int, act: int, lapse: int
) -> None:
    one = only(paid(country, "JP"))
    assert one.kind is Kind.HOLD
    assert (one.warn_at, one.act_at, one.lapses_at) == (
        NOW + warn * DAY,
        NOW + act * DAY,
        NOW + lapse * DAY,
    )


@pytest.mark.parametrize(("country", "warn", "act", "lapse"), CALENDAR)
def test_transferred_money_has_its_accounts_calendar(
    country: str, warn: int, act: int, lapse: int
) -> None:
    one = only(transferred(paid("JP", country), 184_00))
    assert one.kind is Kind.CONNECTED
    assert (one.warn_at, one.act_at, one.lapses_at) == (
        NOW + warn * DAY,
        NOW + act * DAY,
        NOW + lapse * DAY,
    )


@settings(deadline=None)  # a busy machine is no mistake
@given(
    since=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),
    answer=st.timedeltas(timedelta(minutes=1), 6 * DAY),
    country=st.sampled_from([country for country, _ in LIMITS]),
)
def test_warning_comes_before_acting_and_acting_before_the_end(
    since: datetime, answer: timedelta, country: str | None
) -> None:
    since = since.replace(tzinfo=UTC)
    request = {"authorizedAt": since, "captureBefore": since + answer + timedelta(hours=12)}
    every = [
        only(replace(paid(country), paid_at=since, created_at=since)),
        only(transferred(paid("US", country), 184_00)),
        only(replace(requested(**request), hold_until=since + answer)),
    ]
    assert [one.kind for one in every] == list(Kind)
    for one in every:
        assert one.since < one.warn_at < one.act_at < one.lapses_at
        assert one.warn_at - one.since >= (one.act_at - one.since) / 2, "most of it is undisturbed"


def test_a_requests_authorization_is_let_go_when_its_time_to_answer_ends() -> None:
    assert only(requested()) == Deadline(
        Kind.AUTHORIZATION, NOW, NOW + 5 * DAY, NOW + 6 * DAY, NOW + 7 * DAY
    )
    soon = only(requested(timedelta(hours=10)))
    assert soon.warn_at == NOW + timedelta(hours=8)
    assert soon.act_at == NOW + timedelta(hours=10)


def test_a_charge_heard_of_late_has_been_held_since_it_was_made() -> None:
    late = replace(paid(), paid_at=NOW + 3 * DAY, payment={"chargedAt": NOW})
    assert only(late).since == NOW


def test_a_requests_money_is_held_since_its_capture_and_not_its_authorization() -> None:
    late = replace(paid(), paid_at=NOW + 3 * DAY, payment={"chargedAt": NOW}, mode="REQUEST")
    assert only(late).since == NOW + 3 * DAY


@pytest.mark.parametrize(
    "booking",
    [
        a_booking(paid=False, status=Status.PENDING),
        replace(requested(), status=Status.DECLINED),
        paid(refunded=200_00, fee_refunded=16_00),
        transferred(paid(), 184_00, paid_out=184_00),
        transferred(paid(total=200_00), 100_00, paid_out=184_00).with_money(netted=84_00),
    ],
    ids=["unpaid", "declined", "given back", "paid out", "a debt took the rest"],
)
def test_money_that_is_where_it_belongs_has_no_deadline(booking: Booking) -> None:
    assert deadlines.of(booking) == ()
    assert deadlines.next_look(booking) is None
    stored = documents.to_document(booking)
    assert (stored["nextDeadlineAt"], stored["limitCountry"]) == (None, None)


def test_what_is_sent_in_parts_has_both_clocks() -> None:
    both = transferred(paid("DE", "TH"), 100_00)
    assert {one.kind: one.lapses_at - NOW for one in deadlines.of(both)} == {
        Kind.HOLD: 90 * DAY,
        Kind.CONNECTED: 10 * DAY,
    }


def test_the_oldest_money_leaves_the_connected_balance_first() -> None:
    assert only(transferred(paid(), 100_00, 84_00)).since == NOW
    assert only(transferred(paid(), 100_00, 84_00, paid_out=99_99)).since == NOW
    assert only(transferred(paid(), 100_00, 84_00, paid_out=100_00)).since == NOW + DAY


def test_a_refund_that_failed_after_all_was_earned_is_the_customers_and_held() -> None:
    failed = transferred(paid(), 184_00, paid_out=184_00).with_money(unreturned=50_00)
    assert only(failed).kind is Kind.HOLD
    assert deadlines.obstacle(failed) == "refund_failed"


def test_a_deadline_is_warned_of_once_then_acted_on_once_a_day() -> None:
    booking, one = paid("TH"), only(paid("TH"))
    assert deadlines.next_look(booking) == one.warn_at
    assert deadlines.to_warn(booking, one.warn_at - DAY) == ()
    assert deadlines.to_warn(booking, one.warn_at) == (one,)
    assert deadlines.to_act(booking, one.act_at) == (), "nobody was warned yet"
    warned = deadlines.warned(booking, (one,), one.warn_at)
    assert deadlines.to_warn(warned, one.act_at) == ()
    assert deadlines.next_look(warned) == one.act_at
    assert deadlines.to_act(warned, one.act_at) == (one,)
    looked = deadlines.looked_at(warned, (one,), one.act_at)
    assert deadlines.next_look(looked) == one.act_at + DAY
    assert deadlines.to_act(looked, one.act_at + DAY - timedelta(seconds=1)) == ()
    assert deadlines.to_act(looked, one.act_at + DAY) == (one,)


def test_a_deadline_that_moved_is_another_and_warned_of_anew() -> None:
    booking, one = paid("TH"), only(paid("TH"))
    warned = deadlines.warned(booking, (one,), one.warn_at)
    moved = replace(warned, countries={"platform": "DE"})
    assert deadlines.next_look(moved) == NOW + 69 * DAY
    assert deadlines.to_warn(moved, NOW + 69 * DAY) == deadlines.of(moved)


def test_notes_outlive_the_document() -> None:
    booking, one = paid("TH"), only(paid("TH"))
    noted = deadlines.looked_at(deadlines.warned(booking, (one,), NOW), (one,), NOW + DAY)
    again = documents.from_document(noted.id, documents.to_document(noted))
    assert again == noted
    assert documents.to_document(noted)["nextDeadlineAt"] == NOW + 2 * DAY


@pytest.mark.parametrize(
    ("booking", "why"),
    [
        (earned(paid()), None),
        (earned(paid(), claimed=184_00), None),
        (paid(), "not_served"),
        (replace(earned(paid()), holds={"review": "prv_1", "dispute": "dp_1"}), "dispute,review"),
        (replace(paid(), status=Status.DISPUTED), "dispute"),
        (replace(earned(paid()), eligible_at=None), "payout_hold"),
        (paid(refunded=200_00, fee_refunded=16_00), "refund_under_way"),
        (earned(paid(), due=0), "debt_or_remainder"),
        (requested(), "unanswered"),
        (requested(acceptedAt=NOW), "capture_under_way"),
    ],
)
def test_what_keeps_money_from_leaving_has_a_name(booking: Booking, why: str | None) -> None:
    assert deadlines.obstacle(booking) == why


@pytest.mark.parametrize(("country", "days"), [("US", 723), ("DE", 83), ("TH", 7)])
def test_a_service_must_end_in_time_to_pay_for_it(country: str, days: int) -> None:
    wait = timedelta(hours=48)
    latest = deadlines.latest_end(country, wait=wait, captured=NOW)
    assert latest == NOW + days * DAY - wait
    served = replace(paid(country), end=latest)
    assert served.end + wait <= only(served).act_at
