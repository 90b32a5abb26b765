"""Finding what a call whose answer was lost has made: by the metadata it was asked to carry.

Stripe forgets an idempotency key after a day, and gives a stored 500 again and again. So before a
call is taken for not made, its object is looked for; every object we make names its operation.
Source: https://docs.stripe.com/error-low-level; docs/decisions/0006-operations.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from common.stripe_gateway.calls import Call, Json

if TYPE_CHECKING:
    from stripe import StripeClient

#: Clocks differ: objects this much older than the operation are looked at, too.
SLACK = timedelta(minutes=10)
MOST_OBJECTS = 2_000
_PAGE = 100

_List = Callable[["StripeClient", Call, Any, Any], Any]
_LISTS: Mapping[str, _List] = {
    "accounts.create": lambda c, _, p, o: c.v1.accounts.list(p, o),
    "payment_intents.create": lambda c, call, p, o: c.v1.payment_intents.list(
        _of_customer(call, p), o
    ),
    "setup_intents.create": lambda c, call, p, o: c.v1.setup_intents.list(_of_customer(call, p), o),
    "refunds.create": lambda c, call, _, o: c.v1.refunds.list(
        {"limit": _PAGE, "payment_intent": call.params["payment_intent"]}, o
    ),
    "transfers.create": lambda c, call, _, o: c.v1.transfers.list(
        {"limit": _PAGE, "transfer_group": call.params["transfer_group"]}, o
    ),
    "transfers.reverse": lambda c, call, _, o: c.v1.transfers.reversals.list(
        call.target or "", {"limit": _PAGE}, o
    ),
    "payouts.create": lambda c, _, p, o: c.v1.payouts.list(p, o),
    "customers.create": lambda c, _, p, o: c.v1.customers.list(p, o),
    "products.create": lambda c, _, p, o: c.v1.products.list(p, o),
    "prices.create": lambda c, _, p, o: c.v1.prices.list(p, o),
    "subscriptions.create": lambda c, call, _, o: c.v1.subscriptions.list(
        {"limit": _PAGE, "customer": call.params["customer"], "status": "all"}, o
    ),
}


def _of_customer(call: Call, params: Any) -> Any:
    """Fewer to look through, where the object belongs to a customer of Stripe's."""
    return {**params, "customer": call.params["customer"]} if "customer" in call.params else params


def can_find(call: Call) -> bool:
    """Whether what a call does can be looked for; the others may be made again."""
    return call.method in _LISTS or call.method in _DONE


def find(client: StripeClient, call: Call, since: datetime) -> Json | None:
    """The object that a call has made, or None.

    Args:
        since: When the call was first written down.
    """
    if call.method in _DONE:
        return _DONE[call.method](client, call)
    recent: dict[str, Any] = {"limit": _PAGE, "created": {"gte": int((since - SLACK).timestamp())}}
    options = {"stripe_account": call.account} if call.account else {}
    if call.method == "payouts.create":  # a payout's fee stands in its balance transaction
        recent["expand"] = ["data.balance_transaction"]
    if call.method == "payment_intents.create" and "expand" in call.params:  # one paid at once
        recent["expand"] = [f"data.{path}" for path in call.params["expand"]]
    listed = _LISTS[call.method](client, call, recent, options)
    return _match(call, (item.to_dict() for item in listed.auto_paging_iter()))


def _captured(client: StripeClient, call: Call) -> Json | None:
    """The payment intent, if it was captured: that happens once, whoever asked for it."""
    params: Any = dict(call.params)
    intent = client.v1.payment_intents.retrieve(call.target or "", params).to_dict()
    return intent if intent["status"] == "succeeded" else None


def _changed(client: StripeClient, call: Call) -> Json | None:
    """The subscription, if it is as it was to become."""
    subscription = client.v1.subscriptions.retrieve(call.target or "").to_dict()
    done = all(_is(subscription[name], value) for name, value in call.params.items())
    return subscription if done else None


def _is(has: Any, wanted: Any) -> bool:
    """Whether a field has become what was asked for; Stripe empties it for an empty text."""
    if isinstance(wanted, Mapping):
        return isinstance(has, Mapping) and wanted.items() <= has.items()
    return bool(has is None if wanted == "" else has == wanted)


def _cancelled(client: StripeClient, call: Call) -> Json | None:
    """The subscription, if it has ended."""
    subscription = client.v1.subscriptions.retrieve(call.target or "").to_dict()
    return subscription if subscription["status"] == "canceled" else None


def _let_go(client: StripeClient, call: Call) -> Json | None:
    """The setup intent, if it is cancelled."""
    setup = client.v1.setup_intents.retrieve(call.target or "").to_dict()
    return setup if setup["status"] == "canceled" else None


def _detached(client: StripeClient, call: Call) -> Json | None:
    """The payment method, if it is no customer's."""
    method = client.v1.payment_methods.retrieve(call.target or "").to_dict()
    return method if method["customer"] is None else None


#: What changes an object, and shows on it: how to see that it has happened.
def _answered(client: StripeClient, call: Call) -> Json | None:
    """The dispute, if this operation was the last that changed it."""
    return _match(call, [client.v1.disputes.retrieve(call.target or "").to_dict()])


_DONE: Mapping[str, Callable[[StripeClient, Call], Json | None]] = {
    "payment_intents.capture": _captured,
    "setup_intents.cancel": _let_go,
    "payment_methods.detach": _detached,
    "subscriptions.update": _changed,
    "subscriptions.cancel": _cancelled,
    "disputes.update": _answered,
}


def _match(call: Call, objects: Iterable[Json]) -> Json | None:
    wanted = call.params["metadata"]["operationId"]
    for one in islice(objects, MOST_OBJECTS):
        if (one.get("metadata") or {}).get("operationId") == wanted:
            return one
    return None
