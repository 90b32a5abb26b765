"""The operation that stages or submits evidence at Stripe. Pure.

Submitting is final, and Stripe takes it once: the dispute's metadata name the operation, so that
one whose answer was lost is found and not sent again.
Source: contract, section 3 (SUBMIT_DISPUTE_EVIDENCE); https://docs.stripe.com/api/disputes/update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.disputes import record
from common.operations.model import LEASE, Operation, Results, Settled, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Replace, Snapshot
from common.stripe_gateway.calls import Call

#: Why Stripe's no is no fault of ours: the file is not there, or the dispute is closed by now.
_FIELD = "evidence["


@dataclass(frozen=True, slots=True)
class Sending:
    """What is to be sent.

    Attributes:
        evidence: Stripe's parameter.
        theirs: Fields that are the provider's afterwards.
        asked: Names the request's content: the same content asks for the same thing.
        submit: Whether it is final.
        seen: The record's ``updatedAt`` when this was decided.
    """

    evidence: Mapping[str, Any]
    theirs: Sequence[str]
    asked: str
    submit: bool
    seen: datetime


def evidence_operation(
    operation_id: str,
    dispute_id: str,
    sending: Sending,
    *,
    now: datetime,
    actor: str,
    action: str,
    request_id: str,
) -> Operation:
    """The intent to send evidence, in one call under the operation's own key."""
    params = {
        "evidence": dict(sending.evidence),
        "submit": sending.submit,
        "metadata": {"operationId": operation_id},
    }
    call = Call("evidence", "disputes.update", params, operation_id, target=dispute_id)
    return Operation(
        id=operation_id,
        kind="evidence",
        stages=((call,),),
        plan={
            "disputeId": dispute_id,
            "theirs": list(sending.theirs),
            "asked": sending.asked,
            "submit": sending.submit,
            "seen": sending.seen,
        },
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action=action,
        request_id=request_id,
    )


def begun(doc: Mapping[str, Any], operation_id: str) -> dict[str, Any]:
    """The record with the operation that sends: another one waits until it is done."""
    return {**doc, "evidence": {**record.evidence_of(doc), "operationId": operation_id}}


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation and the dispute's record."""
    return operation.key, collections.dispute(operation.plan["disputeId"])


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """The same: evidence moves no money."""
    return needs(operation)


def settle(
    operation: Operation, results: Results, docs: Mapping[Key, Snapshot], now: datetime
) -> Settled:
    """Record what was sent, or Stripe's no. The operation forgets the texts: Stripe has them."""
    was = docs[collections.dispute(operation.plan["disputeId"])]
    doc, result = was.require(), results["evidence"]
    evidence = {**record.evidence_of(doc), "operationId": None}
    if result.ok is None:
        plan = {**operation.plan, "field": refused_field(result.refused_body)}
        failed = operation.became(
            State.FAILED, note=result.refused_code or "refused", plan=plan, stages=()
        )
        return Settled(failed, [Replace(was, {**doc, "evidence": evidence})])
    evidence["fields"] = list(operation.plan["theirs"])
    if operation.plan["submit"]:
        evidence |= {"submittedAt": now, "submitted": operation.plan["asked"]}
    else:
        evidence["stagedAt"] = now
    after = {**doc, "evidence": evidence}
    if doc["updatedAt"] == operation.plan["seen"]:  # else an event has told of what came after
        after["status"] = result.ok["status"]
    after["warnAt"] = record.watched(after)
    return Settled(operation.became(State.DONE, stages=()), [Replace(was, after)])


def refused_field(body: Mapping[str, Any]) -> str | None:
    """The field of the evidence that Stripe refused, such as a file that is not there."""
    param = str(body.get("param") or "")
    if not param.startswith(_FIELD):
        return None
    return param.removeprefix("evidence").replace("][", ".").strip("[]")
