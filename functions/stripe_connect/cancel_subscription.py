"""CANCEL_SUBSCRIPTION: with the period that is paid, or at once.

Nothing is refunded by it: a period's refund is PROCESS_REFUND's.
Source: contract, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from common.clock import rfc3339
from common.context import Answer, Context
from common.errors import StripeRefused
from common.http.command import Command, Id
from common.ids import derived, fresh
from common.operations import runner
from common.operations.model import Operation, Result, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Document, Snapshot
from common.subscriptions import following, model
from common.subscriptions.access import subscription_for
from common.subscriptions.subscribing import cancel_operation

Documents = Mapping[Key, Snapshot]


class Request(Command):
    """Which subscription, and when."""

    subscription_id: Id
    at_period_end: bool = True


def handle(command: Request, context: Context) -> Answer:
    """The subscription, cancelled or about to be; cancelling twice is cancelling once."""
    context.notes["subscriptionId"] = command.subscription_id
    operation_id = _operation_id(context)
    begun = context.until_settled(lambda: _begin(command, context, operation_id))
    if isinstance(begun, dict):
        return begun
    operation, docs = begun
    key = collections.subscription(command.subscription_id)
    given: Answer = {}

    def answer(after: Documents, _: Mapping[str, Result]) -> Answer:
        given.update(_answer(command.subscription_id, after[key].require()))
        return given

    if not operation.settled:
        operation, _ = runner.run(context, operation, docs, answer)
    if given:
        return given
    doc = following.follow(context, command.subscription_id) or {}
    if operation.state is State.FAILED and not _is_done(command, doc):
        raise StripeRefused(operation.note)
    return _answer(command.subscription_id, doc)


def _operation_id(context: Context) -> str:
    if context.record is None:
        return fresh("unsubscribe")
    return derived("unsubscribe", context.caller.uid, context.record.text)


def _begin(
    command: Request, context: Context, operation_id: str
) -> Answer | tuple[Operation, Documents]:
    """The intent written down, or the answer where nothing is left to do."""
    key = collections.subscription(command.subscription_id)
    begun = collections.operation(operation_id)
    docs: Documents = context.read(key, begun)
    doc = subscription_for(context, docs[key])
    if docs[begun].data is not None:
        return Operation.load(docs[begun]), docs
    if _is_done(command, doc):
        answer = _answer(command.subscription_id, doc)
        context.finish([], answer)
        return answer
    # What was never paid has no period to end with.
    unpaid = doc["status"] == model.Status.INCOMPLETE
    operation = cancel_operation(
        context,
        operation_id,
        command.subscription_id,
        at_period_end=command.at_period_end and not unpaid,
    )
    return operation, {**docs, **context.commit([operation.create()])}


def _is_done(command: Request, doc: Document) -> bool:
    over = model.is_over(doc)
    return over or (command.at_period_end and bool(doc["cancelAtPeriodEnd"]))


def _answer(subscription_id: str, doc: Document) -> Answer:
    ends = doc["endsAt"]
    return {
        "subscriptionId": subscription_id,
        "status": doc["status"],
        "endsAt": None if ends is None else rfc3339(ends),
        "subscription": model.as_json(subscription_id, doc),
    }
