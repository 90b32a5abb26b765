"""The operations that begin a subscription at Stripe, and that end one.

Source: contract, section 3 (CREATE_SUBSCRIPTION, CANCEL_SUBSCRIPTION);
https://docs.stripe.com/billing/subscriptions/build-subscriptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.context import Context
from common.operations.model import LEASE, Operation, Results, Settled, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Replace, Snapshot, Write
from common.stripe_gateway.calls import Call
from common.subscriptions import model
from common.subscriptions.model import Terms

Documents = Mapping[Key, Snapshot]


def subscribe_operation(
    context: Context, id_: str, terms: Terms, customer: str, price: str
) -> Operation:
    """The intent to ask Stripe for a subscription that begins when its first invoice is paid.

    The card that pays the first invoice pays those that follow.
    """
    params: dict[str, Any] = {
        "customer": customer,
        "items": [{"price": price}],
        "payment_behavior": "default_incomplete",
        "payment_settings": {"save_default_payment_method": "on_subscription"},
        "description": terms.title[:500],
        "metadata": {
            "customerId": terms.customer_id,
            "providerId": terms.provider_id,
            "serviceId": terms.service_id,
            "operationId": id_,
            "requestId": context.request_id,
        },
        "expand": ["latest_invoice.confirmation_secret", "pending_setup_intent"],
    }
    if terms.trial_days:
        params["trial_period_days"] = terms.trial_days
    call = Call("subscription", "subscriptions.create", params, id_)
    return _operation(context, id_, "subscription", call, {"terms": terms.as_document()})


def cancel_operation(
    context: Context, id_: str, subscription_id: str, *, at_period_end: bool
) -> Operation:
    """The intent to end a subscription, at once or with the period that is paid."""
    if at_period_end:
        call = Call(
            "change",
            "subscriptions.update",
            {"cancel_at_period_end": True},
            id_,
            target=subscription_id,
        )
    else:
        call = Call("change", "subscriptions.cancel", {}, id_, target=subscription_id)
    plan = {"subscriptionId": subscription_id}
    return _operation(context, id_, "subscription_change", call, plan)


def pause_operation(context: Context, id_: str, subscription_id: str, *, paused: bool) -> Operation:
    """The intent to collect nothing for the periods to come, or to collect again."""
    params = {"pause_collection": {"behavior": "void"} if paused else ""}
    call = Call("change", "subscriptions.update", params, id_, target=subscription_id)
    return _operation(
        context, id_, "subscription_change", call, {"subscriptionId": subscription_id}
    )


def _operation(
    context: Context, id_: str, kind: str, call: Call, plan: Mapping[str, Any]
) -> Operation:
    return Operation(
        id=id_,
        kind=kind,
        stages=((call,),),
        plan=plan,
        created_at=context.now,
        lease_until=context.now + LEASE,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
    )


def needs(operation: Operation) -> tuple[Key, ...]:
    """Only the operation: the subscription's id is Stripe's to give."""
    return (operation.key,)


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the subscription's record, which an event may have written first."""
    made = results["subscription"].ok
    return (operation.key, *((collections.subscription(made["id"]),) if made else ()))


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Record the subscription; what an event has said of it meanwhile stays."""
    result = results["subscription"]
    if result.ok is None:
        return Settled(operation.became(State.FAILED, note=_why(result)), [])
    key = collections.subscription(result.ok["id"])
    seen = docs.get(key)
    writes: list[Write] = []
    if seen is None or seen.data is None:
        terms = operation.plan["terms"]
        writes = [Create(key, model.begun(terms, operation.id, result.ok, now))]
    plan = {**operation.plan, "subscriptionId": result.ok["id"]}
    return Settled(operation.became(State.DONE, plan=plan), writes)


def change_needs(operation: Operation) -> tuple[Key, ...]:
    """The operation and its subscription's record."""
    return operation.key, collections.subscription(operation.plan["subscriptionId"])


def change_keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """The same."""
    return change_needs(operation)


def change_settle(
    operation: Operation, results: Results, docs: Documents, now: datetime
) -> Settled:
    """Record where the change has left the subscription; what has ended since stays so."""
    result = results["change"]
    if result.ok is None:
        return Settled(operation.became(State.FAILED, note=_why(result)), [])
    was = docs[collections.subscription(operation.plan["subscriptionId"])]
    known = was.require()
    writes = [] if model.is_over(known) else [Replace(was, model.following(known, result.ok))]
    return Settled(operation.became(State.DONE), writes)


def _why(result: Any) -> str:
    return str(result.refused_code or result.refused_message or "refused")
