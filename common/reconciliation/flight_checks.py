"""What should long be over: operations, payouts' transfers, events that broke. Pure.

Source: invariants I10, I15.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from common.reconciliation.evidence import Evidence, Mismatch

#: An operation that is open for longer is stuck: the maintenance run comes every few minutes.
PATIENCE = timedelta(minutes=15)


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Operations and events that were left."""
    for id_, doc in evidence.documents("operations"):
        if doc["state"] == "OPEN" and doc["createdAt"] < evidence.now - PATIENCE:
            yield Mismatch("operation.stuck", "I15", f"a {doc['kind']} is still open", (id_,))
    for id_, doc in evidence.documents("webhook_events"):
        if doc["outcome"] == "failed":
            yield Mismatch(
                "event.failed", "I10", f"{doc['type']} broke: {doc.get('error')}", (id_,)
            )


def in_flight(evidence: Evidence) -> list[str]:
    """Operations under way: until they are over, the two sides may differ."""
    return [id_ for id_, doc in evidence.documents("operations") if doc["state"] == "OPEN"]
