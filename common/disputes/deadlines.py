"""Deadlines for evidence: whoever watches the log is told while something can still be done.

Each level is told once, by the run whose commit sets it: ``dispute.evidence_due`` at warning three
days before the bank's deadline and at error one day before, ``dispute.evidence_overdue`` after it.
"""

from __future__ import annotations

from common import logs
from common.clock import rfc3339
from common.context import Context
from common.disputes import record
from common.store import collections
from common.store.store import Replace, Snapshot


def warn(context: Context, snapshot: Snapshot) -> bool:
    """Say that nothing was submitted for a dispute; whether it was said now."""
    return context.until_settled(lambda: _warn_once(context, snapshot.key.id))


def _warn_once(context: Context, dispute_id: str) -> bool:
    key = collections.dispute(dispute_id)
    was = context.read(key)[key]
    doc = was.require()
    at, due = record.watched(doc), doc["evidenceDueBy"]
    level = None if due is None else record.level_at(due, context.now)
    if at is None or level is None or context.now < at:
        return False
    context.commit([Replace(was, record.warned_of(doc, level))])
    log = logs.logger()
    say = log.warning if level == "close" else log.error
    say(
        "dispute.evidence_overdue" if level == "overdue" else "dispute.evidence_due",
        disputeId=dispute_id,
        bookingId=doc["bookingId"],
        providerId=doc["providerId"],
        status=doc["status"],
        dueBy=rfc3339(due),
        staged=record.evidence_of(doc)["stagedAt"] is not None,
    )
    return True
