"""Taking a provider's part back: reversals of what lies there, a debt for the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.bookings.model import Booking
from common.operations.model import Result
from common.refunds import clawback
from common.store import collections
from common.store.store import Add, Create, Snapshot, Write
from common.stripe_gateway.calls import Call
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


WHOM = {
    "bookingId": "booking-1",
    "customerId": "customer-1",
    "providerId": "provider-1",
    "category": "music",
}


def test_a_reversal_is_asked_for_under_a_key_of_its_own_and_says_what_for() -> None:
    booking = transferred(earned(a_booking(), due=138_00), 184_00)
    [call] = clawback.calls(booking, "refund-1", "request-1")
    assert call == Call(
        "reversal:tr_0",
        "transfers.reverse",
        {
            "amount": 46_00,
            "metadata": {
                "bookingId": "booking-1",
                "operationId": "refund-1",
                "requestId": "request-1",
            },
        },
        "refund-1-tr_0",
        target="tr_0",
    )


def test_of_a_transfer_only_what_was_not_reversed_before_can_be() -> None:
    booking = transferred(earned(a_booking(), due=0), 100_00, 84_00)
    first, second = booking.transfers
    spent = replace(booking, transfers=(first, {**second, "reversed": 80_00}))
    spent = spent.with_money(transferred=104_00)
    made = clawback.calls(spent, "refund-1", "request-1")
    assert [(call.target, call.params["amount"]) for call in made] == [
        ("tr_1", 4_00),
        ("tr_0", 100_00),
    ]
    gone = replace(spent, transfers=(first, {**second, "reversed": 84_00}))
    made = clawback.calls(gone.with_money(transferred=100_00), "refund-1", "request-1")
    assert [(call.target, call.params["amount"]) for call in made] == [("tr_0", 100_00)]


def test_a_single_cent_is_reversed_as_well() -> None:
    booking = transferred(earned(a_booking(), due=183_99), 184_00)
    assert [call.params["amount"] for call in clawback.calls(booking, "x", "x")] == [1]


def test_only_what_still_lies_in_the_connected_balance_is_reversed() -> None:
    booking = transferred(earned(a_booking(), due=92_00), 184_00, paid=150_00)
    assert [call.params["amount"] for call in clawback.calls(booking, "x", "x")] == [34_00]


def test_what_is_set_aside_for_reversals_can_be_called_off() -> None:
    booking = transferred(earned(a_booking(), due=84_00, reclaiming=7), 100_00, 84_00)
    calls = clawback.calls(booking, "refund-1", "request-1")
    aside = clawback.set_aside(booking, calls)
    assert aside.money.reclaiming == 7 + 99_93
    assert clawback.called_off(aside, calls) == booking


def test_a_made_reversal_is_booked_and_taken_off_its_transfer() -> None:
    booking = transferred(earned(a_booking(), due=84_00), 100_00, 84_00)
    calls = clawback.calls(booking, "refund-1", "request-1")
    results = {call.name: made(call) for call in calls}
    aside = clawback.set_aside(booking, calls)
    after, writes = clawback.record(aside, "refund-1", calls, results, {}, NOW)
    assert after.transfers == (
        {"id": "tr_0", "amount": 100_00, "reversed": 16_00},
        {"id": "tr_1", "amount": 84_00, "reversed": 84_00},
    )
    assert (after.money.transferred, after.money.receivable) == (84_00, 0)
    first, second = writes
    assert isinstance(first, Create)
    assert first.key == collections.transaction("reversal_trr_tr_1_0")
    assert first.data == {
        "kind": "reversal",
        "currency": "USD",
        "entries": [
            {"account": "platform:stripe", "amount": 84_00},
            {"account": "provider:provider-1:stripe", "amount": -84_00},
        ],
        "stripeId": "trr_tr_1_0",
        "createdAt": NOW,
        **WHOM,
    }
    assert isinstance(second, Create)
    assert second.data["entries"][0]["amount"] == 16_00
    assert clawback.posting_keys(results) == (first.key, second.key)


def test_a_reversal_that_its_webhook_recorded_is_not_counted_again() -> None:
    booking = transferred(earned(a_booking(), due=138_00), 184_00)
    [call] = clawback.calls(booking, "refund-1", "request-1")
    aside = clawback.set_aside(booking, (call,))
    told = clawback.with_reversal(aside, "tr_0", 46_00)  # by the webhook
    key = collections.transaction("reversal_trr_tr_0_0")
    docs = {key: Snapshot(key, {"kind": "reversal"}, NOW)}
    results = {call.name: made(call)}
    after, writes = clawback.record(told, "refund-1", (call,), results, docs, NOW)
    assert (after.money.transferred, after.money.reclaiming) == (138_00, 0)
    assert writes == []


def test_of_results_only_made_reversals_have_a_transaction() -> None:
    results = {
        "refund": Result({"id": "re_1"}),
        "reversal:tr_0": Result(None, "no"),
        "reversal:tr_1": Result({"id": "trr_1", "amount": 1}),
    }
    assert clawback.posting_keys(results) == (collections.transaction("reversal_trr_1"),)


def owed_why(booking: Booking, *results: Result) -> str:
    calls = clawback.calls(booking, "refund-1", "request-1")
    named = {call.name: result for call, result in zip(calls, results, strict=False)}
    aside = clawback.set_aside(booking, calls)
    _, writes = clawback.record(aside, "refund-1", calls, named, {}, NOW)
    [debt] = [one for one in writes if isinstance(one, Create) and one.data["kind"] == "debt"]
    assert debt.key == collections.transaction("debt_refund-1-booking-1")
    assert debt.data["createdAt"] == NOW
    return str(debt.data["why"])


def test_a_debt_says_why_it_could_not_be_reversed() -> None:
    booking = transferred(earned(a_booking(), due=0), 184_00)
    assert owed_why(booking, Result(None, "balance_insufficient")) == "balance_insufficient"
    assert owed_why(booking, Result(None, None)) == "refused"
    assert owed_why(booking) == "paid_out"


def test_a_reversal_that_was_not_made_does_not_keep_the_next_from_being_recorded() -> None:
    booking = transferred(earned(a_booking(), due=0), 100_00, 84_00)
    calls = clawback.calls(booking, "refund-1", "request-1")
    _, last = calls
    aside = clawback.set_aside(booking, calls)
    after, _ = clawback.record(aside, "refund-1", calls, {last.name: made(last)}, {}, NOW)
    assert (after.money.transferred, after.money.receivable) == (84_00, 84_00)


def test_a_debt_of_46_is_one_transaction_and_counts_in_the_providers_totals() -> None:
    booking = transferred(earned(a_booking(), due=138_00, receivable=0), 184_00, paid=184_00)
    owing, writes = clawback.indebted(booking, "refund-1", "paid_out", NOW)
    assert owing == booking.with_money(receivable=46_00)
    posting, total = writes
    assert isinstance(posting, Create)
    assert posting.key == collections.transaction("debt_refund-1-booking-1")
    assert posting.data == {
        "kind": "debt",
        "currency": "USD",
        "entries": [
            {"account": "provider:provider-1:debt", "amount": 46_00},
            {"account": "provider:provider-1", "amount": -46_00},
        ],
        "stripeId": "refund-1-booking-1",
        "createdAt": NOW,
        **WHOM,
        "why": "paid_out",
    }
    key = collections.earnings("provider-1", "USD")
    assert total == Add(key, {"providerId": "provider-1", "currency": "USD"}, {"debt": 46_00})


def test_a_further_debt_adds_to_the_first() -> None:
    booking = transferred(earned(a_booking(), due=92_00, receivable=46_00), 184_00, paid=184_00)
    owing, _ = clawback.indebted(booking, "refund-2", "paid_out", NOW)
    assert owing.money.receivable == 92_00


def test_who_has_no_more_than_their_due_owes_nothing() -> None:
    booking = transferred(earned(a_booking()), 184_00)
    assert clawback.indebted(booking, "refund-1", "paid_out", NOW) == (booking, [])


def test_only_transfers_to_one_account_are_reversed_where_one_is_named() -> None:
    booking = transferred(earned(a_booking(), due=0), 100_00, 50_00, 34_00)
    old, new, unknown = booking.transfers
    moved = replace(
        booking, transfers=({**old, "account": "acct_1"}, {**new, "account": "acct_2"}, unknown)
    )
    made = clawback.reversals(moved, 184_00, "x", "x", of_account="acct_1")
    # of a transfer that names no account it is not known to be another
    assert [(call.target, call.params["amount"]) for call in made] == [
        ("tr_2", 34_00),
        ("tr_0", 100_00),
    ]
    every = clawback.reversals(moved, 184_00, "x", "x")
    assert [call.target for call in every] == ["tr_2", "tr_1", "tr_0"]
    assert [call.params["amount"] for call in clawback.reversals(moved, 40_00, "x", "x")] == [
        34_00,
        6_00,
    ]


def test_reversals_may_be_recorded_without_a_debt() -> None:
    booking = transferred(earned(a_booking(), due=0), 184_00, paid=100_00)
    calls = clawback.calls(booking, "refund-1", "request-1")
    aside = clawback.set_aside(booking, calls)
    results = {call.name: made(call) for call in calls}
    after, writes = clawback.reversed_by(aside, calls, results, {}, NOW)
    assert (after.money.transferred, after.money.reclaiming) == (100_00, 0)
    assert (after.money.receivable, debt_of(writes)) == (0, 0)
    assert [one.data["createdAt"] for one in writes if isinstance(one, Create)] == [NOW]


def test_of_several_refusals_the_last_is_the_debts_reason() -> None:
    booking = transferred(earned(a_booking(), due=0), 100_00, 84_00)
    first, last = Result(None, "first"), Result(None, "last")
    assert owed_why(booking, first, last) == "last"
    [one, *_] = clawback.calls(booking, "x", "x")
    assert owed_why(booking, first, made(one)) == "first"
