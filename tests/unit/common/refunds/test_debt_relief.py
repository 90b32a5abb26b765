"""A debt that turns out not to be owed: cancelled as far as it stands, else payable again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.audit.author import Author
from common.auth.caller import Caller, Role
from common.bookings import documents
from common.bookings.model import Booking
from common.context import Context
from common.refunds.debt_relief import Relief, excess, relieve, relieve_each, there_again
from common.store import collections
from common.store.collections import Key
from common.store.store import Document, Filter, Patch, Replace, Snapshot, Store
from common.store.unit import Unit
from tests.unit.common.bookings.builders import NOW, a_booking, earned


class Shelf(Store):
    """A store of what a test says: documents by key, and equality for queries."""

    def __init__(self, *found: Snapshot) -> None:
        self.found = {snapshot.key: snapshot for snapshot in found}
        self.limits: list[int] = []
        self.reads: list[Key] = []

    def read(self, keys: Iterable[Key]) -> dict[Key, Snapshot]:
        asked = list(keys)
        self.reads += asked
        return {key: self.found.get(key, Snapshot(key, None, None)) for key in asked}

    def query(
        self, collection: str, where: Sequence[Filter], *, limit: int = 100, **_: Any
    ) -> list[Snapshot]:
        self.limits.append(limit)
        assert {operator for _, operator, _ in where} == {"=="}
        return [
            snapshot
            for snapshot in self.found.values()
            if snapshot.key.collection == collection
            and all((snapshot.data or {})[name] == value for name, _, value in where)
        ][:limit]


def a_request(shelf: Shelf) -> Context:
    services = cast(Any, SimpleNamespace(store=shelf))
    author = Author("x", "X", "request-1", lambda: NOW, Role.OPERATOR)
    unit = Unit(shelf, author)
    return Context(services, unit, Caller("x"), author, "X", "request-1", NOW, None, {})


def stored(booking: Booking) -> Snapshot:
    return Snapshot(collections.booking(booking.id), documents.to_document(booking), NOW)


def debt(amount: int | None) -> Snapshot:
    data: Document = {"providerId": "provider-1", "currency": "USD"}
    key = collections.earnings("provider-1", "USD")
    return Snapshot(key, data if amount is None else {**data, "debt": amount}, NOW)


def owes(receivable: int, due: int = 184_00) -> Booking:
    """A booking that was paid out whole and then refunded; ``due`` after the refund failed."""
    return earned(a_booking(), due=due, paid=184_00, transferred=184_00, receivable=receivable)


def paid_debt(number: int, netted: int, **money: int) -> Booking:
    """A booking whose earnings went into the debt before they could be paid out."""
    amounts = {"due": 100_00, "paid": 100_00, "transferred": 100_00 - netted, **money}
    return earned(a_booking(booking_id=f"booking-{number}"), netted=netted, **amounts)


def relief(booking: Booking, *found: Snapshot) -> Relief:
    return relieve(a_request(Shelf(*found)), booking, "re_1")


@pytest.mark.parametrize(
    ("due", "receivable", "expected"),
    [
        (92_00, 92_00, 0),  # refunded, and it stands
        (184_00, 92_00, 92_00),  # the refund failed
        (138_00, 138_00, 92_00),  # of two refunds one failed
        (184_00, 0, 0),
        (184_01, 92_00, 92_00),  # due even more than they have
    ],
)
def test_only_what_the_provider_has_beyond_their_due_is_owed(
    due: int, receivable: int, expected: int
) -> None:
    booking = earned(a_booking(), due=due, paid=184_00, transferred=184_00, receivable=receivable)
    assert excess(booking) == expected


def test_what_settled_another_debt_counts_as_had_and_what_is_being_reversed_does_not() -> None:
    netted = earned(a_booking(), due=92_00, netted=184_00, paid=184_00, receivable=100_00)
    assert excess(netted) == 8_00
    assert excess(netted.with_money(reclaiming=20_00)) == 28_00


def test_a_debt_that_is_owed_stays() -> None:
    booking = owes(92_00, due=92_00)
    assert relief(booking, debt(92_00)) == Relief(booking, (), ())


def test_a_debt_of_46_that_still_stands_is_cancelled() -> None:
    done = relief(owes(46_00), debt(50_00))
    assert done.booking == owes(0)
    [posting] = done.postings
    assert (posting.id, posting.source, posting.currency) == ("debt_cancelled_re_1", "re_1", "USD")
    assert dict(posting.entries) == {
        "provider:provider-1": 46_00,
        "provider:provider-1:debt": -46_00,
    }
    assert posting.concerns == {
        "bookingId": "booking-1",
        "customerId": "customer-1",
        "providerId": "provider-1",
        "category": "music",
    }
    [write] = done.writes
    assert write == Patch(collections.earnings("provider-1", "USD"), {"debt": 4_00}, version=NOW)


def test_what_later_earnings_have_paid_of_it_is_payable_again_where_it_was_taken() -> None:
    payer = paid_debt(2, 46_00)
    done = relief(owes(46_00), debt(None), stored(payer))
    assert (done.booking.money.receivable, done.postings) == (0, ())
    changed, _totals = done.writes
    assert isinstance(changed, Replace)
    assert changed.was == stored(payer)
    free = documents.from_document("booking-2", changed.data)
    assert (free.money.paid, free.money.netted, free.available) == (54_00, 0, 46_00)


def test_first_the_standing_debt_is_cancelled_and_then_its_payers_get_the_rest() -> None:
    done = relief(owes(46_00), debt(10_00), stored(paid_debt(2, 30_00)), stored(paid_debt(3, 9_00)))
    assert done.booking.money.receivable == 0
    first, *others = done.writes
    assert first == Patch(collections.earnings("provider-1", "USD"), {"debt": 0}, version=NOW)
    again = [one for one in others if isinstance(one, Replace)]
    left = [one.data["money"]["netted"] for one in again]
    assert [one.was.key.id for one in again] == ["booking-2", "booking-3"]
    assert left == [0, 3_00]


def test_more_than_the_payers_gave_stays_owed() -> None:
    done = relief(owes(46_00), debt(0), stored(paid_debt(2, 30_00)))
    assert done.booking.money.receivable == 16_00


def test_where_there_are_no_totals_yet_nothing_stands_to_be_cancelled() -> None:
    done = relief(owes(46_00))
    assert (done.booking.money.receivable, done.postings, done.writes) == (46_00, (), ())


@pytest.mark.parametrize(
    "payer",
    [
        paid_debt(1, 46_00),  # the booking that owes
        paid_debt(2, 46_00, receivable=1),  # owes itself
        paid_debt(2, 46_00, due=99_99),  # is due less than was paid for it
        paid_debt(2, 46_00, claimed=1),
        replace(paid_debt(2, 46_00), provider_id="provider-2"),
        paid_debt(2, 0),  # paid no debt
        paid_debt(2, 46_00, currency="EUR"),
    ],
    ids=["itself", "indebted", "due less", "claimed", "another's", "no payer", "other money"],
)
def test_only_sound_bookings_that_paid_this_providers_debts_get_something_again(
    payer: Booking,
) -> None:
    done = relief(owes(46_00), debt(0), stored(payer))
    assert (done.booking.money.receivable, done.writes) == (46_00, ())


def test_no_more_than_a_hundred_payers_are_looked_at() -> None:
    shelf = Shelf(debt(0), stored(paid_debt(2, 46_00)))
    relieve(a_request(shelf), owes(46_00), "re_1")
    assert shelf.limits == [100]


def test_bookings_that_paid_no_debt_do_not_crowd_out_one_that_did() -> None:
    others = [stored(paid_debt(number, 0)) for number in range(3, 103)]
    done = relief(owes(46_00), debt(0), *others, stored(paid_debt(2, 46_00)))
    assert done.booking.money.receivable == 0


def test_where_the_whole_debt_still_stands_no_payer_is_looked_for() -> None:
    shelf = Shelf(debt(46_00))
    relieve(a_request(shelf), owes(46_00), "re_1")
    assert shelf.limits == []


@given(
    receivable=st.integers(1, 184_00),
    standing=st.integers(0, 184_00),
    netted=st.lists(st.integers(1, 100_00), max_size=4),
)
def test_what_is_not_owed_any_more_was_cancelled_or_is_payable_again(
    receivable: int, standing: int, netted: list[int]
) -> None:
    payers = [paid_debt(number + 2, amount) for number, amount in enumerate(netted)]
    done = relief(owes(receivable), debt(standing), *map(stored, payers))
    cancelled = sum(max(amount for _, amount in one.entries) for one in done.postings)
    again = sum(netted) - sum(
        one.data["money"]["netted"] for one in done.writes if isinstance(one, Replace)
    )
    untouched = len(payers) - sum(isinstance(one, Replace) for one in done.writes)
    again -= sum(netted[len(netted) - untouched :])
    assert done.booking.money.receivable == receivable - cancelled - again
    assert cancelled == min(receivable, standing)
    assert again == min(receivable - cancelled, sum(netted))


def test_what_came_back_of_a_payout_pays_the_debt_as_far_as_it_lies_there() -> None:
    booking = earned(a_booking(), due=92_00, transferred=184_00, receivable=92_00)
    assert there_again(booking) == 92_00
    assert there_again(booking.with_money(paid=150_00)) == 34_00
    assert there_again(booking.with_money(receivable=0)) == 0


def named(booking: Booking, number: int) -> Booking:
    return replace(booking, id=f"booking-{number}")


def test_debts_of_several_bookings_are_cancelled_in_their_order_by_one_patch() -> None:
    shelf = Shelf(debt(50_00), stored(paid_debt(9, 30_00)))
    owed = [
        (named(owes(46_00), 1), 46_00, "re_1"),
        (named(owes(20_00), 2), 20_00, "re_2"),
        (named(owes(7_00), 3), 0, "re_3"),
    ]
    one, two, three = relieve_each(a_request(shelf), owed)
    assert [len(each.postings) for each in (one, two, three)] == [1, 1, 0]
    assert dict(two.postings[0].entries)["provider:provider-1"] == 4_00
    assert two.postings[0].source == "re_2"
    assert [each.booking.money.receivable for each in (one, two, three)] == [0, 0, 7_00]
    patch = Patch(collections.earnings("provider-1", "USD"), {"debt": 0}, version=NOW)
    assert one.writes == (patch,)
    assert isinstance(two.writes[0], Replace)
    assert two.writes[0].data["money"]["netted"] == 14_00
    assert three.writes == ()


def test_a_booking_pays_back_once_and_the_next_debt_asks_the_next() -> None:
    shelf = Shelf(debt(0), stored(paid_debt(8, 30_00)), stored(paid_debt(9, 30_00)))
    owed = [
        (named(owes(20_00), 1), 20_00, "re_1"),
        (named(owes(20_00), 2), 20_00, "re_2"),
    ]
    one, two = relieve_each(a_request(shelf), owed)
    asked = [[w.was.key.id for w in each.writes if isinstance(w, Replace)] for each in (one, two)]
    assert asked == [["booking-8"], ["booking-9"]]
    assert shelf.limits == [100]


def test_where_no_debt_is_to_go_nothing_is_read() -> None:
    shelf = Shelf(debt(50_00))
    owed = [(owes(46_00), 0, "re_1"), (named(owes(20_00), 2), 0, "re_2")]
    assert relieve_each(a_request(shelf), owed) == [Relief(owed[0][0]), Relief(owed[1][0])]
    assert shelf.reads == []


def test_bookings_that_the_same_commit_writes_are_given_nothing_back() -> None:
    shelf = Shelf(debt(0), stored(paid_debt(8, 46_00)), stored(paid_debt(2, 46_00)))
    owed = [(owes(46_00), 46_00, "re_1"), (named(owes(0), 2), 0, "re_2")]
    one, two = relieve_each(a_request(shelf), owed, busy=["booking-8"])
    assert (one.booking.money.receivable, one.writes, two.writes) == (46_00, (), ())
