"""RECONCILE: the ledger against itself, against the bookings, and against Stripe.

Source: contract, sections 3 and 4; invariants I1, I9, I14.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from common import logs
from common.context import Answer, Context
from common.http.command import Command, Instant
from common.ledger import accounts
from common.money import to_major
from common.reconciliation import checks
from common.store.store import Filter, Snapshot
from common.webhooks import missed

_PAGE = 500


class Request(Command):
    """Which time's transactions are looked at one by one; balances are always over all."""

    from_: Instant | None = Field(default=None, alias="from")
    to: Instant | None = None


def handle(command: Request, context: Context) -> Answer:
    """Balances per currency, and every mismatch with the objects on either side.

    Events that were missed have their effect first: that is what it repairs by itself.
    """
    repaired, _ = missed.replay(context)
    ledger: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    held: dict[str, int] = defaultdict(int)
    mismatches: list[Answer] = []
    count = 0
    for snapshot in _all(context, "transactions"):
        count += 1
        doc = snapshot.require()
        for entry in doc["entries"]:
            ledger[doc["currency"]][entry["account"]] += entry["amount"]
            if entry["account"] == accounts.HELD and doc.get("bookingId"):
                held[doc["bookingId"]] -= entry["amount"]
        if _within(command, doc["createdAt"]):
            mismatches += checks.transaction(snapshot.key.id, doc)
    totals: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for snapshot in _all(context, "bookings"):
        mismatches += checks.booking(snapshot, held.get(snapshot.key.id, 0), totals)
    mismatches += checks.earnings(totals, _documents(context, "earnings"))
    stripe = _stripe_balances(context)
    mismatches += _connected(context, ledger)
    by_currency = {
        code: _balances(code, ledger.get(code, {}), stripe.get(code, 0))
        for code in sorted({*ledger, *(code for code, amount in stripe.items() if amount)})
    }
    mismatches += [
        {"kind": "stripe_balance", "currency": code, "difference": one["difference"]}
        for code, one in by_currency.items()
        if one["difference"]
    ]
    if mismatches:
        logs.logger().error("reconcile.mismatch", count=len(mismatches))
    return {
        "balanced": not mismatches,
        "transactions": count,
        "byCurrency": by_currency,
        "mismatches": mismatches,
        "repaired": repaired,
    }


def _within(command: Request, created_at: datetime) -> bool:
    after = command.from_ is None or created_at >= command.from_
    return after and (command.to is None or created_at < command.to)


def _all(context: Context, collection: str) -> Iterator[Snapshot]:
    after: list[Any] | None = None
    while True:
        page = context.services.store.query(
            collection, list[Filter](), order=(("__name__", "ASCENDING"),), limit=_PAGE, after=after
        )
        yield from page
        if len(page) < _PAGE:
            return
        after = [page[-1].key.id]


def _documents(context: Context, collection: str) -> list[Mapping[str, Any]]:
    return [snapshot.require() for snapshot in _all(context, collection)]


def _stripe_balances(context: Context) -> dict[str, int]:
    """The platform's balance at Stripe, pending and available together, minor units."""
    return _sums(context.services.stripe.balance())


def _sums(balance: Mapping[str, Any]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for part in ("available", "pending"):
        for one in balance[part]:
            sums[one["currency"].upper()] += one["amount"]
    return sums


def _balances(code: str, ledger: Mapping[str, int], stripe: int) -> Answer:
    ours = ledger.get(accounts.STRIPE, 0)
    return {
        "ledgerStripeBalance": to_major(ours, code),
        "stripeBalance": to_major(stripe, code),
        "difference": to_major(ours - stripe, code),
        "entriesSum": to_major(sum(ledger.values()), code),
        "held": to_major(-ledger.get(accounts.HELD, 0), code),
        "commission": to_major(-ledger.get(accounts.COMMISSION, 0), code),
        "stripeFees": to_major(ledger.get(accounts.STRIPE_FEES, 0), code),
    }


def _connected(context: Context, ledger: Mapping[str, Mapping[str, int]]) -> list[Answer]:
    """Each connected account's balance against the ledger's."""
    found: list[Answer] = []
    for snapshot in _all(context, "accounts"):
        provider_id = str(snapshot.require()["providerId"])
        stripe = _sums(context.services.stripe.balance(snapshot.key.id))
        for code in {*stripe, *ledger}:
            ours = ledger.get(code, {}).get(accounts.connected(provider_id), 0)
            if ours != stripe.get(code, 0):
                found.append(
                    {
                        "kind": "connected_balance",
                        "providerId": provider_id,
                        "accountId": snapshot.key.id,
                        "currency": code,
                        "ledger": to_major(ours, code),
                        "stripe": to_major(stripe.get(code, 0), code),
                    }
                )
    return found
