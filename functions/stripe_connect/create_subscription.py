"""CREATE_SUBSCRIPTION: subscribe to a service that is billed by period.

Customer, product and price are made at Stripe once; the subscription is an operation of its own,
one live one for a customer and a service. A repeat is answered with that one.
Source: contract, section 3; docs/subscriptions.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from common.accounts.model import provider_rate, takes_bookings
from common.bookings.pricing import PriceOutOfRange, quote, resolve_rate_bps, split
from common.bookings.view import pricing_as_json
from common.context import Answer, Context
from common.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidFields,
    Missing,
    NotSetUp,
    StripeRefused,
)
from common.http.command import Command, Email, Id
from common.money import Money
from common.operations import once, runner
from common.operations.model import Operation, Result, State
from common.services.directory import ServiceUnusable, parsed, require_settled
from common.services.model import Service, ServiceMisconfigured
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Document, Replace, Snapshot
from common.stripe_gateway.calls import Json
from common.subscriptions import following, model
from common.subscriptions.model import Terms
from common.subscriptions.once import price as price_of
from common.subscriptions.subscribing import subscribe_operation

Documents = Mapping[Key, Snapshot]
#: Any length: a period is priced by the session.
_HOUR = timedelta(hours=1)


class Request(Command):
    """What the customer subscribes to."""

    service_id: Id
    customer_id: Id | None = None
    customer_email: Email


def handle(command: Request, context: Context) -> Answer:
    """Subscribe, or go on with what was begun.

    Raises:
        NotSetUp: the provider cannot take payments.
        BadRequest: the service is not billed by period.
    """
    if command.customer_id not in (None, context.caller.uid):
        raise Forbidden("You can subscribe for yourself only")
    context.act(customer_id=context.caller.uid, what="subscription")
    standing = _standing(context, command.service_id)
    if standing is not None and standing.state is State.DONE:
        answer = _again(context, str(standing.plan["subscriptionId"]))
        if answer is not None:
            return answer
        standing = None
    if standing is None:
        standing = _begun(command, context)
    return _subscribed(context, standing)


def _standing(context: Context, service_id: str) -> Operation | None:
    """What the caller has begun before and is not over, as far as we know."""
    who = collections.subscriber(context.caller.uid, service_id)
    known = context.read(who)[who].data
    return None if known is None else _alive(context, str(known["operationId"]))


def _alive(context: Context, operation_id: str) -> Operation | None:
    key = collections.operation(operation_id)
    operation = Operation.load(context.read(key)[key])
    if operation.state is not State.DONE:
        return None if operation.state is State.FAILED else operation
    record = collections.subscription(str(operation.plan["subscriptionId"]))
    doc = context.read(record)[record].require()
    return None if model.is_over(doc) else operation


def _again(context: Context, subscription_id: str) -> Answer | None:
    """The subscription that stands, with a fresh secret; None where it has just ended."""
    doc = following.follow(context, subscription_id)
    if doc is None or model.is_over(doc):
        return None
    answer = _answer(subscription_id, doc)
    context.until_settled(lambda: _keep(context, answer))
    return refill(answer, context)


def _keep(context: Context, answer: Answer) -> None:
    context.meet()
    context.finish([], answer)


def _begun(command: Request, context: Context) -> Operation:
    """The intent to subscribe, written down; what it needs at Stripe is there."""
    terms = _terms(command, context)
    customer = once.customer(context, terms.customer_id, terms.customer_email)
    price = price_of(context, terms)
    return context.until_settled(lambda: _begin(context, terms, customer, price))


def _begin(context: Context, terms: Terms, customer: str, price: str) -> Operation:
    who = collections.subscriber(terms.customer_id, terms.service_id)
    was = context.read(who)[who]
    known = was.data or {"count": 0}
    if was.data is not None and (other := _alive(context, str(known["operationId"]))) is not None:
        return other  # the same customer, on another screen
    count = int(known["count"]) + 1
    operation = subscribe_operation(context, f"subscribe-{who.id}-{count}", terms, customer, price)
    now = {
        "customerId": terms.customer_id,
        "serviceId": terms.service_id,
        "operationId": operation.id,
        "count": count,
    }
    pointer = Create(who, now) if was.data is None else Replace(was, now)
    context.commit([pointer, operation.create()])
    return operation


def _subscribed(context: Context, operation: Operation) -> Answer:
    """The answer of an operation that is carried out now, or was a moment ago."""
    secrets: list[str | None] = []

    def answer(after: Documents, results: Mapping[str, Result]) -> Answer:
        made: Json = results["subscription"].ok or {}
        secrets.append(model.client_secret(made))
        return _answer(made["id"], after[collections.subscription(made["id"])].require())

    done = operation
    if not operation.settled:
        done, _ = runner.run(context, operation, {}, answer)
    if done.state is State.FAILED:
        raise StripeRefused(done.note)
    subscription_id = str(done.plan["subscriptionId"])
    context.notes["subscriptionId"] = subscription_id
    key = collections.subscription(subscription_id)
    shown = _answer(subscription_id, context.services.store.read([key])[key].require())
    if secrets and secrets[0]:
        return {**shown, "clientSecret": secrets[0]}
    return refill(shown, context)


def refill(answer: Answer, context: Context) -> Answer:
    """An answer with its client secret, which is Stripe's to keep; null where nothing is to pay."""
    stripe = context.services.stripe.subscription(answer["subscriptionId"])
    return {**answer, "clientSecret": model.client_secret(stripe)}


