"""The kinds of operation: which documents an outcome concerns, and how it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from common.accounts import creation, recall_operation
from common.bookings import (
    capture_operation,
    charge_operation,
    payment_operations,
    setup_operation,
)
from common.disputes import evidence_operation
from common.operations import made_once
from common.operations.model import Operation, Result, Results, Settled
from common.payouts import payout_operation
from common.refunds import clawback_operation, refund_operation
from common.store.collections import Key
from common.store.store import Snapshot
from common.subscriptions import subscribing

Documents = Mapping[Key, Snapshot]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Attributes:
        needs: The documents that its outcome changes.
        keys: The same and those that may exist already, such as the ledger's.
        settle: Decides, without I/O, what the calls' results change.
        barred: Calls that must not be made any more, by name, as the documents now stand; they are
            only looked for. None where nothing that happens meanwhile can forbid a call.
        halted: The outcome of every call while none may be made for now, as the documents stand;
            None: go on. ``settle`` then leaves the operation waiting.
    """

    needs: Callable[[Operation], tuple[Key, ...]]
    keys: Callable[[Operation, Results], tuple[Key, ...]]
    settle: Callable[[Operation, Results, Documents, datetime], Settled]
    barred: Callable[[Operation, Documents], frozenset[str]] | None = None
    halted: Callable[[Documents], Result | None] | None = None


KINDS: dict[str, Kind] = {
    "payment": Kind(
        payment_operations.needs, payment_operations.keys, payment_operations.settle_created
    ),
    "void": Kind(payment_operations.needs, payment_operations.keys, payment_operations.settle_void),
    "capture": Kind(
        capture_operation.needs,
        capture_operation.keys,
        capture_operation.settle,
        capture_operation.barred,
    ),
    "setup": Kind(setup_operation.needs, setup_operation.keys, setup_operation.settle),
    "charge_saved": Kind(
        charge_operation.needs,
        charge_operation.keys,
        charge_operation.settle,
        charge_operation.barred,
    ),
    "account": Kind(creation.needs, creation.keys, creation.settle),
    "refund": Kind(refund_operation.needs, refund_operation.keys, refund_operation.settle),
    "clawback": Kind(clawback_operation.needs, clawback_operation.keys, clawback_operation.settle),
    "recall": Kind(recall_operation.needs, recall_operation.keys, recall_operation.settle),
    "evidence": Kind(evidence_operation.needs, evidence_operation.keys, evidence_operation.settle),
    "payout": Kind(
        payout_operation.needs,
        payout_operation.keys,
        payout_operation.settle,
        payout_operation.barred,
        payout_operation.halted,
    ),
    "once": Kind(made_once.needs, made_once.keys, made_once.settle),
    "subscription": Kind(subscribing.needs, subscribing.keys, subscribing.settle),
    "subscription_change": Kind(
        subscribing.change_needs, subscribing.change_keys, subscribing.change_settle
    ),
}
