"""What is made at Stripe once and then used again: customers, products, prices.

The operation that made an object is what remembers it: its id is built from what the object is for,
so that whoever needs the same finds it, or goes on with it.
Source: docs/decisions/0006-operations.md; https://docs.stripe.com/api/prices/create.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common.context import Context
from common.errors import StripeRefused
from common.ids import derived
from common.operations import runner
from common.operations.model import LEASE, Operation, State, replaced
from common.store.collections import Key
from common.store.store import Snapshot
from common.stripe_gateway.calls import Call
from common.subscriptions.model import INTERVALS, Terms

Documents = Mapping[Key, Snapshot]


def customer(context: Context, terms: Terms) -> str:
    """Stripe's customer for one of ours at one address; its id."""
    about = {"customerId": terms.customer_id}
    params = {"email": terms.customer_email}
    return _made(
        context, derived("customer", terms.customer_id, terms.customer_email), params, about
    )


def price(context: Context, terms: Terms) -> str:
    """Stripe's price of one period of a service, of the service's one product; its id."""
    about = {"serviceId": terms.service_id, "providerId": terms.provider_id}
    product = _made(context, derived("product", terms.service_id), {"name": terms.title}, about)
    total, code = terms.price.total, terms.price.currency
    params = {
        "product": product,
        "currency": code.lower(),
        "unit_amount": total,
        "recurring": {"interval": INTERVALS[terms.interval]},
    }
    same = derived("price", terms.service_id, str(total), code, terms.interval)
    return _made(context, same, params, about)


def _made(context: Context, id_: str, params: dict[str, Any], about: dict[str, str]) -> str:
    """The id of the object that this operation makes, or has made.

    Raises:
        StripeRefused: Stripe will not make it; the next request asks again.
    """
    operation, docs = context.until_settled(lambda: _begin(context, id_, params, about))
    if not operation.settled:
        operation, docs = runner.run(context, operation, docs)
    if operation.state is State.FAILED:
        raise StripeRefused(operation.note)
    return str(operation.plan["objectId"])


def _begin(
    context: Context, id_: str, params: dict[str, Any], about: dict[str, str]
) -> tuple[Operation, Documents]:
    wanted = _operation(context, id_, params, about)
    docs = context.read(wanted.key)
    was = docs[wanted.key]
    if was.data is None:
        return wanted, context.commit([wanted.create()])
    known = Operation.load(was)
    if known.state is not State.FAILED:
        return known, docs
    call = wanted.stages[0][0]
    # Stripe keeps its no under the old key.
    again = replace(call, idempotency_key=f"{id_}-{known.attempts + 1}")
    anew = replace(wanted, stages=((again,),), attempts=known.attempts)
    return anew, context.commit([replaced(was, anew)])


def _operation(
    context: Context, id_: str, params: dict[str, Any], about: dict[str, str]
) -> Operation:
    what = id_.partition("-")[0]
    metadata = {**about, "operationId": id_, "requestId": context.request_id}
    call = Call("object", f"{what}s.create", {**params, "metadata": metadata}, id_)
    return Operation(
        id=id_,
        kind="once",
        stages=((call,),),
        plan=about,
        created_at=context.now,
        lease_until=context.now + LEASE,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
    )
