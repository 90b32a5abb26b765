"""RECONCILE: the ledger against itself, against the bookings, and against Stripe.

Source: contract, sections 3 and 4; docs/reconciliation.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from common import logs
from common.context import Answer, Context
from common.http.command import Command, Instant
from common.ledger import accounts
from common.money import to_major
from common.reconciliation.evidence import Evidence
from common.reconciliation.flight_checks import in_flight
from common.reconciliation.gathering import gather
from common.reconciliation.program import judge
from common.reconciliation.repair import repair
from common.webhooks import missed


class Request(Command):
    """Which time's ledger transactions are counted; what is checked is always everything."""

    from_: Instant | None = Field(default=None, alias="from")
    to: Instant | None = None


def handle(command: Request, context: Context) -> Answer:
    """Balances per currency, and every mismatch with the objects on either side.

    Events that were missed have their effect first, and payouts are brought to the status that
    Stripe says: that is what it repairs by itself. All else it only names, since a figure that is
    wrong has a cause that a person must see.
    """
    repaired, _ = missed.replay(context)
    evidence = gather(context.services)
    mismatches = judge(evidence)
    if mended := repair(context, mismatches, evidence):
        repaired += mended
        evidence = gather(context.services)
        mismatches = judge(evidence)
    ledger = evidence.balances()
    stripe = evidence.stripe.balances["platform"]
    codes = sorted({*ledger, *(code for code, amount in stripe.items() if amount)})
    by_currency = {code: _balances(code, ledger[code], stripe.get(code, 0)) for code in codes}
    if mismatches:
        kinds = sorted({mismatch.kind for mismatch in mismatches})
        logs.logger().error("reconcile.mismatch", count=len(mismatches), kinds=kinds)
    return {
        "balanced": not mismatches,
        "transactions": _counted(command, evidence),
        "byCurrency": by_currency,
        "mismatches": [mismatch.as_json() for mismatch in mismatches],
        "repaired": repaired,
        "inFlight": in_flight(evidence),
    }


def _counted(command: Request, evidence: Evidence) -> int:
    return sum(
        (command.from_ is None or doc["createdAt"] >= command.from_)
        and (command.to is None or doc["createdAt"] < command.to)
        for _, doc in evidence.documents("transactions")
    )


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
