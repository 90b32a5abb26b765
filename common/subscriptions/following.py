"""A subscription's record brought to where Stripe says that it stands, whoever brings the news.

Stripe is asked after the record was read and before it is written, and nobody may write it in
between: so an older state never replaces a newer one, in whatever order events come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.context import Context
from common.ids import is_document_id
from common.store import collections
from common.store.store import Document, Replace
from common.stripe_gateway.calls import Json
from common.subscriptions import model


def follow(context: Context, subscription_id: str) -> Document | None:
    """Ask Stripe and record its answer.

    Returns:
        The record as it now is; None where the subscription is none of ours.
    """
    return context.until_settled(lambda: _once(context, subscription_id))


def _once(context: Context, subscription_id: str) -> Document | None:
    key = collections.subscription(subscription_id)
    was = context.read(key)[key]
    stripe = context.services.stripe.subscription(subscription_id)
    known = was.data or _begun(context, stripe)
    if known is None:
        return None
    after = {**model.following(known, stripe), "lastFailure": _failure(context, stripe)}
    if after != was.data:
        context.commit([Replace(was, after)])
    return after


def _begun(context: Context, stripe: Mapping[str, Any]) -> Document | None:
    """The record of a subscription that is heard of before its answer: what was agreed stands in
    the operation that asked for it."""
    operation_id = (stripe.get("metadata") or {}).get("operationId")
    if not isinstance(operation_id, str) or not is_document_id(operation_id):
        return None
    key = collections.operation(operation_id)
    found = context.services.store.read([key])[key].data
    if found is None or found["kind"] != "subscription":
        return None
    if found["plan"].get("subscriptionId") not in (None, stripe["id"]):
        return None  # a copy, made by hand
    return model.begun(found["plan"]["terms"], operation_id, stripe, context.now)


def _failure(context: Context, stripe: Json) -> Document | None:
    """Why the latest invoice is not paid, while it is not."""
    invoice = stripe.get("latest_invoice")
    if not isinstance(invoice, Mapping) or invoice["status"] != "open":
        return None
    intents = model.intents_of(invoice)
    if not intents or not invoice["attempted"]:
        return None
    return model.failure_of(context.services.stripe.payment_intent(intents[-1]))
