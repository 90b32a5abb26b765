"""Taking a provider's part back: reversals of what lies there, a debt for the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.bookings.model import Booking
from common.operations.model import Result
from common.refunds import clawback
from common.store.store import Add, Create, Write
from tests.unit.common.bookings.builders import NOW, a_booking, earned


def transferred(booking: Booking, *amounts: int, **money: Any) -> Booking:
    made = tuple(
        {"id": f"tr_{number}", "amount": amount, "reversed": 0}
        for number, amount in enumerate(amounts)
    )
    return replace(booking.with_money(transferred=sum(amounts), **money), transfers=made)


def made(call: Any, number: int = 0) -> Result:
    return Result({"id": f"trr_{call.target}_{number}", "amount": call.params["amount"]})


def debt_of(writes: list[Write]) -> int:
    return sum(write.deltas.get("debt", 0) for write in writes if isinstance(write, Add))


def test_the_newest_transfer_is_reversed_first() -> None:
    booking = transferred(earned(a_booking(), due=84_00), 100_00, 84_00)
    calls = clawback.calls(booking, "refund-1", "req")
    assert [(call.target, call.params["amount"]) for call in calls] == [
        ("tr_1", 84_00),
        ("tr_0", 16_00),
    ]


def test_nothing_beyond_the_due_is_nothing_to_reverse() -> None:
    assert clawback.calls(transferred(earned(a_booking()), 184_00), "refund-1", "req") == ()


def test_what_was_paid_out_is_owed_and_not_reversed() -> None:
    booking = transferred(earned(a_booking(), due=92_00), 184_00, paid=184_00)
    assert clawback.calls(booking, "refund-1", "req") == ()
    after, writes = clawback.record(booking, "refund-1", (), {}, {}, NOW)
    assert after.money.receivable == 92_00
    assert after.money.overpaid == 0
    assert debt_of(writes) == 92_00
    [posting] = [write.data for write in writes if isinstance(write, Create)]
    assert {one["account"]: one["amount"] for one in posting["entries"]} == {
        "provider:provider-1:debt": 92_00,
        "provider:provider-1": -92_00,
    }


def test_a_reversal_that_stripe_refuses_is_owed() -> None:
    booking = transferred(earned(a_booking(), due=0), 184_00)
    calls = clawback.calls(booking, "refund-1", "req")
    booking = clawback.set_aside(booking, calls)
    refused = {call.name: Result(None, "balance_insufficient") for call in calls}
    after, writes = clawback.record(booking, "refund-1", calls, refused, {}, NOW)
    assert (after.money.receivable, debt_of(writes)) == (184_00, 184_00)
    assert (after.money.reclaiming, after.money.transferred) == (0, 184_00)


def test_what_settled_a_debt_is_owed_again() -> None:
    booking = earned(a_booking(), due=0, paid=184_00, netted=184_00)
    after, writes = clawback.record(booking, "refund-1", (), {}, {}, NOW)
    assert (after.money.receivable, debt_of(writes)) == (184_00, 184_00)


def test_reversals_under_way_are_not_planned_twice() -> None:
    first = transferred(earned(a_booking(), due=138_00), 184_00)
    calls = clawback.calls(first, "refund-1", "req")
    assert calls[0].params["amount"] == 46_00
    second = clawback.set_aside(first, calls).with_money(due=92_00)
    more = clawback.calls(second, "refund-2", "req")
    assert [call.params["amount"] for call in more] == [46_00]


@given(
    transfers=st.lists(st.integers(1, 50_00), max_size=4),
    due=st.integers(0, 200_00),
    paid_share=st.floats(0, 1),
    refuses=st.booleans(),
)
def test_afterwards_the_provider_has_or_owes_exactly_their_due(
    transfers: list[int], due: int, paid_share: float, refuses: bool
) -> None:
    total = sum(transfers)
    booking = earned(a_booking(), due=min(due, total))
    booking = transferred(booking, *transfers, paid=int(total * paid_share))
    calls = clawback.calls(booking, "refund-1", "req")
    assert sum(call.params["amount"] for call in calls) <= booking.money.there
    results = {call.name: Result(None, "no") if refuses else made(call) for call in calls}
    booking = clawback.set_aside(booking, calls)
    after, writes = clawback.record(booking, "refund-1", calls, results, {}, NOW)
    money = after.money
    assert money.transferred - money.receivable == money.due
    assert money.reclaiming == money.overpaid == 0
    assert debt_of(writes) == money.receivable
    assert all(t["reversed"] <= t["amount"] for t in after.transfers)
