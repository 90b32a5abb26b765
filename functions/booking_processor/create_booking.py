"""CREATE_BOOKING: claim the place, then ask Stripe for the payment intent.

One read, one commit that claims the place and writes the booking with the intent to ask Stripe,
one call, one commit that records it. A crash in between is finished by the same request with the
same key, by the webhook, or by the maintenance run; an unpaid hold lapses. A request further ahead
than an authorisation lives asks for a setup intent instead, of a customer made at Stripe before.
Source: guide, section 1; contract, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from common.accounts.model import provider_rate, takes_bookings
from common.bookings import (
    claims,
    deadlines,
    documents,
    holds,
    payment_operations,
    saved_requests,
)
from common.bookings.model import Booking, BookingMoney
from common.bookings.place import Place, find
from common.bookings.pricing import PriceOutOfRange, Split, quote, resolve_rate_bps, split
from common.bookings.setup_operation import setup_id, setup_operation
from common.bookings.status import Status
from common.bookings.view import booking_as_json
from common.context import Answer, Context
from common.errors import (
    BadRequest,
    Forbidden,
    InvalidFields,
    KeyReused,
    NotSetUp,
    PlaceTaken,
    StripeRefused,
)
from common.http.command import Command, Email, Id, Instant, Text
from common.ids import derived, fresh
from common.operations import once, runner
from common.operations.model import Operation, Result, State
from common.services.directory import Offer, load, require_settled
from common.services.model import Service
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write


class Request(Command):
    """What the customer books."""

    service_id: Id
    customer_id: Id | None = None
    customer_email: Email
    start_date_time: Instant
    end_date_time: Instant
    group_size: int = Field(default=1, ge=1, le=100_000)
    special_requests: Annotated[Text, Field(max_length=1000)] | None = None


def handle(command: Request, context: Context) -> Answer:
    """Book, or go on with what the same key began.

    Raises:
        PlaceTaken: 409 with the reason.
        NotSetUp: the provider cannot take payments.
    """
    if command.customer_id not in (None, context.caller.uid):
        raise Forbidden("You can book for yourself only")
    context.act(customer_id=context.caller.uid, what="booking")
    require_order(command.start_date_time, command.end_date_time)
    booking_id = _booking_id(context)
    context.notes["bookingId"] = booking_id
    begun = context.until_settled(lambda: _reserve(command, context, booking_id))
    if begun is None:  # the place is free; what is saved needs somebody whose it is
        payer = once.customer(context, context.caller.uid, command.customer_email)
        begun = context.until_settled(lambda: _reserve(command, context, booking_id, payer))
        assert begun is not None, "it has its payer"
    operation, docs = begun
    given: Answer = {}

    def answer(after: Mapping[Key, Snapshot], results: Mapping[str, Result]) -> Answer:
        intent = results["intent"].ok or {}
        booking = documents.load(after[collections.booking(booking_id)])
        given.update(
            bookingId=booking_id,
            clientSecret=intent["client_secret"],
            booking=booking_as_json(booking),
        )
        return given

    done, after = runner.run(context, operation, docs, answer)
    if done.state is State.FAILED:
        raise StripeRefused(done.note)
    if not given:  # a webhook or another try of this key recorded it first
        booking = documents.load(after[collections.booking(booking_id)])
        return refill({"bookingId": booking_id, "booking": booking_as_json(booking)}, context)
    return given


def refill(answer: Answer, context: Context) -> Answer:
    """A replayed answer with its client secret, which is Stripe's to keep."""
    booking_id = answer["bookingId"]
    snapshot = context.services.store.read([collections.booking(booking_id)])
    booking = documents.load(snapshot[collections.booking(booking_id)])
    stripe = context.services.stripe
    if saved_requests.is_saved(booking):
        intent = stripe.setup_intent(booking.request["setupIntentId"])
    else:
        intent = stripe.payment_intent(booking.payment["intentId"])
    return {"bookingId": booking_id, "clientSecret": intent["client_secret"], **answer}


def _booking_id(context: Context) -> str:
    if context.record is None:
        return fresh("booking")
    return derived("booking", context.caller.uid, context.record.text)


def require_order(start: datetime, end: datetime) -> None:
    """Refuse an end that is not after the start."""
    if end <= start:
        raise InvalidFields([("endDateTime", "must be after startDateTime")])


#: Longer bookings would claim more days than one commit should hold.
LONGEST = timedelta(days=366)


