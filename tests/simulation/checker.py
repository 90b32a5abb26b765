"""The independent checker: the invariants of the books, over our documents and Stripe's dump.

It shares no code with what it checks. Every finding begins with its invariant's number and names
the object. ``always`` holds at every committed instant, ``at_rest`` once nothing is in flight.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tests.simulation import (
    check_audit,
    check_bookings,
    check_books,
    check_ledger,
    check_payouts,
    check_places,
    check_reports,
    check_stripe,
    check_subscriptions,
    check_times,
)
from tests.simulation.evidence import Evidence

#: What of a booking's money never changes after its creation.
_AGREED = ("total", "fee", "provider", "rateBps", "currency")


def always(seen: Evidence, earlier: Mapping[str, Any]) -> list[str]:
    """Findings that may not exist at any committed instant.

    Args:
        earlier: What ``remembered`` gave of an earlier look at the same documents.
    """
    return [
        *check_ledger.transactions(seen),
        *check_ledger.debts(seen),
        *check_bookings.amounts(seen),
        *check_bookings.refunds(seen),
        *check_bookings.histories(seen),
        *check_places.capacity(seen),
        *check_places.claims(seen),
        *check_subscriptions.single(seen),
        *check_payouts.lines(seen),
        *check_payouts.totals(seen),
        *check_reports.totals(seen),
        *check_audit.authors(seen),
        *_unchanged(seen, earlier),
    ]


def at_rest(seen: Evidence) -> list[str]:
    """Findings that may not exist once everything has been healed."""
    return [
        *check_ledger.balances(seen),
        *check_ledger.of_bookings(seen),
        *check_bookings.settled(seen),
        *check_bookings.contested(seen),
        *check_payouts.arrived(seen),
        *check_subscriptions.records(seen),
        *check_subscriptions.periods(seen),
        *check_stripe.objects(seen),
        *check_stripe.events(seen),
        *check_stripe.transfers(seen),
        *check_stripe.disputes(seen),
        *check_times.transfers(seen),
        *check_books.rebuilt(seen),
        *check_stripe.in_flight(seen),
        *check_stripe.secrets(seen),
    ]


def remembered(seen: Evidence) -> dict[str, str]:
    """Fingerprints of what must never change: ledger transactions, audit rows, what was agreed."""
    return {name: _fingerprint(value) for name, value in _lasting(seen).items()}


def _lasting(seen: Evidence) -> dict[str, Any]:
    agreed = {
        f"I4 booking {id_}: what was agreed": [
            *(doc["money"][name] for name in _AGREED), doc["policy"], doc["customerId"],
        ]
        for id_, doc in seen.all("bookings").items()
    }  # fmt: skip
    posted = {f"I2 transaction {id_}": doc for id_, doc in seen.all("transactions").items()}
    told = {f"I19 row {id_}": doc for id_, doc in seen.all("auditLog").items()}
    return {**agreed, **posted, **told}


def _fingerprint(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _unchanged(seen: Evidence, earlier: Mapping[str, Any]) -> list[str]:
    now = remembered(seen)
    gone = [f"{name} is gone" for name in earlier if name not in now]
    changed = [f"{name} changed" for name in earlier if name in now and now[name] != earlier[name]]
    return gone + changed
