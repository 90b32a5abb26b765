"""SUBMIT_DISPUTE_EVIDENCE: stage the answer to a card dispute at Stripe, or submit it for good.

What the platform knows of the booking is sent by itself; the provider adds to it or says it better.
One sending at a time; what was submitted is final.
Source: contract, section 3; docs/disputes.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.context import Answer, Context
from common.disputes import evidence, record
from common.disputes.evidence_operation import Sending, begun, evidence_operation
from common.errors import Conflict, InvalidFields, StripeRefused, WrongState
from common.http.command import Command, Id
from common.ids import derived, fresh
from common.operations import runner
from common.operations.model import Operation, Result, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Replace, Snapshot
from common.stripe_gateway.calls import Json
from functions.refund_processor import card_disputes
from functions.refund_processor.evidence_fields import Given


class Request(Command):
    """Which dispute, what the provider says, and whether that is their last word."""

    dispute_id: Id
    evidence: Given = Given()
    submit: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """The sending's documents; no operation where the same was submitted before."""

    operation: Operation | None
    docs: Mapping[Key, Snapshot]


def handle(command: Request, context: Context) -> Answer:
    """The dispute with what was staged or submitted.

    Raises:
        WrongState: 409, the bank takes no answer (any more), or another one was submitted.
        Conflict: 409 ``evidence_in_progress``: another request is sending.
        InvalidFields: a field that does not fit this dispute, or a file that Stripe does not have.
    """
    context.notes["disputeId"] = command.dispute_id
    operation_id = _operation_id(command, context)
    key = collections.dispute(command.dispute_id)
    _finish_abandoned(key, context)
    found = context.until_settled(lambda: _begin(command, context, operation_id))
    operation = found.operation
    if operation is None:
        return _answer(found.docs, key)
    if operation.state is State.FAILED:
        raise _refusal(operation, context)
    if operation.settled:
        return _answer(found.docs, key)
    given: Answer = {}

    def answer(after: Mapping[Key, Snapshot], _: Mapping[str, Result]) -> Answer:
        given.update(_answer(after, key))
        return given

    done, after = runner.run(context, operation, found.docs, answer)
    if done.state is State.FAILED:
        raise _refusal(done, context)
    return given or _answer(after, key)


def _operation_id(command: Request, context: Context) -> str:
    """Fixed before the first try; a request that comes again with its key names the same."""
    if context.record is None:
        return fresh("evidence")
    return derived("evidence", context.caller.uid, context.record.text)


def _finish_abandoned(key: Key, context: Context) -> None:
    """Finish what a process that is gone was sending."""
    doc = card_disputes.card_dispute_in(context.read(key)[key], context)
    sending = record.evidence_of(doc)["operationId"]
    if sending is not None:
        runner.resume_abandoned(context, sending)


def _begin(command: Request, context: Context, operation_id: str) -> Begun:
    """Decide on our record and on Stripe's word, read after it, and write the intent down."""
    key, own = collections.dispute(command.dispute_id), collections.operation(operation_id)
    docs = context.read(key, own)
    doc = card_disputes.card_dispute_in(docs[key], context)
    context.notes["bookingId"] = doc["bookingId"]
    if docs[own].data is not None:
        return Begun(Operation.load(docs[own]), docs)
    added = command.evidence.as_stripe()
    said = command.evidence.model_dump_json(exclude_unset=True)
    asked = derived("asked", str(command.submit), said)
    sending = record.evidence_of(doc)["operationId"]
    if sending is not None:
        return _join(context, docs, sending, asked)
    dispute = context.services.stripe.dispute(command.dispute_id)
    if not record.awaits(dispute["status"]) and record.evidence_of(doc)["submitted"] == asked:
        return Begun(None, docs)
    _require_open(dispute)
    plan = _plan(command, context, doc, dispute, added, asked)
    operation = evidence_operation(
        operation_id,
        command.dispute_id,
        plan,
        now=context.now,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
    )
    now = context.commit([Replace(docs[key], begun(doc, operation_id)), operation.create()])
    return Begun(operation, {**docs, **now})


def _join(context: Context, docs: Mapping[Key, Snapshot], sending: str, asked: str) -> Begun:
    """Somebody is sending: the same content is the same sending, another one has to wait."""
    key = collections.operation(sending)
    found = context.read(key)
    operation = Operation.load(found[key])
    if operation.plan["asked"] != asked:
        raise InProgress
    return Begun(operation, {**docs, **found})


def _require_open(dispute: Json) -> None:
    status, details = str(dispute["status"]), dispute.get("evidence_details") or {}
    if details.get("past_due"):
        raise WrongState("The bank's deadline for evidence has passed", status)
    if not record.awaits(status):
        raise WrongState(
            "Evidence can no longer be changed: it was submitted, or the bank has decided", status
        )


def _plan(
    command: Request,
    context: Context,
    doc: Mapping[str, Any],
    dispute: Json,
    added: Mapping[str, str | None],
    asked: str,
) -> Sending:
    seen, before = doc["updatedAt"], record.evidence_of(doc)["fields"]
    if record.is_appeal(dispute["status"]):
        appeal = command.evidence.appeal_as_stripe()
        return Sending({"appeal": appeal}, before, asked, command.submit, seen)
    command.evidence.refuse_appeal()
    drafted = card_disputes.draft_for(doc, context)
    sent = evidence.combined(drafted, added, before)
    there = dispute.get("evidence") or {}
    kept = {name: text for name, text in there.items() if isinstance(text, str)}
    if evidence.length({**kept, **sent}) > evidence.LONGEST_TOTAL:
        problem = f"is more than {evidence.LONGEST_TOTAL:,} characters with all that is staged"
        raise InvalidFields([("evidence", problem)])
    return Sending(sent, evidence.theirs(added, before), asked, command.submit, seen)


def _refusal(operation: Operation, context: Context) -> Exception:
    """Stripe's no as the caller can act on it."""
    if field := operation.plan.get("field"):
        problem = "is not what Stripe takes; a file must be uploaded as dispute evidence first"
        return InvalidFields([(f"evidence.{field}", problem)])
    dispute = context.services.stripe.dispute(operation.plan["disputeId"])
    try:
        _require_open(dispute)
    except WrongState as closed:
        return closed
    return StripeRefused(operation.note)


def _answer(docs: Mapping[Key, Snapshot], key: Key) -> Answer:
    doc = docs[key].require()
    sent = record.evidence_of(doc)
    return {
        **record.as_json(key.id, doc),
        "submitted": sent["submittedAt"] is not None,
        "providerFields": list(sent["fields"]),
    }


class InProgress(Conflict):
    """409: other evidence for this dispute is being sent."""

    type = "evidence_in_progress"
    retry_after = 2
    final = False

    def __init__(self) -> None:
        super().__init__(
            "Other evidence for this dispute is being sent; read the dispute and send yours again"
        )
