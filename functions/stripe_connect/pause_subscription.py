"""PAUSE_SUBSCRIPTION and RESUME_SUBSCRIPTION: while it is paused, its invoices are void.

Source: https://docs.stripe.com/billing/subscriptions/pause-payment.
"""

from __future__ import annotations

from collections.abc import Mapping

from common.context import Answer, Context
from common.errors import StripeRefused, WrongState
from common.http.command import Command, Id
from common.ids import derived, fresh
from common.operations import runner
from common.operations.model import Operation, Result, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Document, Snapshot
from common.subscriptions import following, model
from common.subscriptions.access import subscription_for
from common.subscriptions.model import Status
from common.subscriptions.subscribing import pause_operation

Documents = Mapping[Key, Snapshot]


class Request(Command):
    """Which subscription."""

    subscription_id: Id


def pause(command: Request, context: Context) -> Answer:
    """Nothing is collected until it is resumed; pausing twice is pausing once."""
    return _change(command, context, paused=True)


def resume(command: Request, context: Context) -> Answer:
    """Collect again from the next period on."""
    return _change(command, context, paused=False)


def _change(command: Request, context: Context, *, paused: bool) -> Answer:
    id_ = command.subscription_id
    context.notes["subscriptionId"] = id_
    key, operation_id = collections.subscription(id_), _operation_id(context)
    begun = context.until_settled(lambda: _begin(id_, context, operation_id, paused=paused))
    if isinstance(begun, dict):
        return begun
    operation, docs = begun
    given: Answer = {}

    def answer(after: Documents, _: Mapping[str, Result]) -> Answer:
        given.update(_answer(id_, after[key].require()))
        return given

    if not operation.settled:
        operation, _ = runner.run(context, operation, docs, answer)
    if operation.state is State.FAILED:
        raise StripeRefused(operation.note)
    return given or _answer(id_, following.follow(context, id_) or {})


def _operation_id(context: Context) -> str:
    if context.record is None:
        return fresh("pause")
    return derived("pause", context.caller.uid, context.action, context.record.text)


def _begin(
    id_: str, context: Context, operation_id: str, *, paused: bool
) -> Answer | tuple[Operation, Documents]:
    """The intent written down, or the answer where nothing is left to do."""
    key, begun = collections.subscription(id_), collections.operation(operation_id)
    docs: Documents = context.read(key, begun)
    doc = subscription_for(context, docs[key])
    if docs[begun].data is not None:
        return Operation.load(docs[begun]), docs
    if (doc["status"] == Status.PAUSED) is paused and not model.is_over(doc):
        answer = _answer(id_, doc)
        context.finish([], answer)
        return answer
    if model.is_over(doc) or doc["status"] == Status.INCOMPLETE:
        raise WrongState("Only a subscription that runs can be paused or resumed", doc["status"])
    operation = pause_operation(context, operation_id, id_, paused=paused)
    return operation, {**docs, **context.commit([operation.create()])}


def _answer(id_: str, doc: Document) -> Answer:
    shown = model.as_json(id_, doc)
    return {"subscriptionId": id_, "status": doc["status"], "subscription": shown}
