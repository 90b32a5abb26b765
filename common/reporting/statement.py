"""A booking's money story: its ledger transactions in order, and what is held after each. Pure.

Held is the customer's money that is still with us: not given back, not transferred to the
provider, not earned by the platform, not frozen by a bank. It is below zero while we have given
back what the provider has not returned yet.
Source: contract, section 3 (GET_STATEMENT); invariant I14.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from common.clock import rfc3339
from common.ledger import accounts
from common.ledger.kinds import kind_of, rank_of
from common.money import to_major
from common.store.store import Snapshot


def lines_of(
    snapshots: Iterable[Snapshot], provider_id: str, currency: str
) -> list[dict[str, Any]]:
    """The transactions as answers show them, oldest first; amounts in major units.

    What is held is in the booking's ``currency``; what Stripe settled in another one has lines in
    that one, which change nothing of it.

    They come in the order of their commits, which their versions tell: ``createdAt`` is the instant
    at which a request began, and news of its effect may have been committed while it ran. Those of
    one commit come in the order of their kinds.
    """
    held, lines = 0, []
    for snapshot in sorted(snapshots, key=_place):
        doc = snapshot.require()
        held -= sum(
            entry["amount"]
            for entry in doc["entries"]
            if doc["currency"] == currency and entry["account"] in _still_here(provider_id)
        )
        lines.append(_line(snapshot, to_major(held, currency)))
    return lines


def _still_here(provider_id: str) -> frozenset[str]:
    """Accounts that together are what is held: owed to somebody, less what was sent ahead."""
    return frozenset(
        {
            accounts.HELD,
            accounts.owed(provider_id),
            accounts.connected(provider_id),
            accounts.DISPUTES,
        }
    )


def _place(snapshot: Snapshot) -> tuple[Any, int, str]:
    return snapshot.version, rank_of(snapshot.require()["kind"]), snapshot.key.id


def _line(snapshot: Snapshot, held: Decimal) -> dict[str, Any]:
    doc: Mapping[str, Any] = snapshot.require()
    code = str(doc["currency"])
    names = kind_of(doc["kind"]).names
    return {
        "transactionId": snapshot.key.id,
        "createdAt": rfc3339(doc["createdAt"]),
        "kind": doc["kind"],
        "currency": code,
        "stripeObject": names,
        "stripeId": doc["stripeId"] if names else None,
        "refundId": doc.get("refundId"),
        "payoutId": doc.get("payoutId"),
        "entries": [
            {"account": entry["account"], "amount": to_major(entry["amount"], code)}
            for entry in doc["entries"]
        ],
        "held": held,
    }
