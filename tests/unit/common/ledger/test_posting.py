"""A ledger transaction balances, has two entries, and an id that its event determines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ledger import figures
from common.ledger.posting import Posting, entries, post
from common.store import collections
from common.store.store import Create, Snapshot
from tests.unit.common.bookings.builders import NOW


def a_posting(amount: int = 100) -> Posting:
    lines = entries(("platform:stripe", amount), ("bookings:held", -amount))
    return Posting("charge", "ch_1", "USD", lines, {"bookingId": "booking-1"})


@given(amounts=st.lists(st.integers(-1000, 1000).filter(bool), min_size=1, max_size=6))
def test_only_entries_that_sum_to_zero_make_a_posting(amounts: list[int]) -> None:
    lines = tuple((f"account-{n}", amount) for n, amount in enumerate(amounts))
    rest = -sum(amounts)
    if rest:
        with pytest.raises(AssertionError):
            Posting("kind", "id", "USD", lines, {})
        lines = (*lines, ("rest", rest))
    assert sum(amount for _, amount in Posting("kind", "id", "USD", lines, {}).entries) == 0


def test_one_entry_is_none() -> None:
    with pytest.raises(AssertionError):
        Posting("kind", "id", "USD", (("platform:stripe", 0),), {})


def test_entries_of_zero_are_left_out() -> None:
    assert entries(("a", 5), ("b", 0), ("c", -5)) == (("a", 5), ("c", -5))


def test_the_id_is_that_of_its_event_and_the_document_says_what_it_concerns() -> None:
    write = a_posting().writes(NOW)[0]
    assert isinstance(write, Create)
    assert write.key == collections.transaction("charge_ch_1")
    assert write.data == {
        "kind": "charge",
        "currency": "USD",
        "entries": [
            {"account": "platform:stripe", "amount": 100},
            {"account": "bookings:held", "amount": -100},
        ],
        "stripeId": "ch_1",
        "createdAt": NOW,
        "category": "",
        "bookingId": "booking-1",
        "figures": {
            "payments": 1,
            "gross": 100,
            "refunds": 0,
            "refunded": 0,
            "commission": 0,
            "payouts": 0,
            "paidOut": 0,
        },
    }


def test_what_stands_is_not_written_again() -> None:
    key = collections.transaction("charge_ch_1")
    assert post({key: Snapshot(key, {"kind": "charge"}, NOW)}, a_posting(), NOW) == []
    for known in ({key: Snapshot(key, None, None)}, {}):
        assert post(known, a_posting(), NOW) == a_posting().writes(NOW)


def test_an_event_and_its_reverse_come_to_nothing() -> None:
    there = a_posting()
    back = there.reversed("charge_undone", "ch_1")
    assert back.id == "charge_undone_ch_1"
    assert (back.currency, back.concerns) == ("USD", {"bookingId": "booking-1"})
    sums: dict[str, int] = {}
    for account, amount in (*there.entries, *back.entries):
        sums[account] = sums.get(account, 0) + amount
    assert set(sums.values()) == {0}


def test_with_the_transaction_go_its_figures_to_its_day_and_its_providers_year() -> None:
    about = {"providerId": "ada", "category": "music"}
    lines = entries(("platform:stripe", 100), ("bookings:held", -100))
    posting = Posting("charge", "ch_1", "USD", lines, about)
    document, day, year = posting.writes(NOW)
    assert isinstance(document, Create)
    assert (document.data["category"], document.data["providerId"]) == ("music", "ada")
    adds = document.data["figures"]
    assert [day] == figures.on_day("charge_ch_1", "USD", "music", adds, NOW)
    assert [year] == figures.on_year("ada", "USD", adds, NOW)


def test_what_concerns_no_category_and_no_provider_counts_for_its_day_only() -> None:
    _, *totals = a_posting().writes(NOW)
    adds = figures.of("charge", a_posting().entries)
    assert totals == figures.on_day("charge_ch_1", "USD", "", adds, NOW)


def test_what_has_no_figures_is_one_document() -> None:
    posting = Posting("transfer", "tr_1", "USD", entries(("a", 1), ("b", -1)), {"providerId": "x"})
    [write] = posting.writes(NOW)
    assert isinstance(write, Create)
    assert "figures" not in write.data