def _reserve(
    command: Request, context: Context, booking_id: str, payer: str | None = None
) -> tuple[Operation, dict[Key, Snapshot]] | None:
    """Claim the place and write down what Stripe will be asked for.

    Args:
        payer: Stripe's customer.

    Returns:
        None, and nothing is written yet, where the booking needs a payer.
    """
    start, end = command.start_date_time, command.end_date_time
    if end - start > LONGEST:
        raise PlaceTaken("bad_duration")
    mine = collections.booking(booking_id)
    begun = collections.operation(payment_operations.payment_id(booking_id))
    # Even without a key: a commit whose answer was lost may have made this very booking.
    offer = load(context, command.service_id, start, end, others=(mine, begun))
    if offer.docs[mine].data is not None:
        return _go_on(command, context, offer.docs, mine, begun)
    if not takes_bookings(offer.profile):
        raise NotSetUp
    _require_bookable(offer.service)
    require_settled(offer.service, context)
    place = find(context, offer.service, start, end, command.group_size, offer.docs)
    if not place.verdict.available:
        raise PlaceTaken(str(place.verdict.reason))
    booking = _booking(command, context, booking_id, offer)
    if saved_requests.is_saved(booking) and payer is None:
        return None
    operation = _operation(booking, payer, context)
    writes = [
        *documents.create(booking),
        *_claimed(booking, offer.docs, place, context),
        operation.create(),
    ]
    return operation, context.commit(writes)


def _operation(booking: Booking, payer: str | None, context: Context) -> Operation:
    """The intent to ask Stripe for what the customer confirms."""
    now, actor = context.now, context.caller.actor
    action, request_id = context.action, context.request_id
    if payer is not None:
        return setup_operation(
            booking, payer, now=now, actor=actor, action=action, request_id=request_id
        )
    return payment_operations.payment_operation(
        booking, attempt=1, now=now, actor=actor, action=action, request_id=request_id
    )


def _claimed(
    booking: Booking, docs: Mapping[Key, Snapshot], place: Place, context: Context
) -> list[Write]:
    """The writes that take the place; none for a request that keeps none until accepted."""
    if not booking.claims_place:
        return []
    return [*claims.take(docs, booking, holds.lapsed_claims(place)), *holds.expire(place, context)]


def _go_on(
    command: Request, context: Context, docs: Mapping[Key, Snapshot], mine: Key, begun: Key
) -> tuple[Operation, dict[Key, Snapshot]]:
    """The booking that this key made before its answer got out."""
    booking = documents.load(docs[mine])
    same = (command.service_id, command.start_date_time, command.end_date_time)
    if same != (booking.service_id, booking.start, booking.end):
        raise KeyReused
    if saved_requests.is_saved(booking):
        begun = collections.operation(setup_id(booking.id))
        docs = {**docs, **context.read(begun)}
    return Operation.load(docs[begun]), {mine: docs[mine], begun: docs[begun]}


def _require_bookable(service: Service) -> None:
    if service.billing_interval is not None:
        raise BadRequest(
            "This service is billed by period; subscribe to it instead",
            type="booking_mode_unsupported",
        )


def price(service: Service, start: datetime, end: datetime, group_size: int, rate: int) -> Split:
    """A booking's price and its parts.

    Raises:
        InvalidFields: the price cannot be charged in its currency.
    """
    try:
        return split(quote(service, start, end, group_size), rate)
    except PriceOutOfRange as error:
        raise InvalidFields([("serviceId", f"the price {error.problem}")]) from None


def _request(service: Service, start: datetime, now: datetime) -> dict[str, bool]:
    """How a request to book is answered and paid, decided once."""
    if service.booking_mode != "REQUEST":
        return {}
    far = {"saved": True} if saved_requests.is_far(start, now) else {}
    return {"blocks": service.requests_block, **far}


def _booking(command: Request, context: Context, booking_id: str, offer: Offer) -> Booking:
    """The booking with price, rate and policy frozen on it."""
    settings, service = context.services.settings, offer.service
    rate = resolve_rate_bps(
        settings.platform_rate_bps,
        settings.category_rates_bps,
        provider_rate(offer.profile),
        service.category,
    )
    start, end = command.start_date_time, command.end_date_time
    cost = price(service, start, end, command.group_size, rate)
    first = {
        "status": str(Status.PENDING),
        "at": context.now,
        "by": context.caller.actor,
        "why": context.action,
        "version": 1,
    }
    return Booking(
        id=booking_id,
        version=1,
        status=Status.PENDING,
        customer_id=context.caller.uid,
        customer_email=command.customer_email,
        provider_id=service.provider_id,
        service_id=service.id,
        title=service.title,
        category=service.category,
        mode=service.booking_mode,
        start=start,
        end=end,
        buffer_minutes=service.buffer_minutes,
        group_size=command.group_size,
        special_requests=command.special_requests,
        money=BookingMoney(cost.currency, cost.total, cost.fee, cost.provider, cost.rate_bps),
        policy=service.policy,
        created_at=context.now,
        hold_until=context.now + timedelta(minutes=settings.hold_minutes),
        attendance={
            "required": service.check_in_required,
            "noShowRefundPercent": service.no_show_refund_percent,
        },
        request=_request(service, start, context.now),
        countries={
            deadlines.PLATFORM: settings.platform_country,
            deadlines.ACCOUNT: (offer.profile or {}).get("stripeAccountCountry"),
        },
        history=(first,),
    )
