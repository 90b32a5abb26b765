"""The random histories can fail: mistakes planted in the emulator, each of which they catch.

A mistake is put in the place of the emulator's own code for one test; the same walks that pass
without it must then break an invariant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.stripe import ledger, timers
from emulator.stripe.idempotency import Keys
from emulator.stripe.resources import disputes, payment_intents, payouts, refunds, transfers
from emulator.stripe.store import Store
from tests.emulator.stripe.walk import Walk

SEEDS, STEPS = 12, 80
Plant = Callable[[pytest.MonkeyPatch], None]


def _fee_not_booked(patch: pytest.MonkeyPatch) -> None:
    post = ledger.post

    def without_fee(*args: Any, **more: Any) -> Any:
        txn = post(*args, **more)
        txn["net"] = txn["amount"]
        return txn

    patch.setattr(ledger, "post", without_fee)


def _balance_grows_by_the_gross(patch: pytest.MonkeyPatch) -> None:
    post = ledger.post

    def generous(world: Any, account: str, *args: Any, **more: Any) -> Any:
        txn = post(world, account, *args, **more)
        ledger._sums(world, account, txn["currency"])[txn["status"]] += txn["fee"]
        return txn

    patch.setattr(ledger, "post", generous)


def _funds_available_twice(patch: pytest.MonkeyPatch) -> None:
    mature = timers.HANDLERS["funds_available"]

    def twice(world: Any, args: Any) -> None:
        mature(world, args)
        mature(world, args)

    patch.setitem(timers.HANDLERS, "funds_available", twice)


def _refund_after_a_lost_dispute(patch: pytest.MonkeyPatch) -> None:
    check = refunds._check_amount
    patch.setattr(
        refunds,
        "_check_amount",
        lambda charge, given: check({**charge, "_disputed_now": False}, given),
    )


def _refund_beyond_what_was_paid(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(refunds, "_check_amount", lambda charge, given: given or charge["amount"])


def _failed_refund_not_returned(patch: pytest.MonkeyPatch) -> None:
    def fail(world: Any, refund: Any) -> None:
        refund["status"] = "failed"

    patch.setattr(refunds, "_fail", fail)


def _reversal_beyond_the_transfer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        transfers, "_reversible", lambda world, transfer, given: given or transfer["amount"]
    )


def _transfer_beyond_its_source(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        transfers, "_source", lambda call, id: call.own("charge", id, "source_transaction")
    )


def _failed_payout_keeps_the_money(patch: pytest.MonkeyPatch) -> None:
    def fail(world: Any, payout: Any, code: str, message: str) -> None:
        payout["status"] = "failed"

    patch.setattr(payouts, "_fail", fail)


def _won_dispute_returns_nothing(patch: pytest.MonkeyPatch) -> None:
    post = disputes._post

    def only_withdrawals(world: Any, dispute: Any, charge: Any, amount: int, *more: Any) -> None:
        if amount < 0:
            post(world, dispute, charge, amount, *more)

    patch.setattr(disputes, "_post", only_withdrawals)


def _second_dispute_beside_an_inquiry(patch: pytest.MonkeyPatch) -> None:
    opening = disputes.open_dispute

    def forgetful(*args: Any) -> Any:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(disputes, "latest_open", lambda world, charge: None)
            return opening(*args)

    patch.setattr(disputes, "open_dispute", forgetful)


def _paid_intent_cancelled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(payment_intents, "_CANCELABLE", (*payment_intents._CANCELABLE, "succeeded"))


def _key_that_acts_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Keys, "look_up", lambda *_: None)


def _replay_of_another_answer(patch: pytest.MonkeyPatch) -> None:
    look_up = Keys.look_up

    def other(self: Keys, account: str, key: str, print: str) -> Any:
        stored = look_up(self, account, key, print)
        return stored and type(stored)(stored.status, stored.body + " ", stored.request_id)

    patch.setattr(Keys, "look_up", other)


def _refusal_that_leaves_its_traces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "rollback", Store.commit)


MISTAKES: dict[str, Plant] = {
    "a fee is left out of a balance transaction's net": _fee_not_booked,
    "a balance grows by more than its transactions": _balance_grows_by_the_gross,
    "funds become available twice": _funds_available_twice,
    "a payment is refunded after its dispute was lost": _refund_after_a_lost_dispute,
    "more is refunded than was paid": _refund_beyond_what_was_paid,
    "a refund that failed does not return": _failed_refund_not_returned,
    "more is reversed than was transferred": _reversal_beyond_the_transfer,
    "more is transferred than its source brought": _transfer_beyond_its_source,
    "a failed payout keeps the money": _failed_payout_keeps_the_money,
    "a won dispute returns nothing": _won_dispute_returns_nothing,
    "a second dispute opens beside an inquiry": _second_dispute_beside_an_inquiry,
    "a paid intent is cancelled": _paid_intent_cancelled,
    "a key acts twice": _key_that_acts_twice,
    "a replay is not the first answer": _replay_of_another_answer,
    "a refusal leaves its traces": _refusal_that_leaves_its_traces,
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_caught(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MISTAKES[mistake](monkeypatch)
    with pytest.raises(AssertionError):
        _walk_everywhere()


def _walk_everywhere() -> None:
    for seed in range(SEEDS):
        walk = Walk(seed)
        for _ in range(STEPS):
            walk.step()