def _answer(subscription_id: str, doc: Document) -> Answer:
    return {
        "subscriptionId": subscription_id,
        "status": doc["status"],
        "pricing": pricing_as_json(Terms.of(doc).price),
        "subscription": model.as_json(subscription_id, doc),
    }


def _terms(command: Request, context: Context) -> Terms:
    """What is agreed on: the service's price and policy as they are now."""
    wanted = collections.service(command.service_id)
    found = context.read(wanted)[wanted]
    if found.data is None:
        raise Missing("service")
    service = parsed(command.service_id, found)
    who = collections.profile(service.provider_id)
    profile = context.read(who)[who].data
    _require_by_period(service)
    require_settled(service, context)
    if not takes_bookings(profile):
        raise NotSetUp
    if not service.active:
        raise Conflict(
            "This service takes no new subscriptions", type="not_available", reason="inactive"
        )
    rate = resolve_rate_bps(
        context.services.settings.platform_rate_bps,
        context.services.settings.category_rates_bps,
        provider_rate(profile),
        service.category,
    )
    return Terms(
        customer_id=context.caller.uid,
        customer_email=command.customer_email,
        provider_id=service.provider_id,
        service_id=service.id,
        title=service.title,
        category=service.category,
        interval=str(service.billing_interval),
        trial_days=service.trial_days,
        price=split(_price(service, context), rate),
        policy=service.policy,
    )


def _require_by_period(service: Service) -> None:
    """A period has one price, and begins without anybody's answer."""
    if service.billing_interval is None:
        raise BadRequest(
            "This service is not billed by period; book it instead", type="not_a_subscription"
        )
    wrong = []
    if service.price_unit != "SESSION":
        wrong.append(("priceUnit", "must be SESSION with a billingInterval"))
    if service.booking_mode != "INSTANT":
        wrong.append(("bookingMode", "must be INSTANT with a billingInterval"))
    if wrong:
        raise ServiceUnusable(ServiceMisconfigured(wrong))


def _price(service: Service, context: Context) -> Money:
    """A period's price, which must be one that can be charged."""
    try:
        return quote(service, context.now, context.now + _HOUR, 1)
    except PriceOutOfRange as error:
        raise InvalidFields([("serviceId", f"the price {error.problem}")]) from None
