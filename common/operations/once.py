"""What is made at Stripe once and then used again: customers, products, prices.

The operation that made an object is what remembers it: its id is built from what the object is for,
so that whoever needs the same finds it, or goes on with it.
Source: docs/decisions/0006-operations.md; https://docs.stripe.com/api/customers/create.
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

Documents = Mapping[Key, Snapshot]


def customer(context: Context, customer_id: str, email: str) -> str:
    """Stripe's customer for one of ours at one address; its id."""
    about = {"customerId": customer_id}
    return made(context, derived("customer", customer_id, email), {"email": email}, about)


def made(context: Context, id_: str, params: dict[str, Any], about: dict[str, str]) -> str:
    """The id of the object that this operation makes, or has made.

    Args:
        id_: The operation's, ``derived`` of what the object is and what it is for.
        about: Ids of ours, for the object's metadata.

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
