"""What a failing seed has to tell of the objects that its violations name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from tests.simulation.evidence import Evidence

_ID = re.compile(r"(?:booking|payout|refund)-[a-z0-9-]+|period-pi_\w+|sub_\w+")


def story(seen: Evidence, problems: Sequence[str]) -> Iterator[str]:
    """Documents, ledger transactions and Stripe's objects of all that the problems name."""
    named = sorted({id_ for problem in problems for id_ in _ID.findall(problem)})
    for id_ in named:
        for collection in (
            "bookings", "subscriptions", "refunds", "payouts", "transactions", "operations",
        ):  # fmt: skip
            for key, doc in sorted(seen.all(collection).items()):
                about = (doc.get("bookingId"), doc.get("payoutId"), doc.get("subscriptionId"))
                if key == id_ or id_ in about:
                    yield f"{collection}/{key} {_short(doc)}"
        for kind, things in seen.stripe.get("objects", {}).items():
            for thing in things:
                about = thing.get("metadata") or {}
                if kind != "event" and id_ in about.values():
                    yield f"stripe {kind} {_short(thing)}"


def _short(thing: dict[str, Any]) -> str:
    shown = {name: value for name, value in thing.items() if value not in (None, {}, [])}
    return json.dumps(shown, default=str)[:1500]
