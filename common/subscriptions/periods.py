"""A paid period of a subscription as a booking: earned at once, then like any other.

Payouts, refunds, disputes, holds and the books know bookings only, so a period that was paid is
one (docs/decisions/0011-a-paid-period-is-a-booking.md): of mode SUBSCRIPTION, with no claim on
the calendar, over exactly what its charge took. Whichever of its events comes first makes it; the
charge's ledger transaction is what makes it happen once.
Source: contract, section 4 (a period earns the provider their part when its invoice is paid).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common.bookings import completion, deadlines, documents, payment, postings
from common.bookings.model import PERIOD, Booking, BookingMoney
from common.bookings.payment import Paid
from common.bookings.payment_effects import posting_keys, told_later
from common.bookings.pricing import split
from common.bookings.status import Status
from common.clock import from_unix
from common.context import Context
from common.ledger.posting import post
from common.money import Money
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Snapshot, Write
from common.stripe_gateway.calls import Json
from common.subscriptions import following, model
from common.subscriptions.model import Terms


def booking_id_of(intent_id: str) -> str:
    """The period that a payment intent has paid: as a rule an invoice is paid by one."""
    return f"period-{intent_id}"


@dataclass(frozen=True, slots=True)
class Period:
    """A payment of an invoice of ours.

    Attributes:
        settled: Whether the invoice is paid, with this or with others' help.
    """

    subscription_id: str
    terms: Terms
    invoice_id: str
    settled: bool
    start: datetime
    end: datetime
    paid: Paid


def of_intent(intent_id: str, context: Context) -> str | None:
    """The period that a payment intent has paid, made now if need be; None where it pays none.

    In a unit of its own: the event at hand is marked as seen only with its own effect.
    """
    invoice_id = context.services.stripe.invoice_of(intent_id)
    if invoice_id is None:
        return None
    invoice = context.services.stripe.invoice(invoice_id)
    return booking_id_of(intent_id) if _record(invoice, intent_id, context) else None


def of_invoice(invoice: Json, context: Context) -> None:
    """Make the periods that an invoice's payments have paid; as it is now, with its payments."""
    for intent_id in model.intents_of(invoice):
        _record(invoice, intent_id, context)


def _record(invoice: Json, intent_id: str, context: Context) -> bool:
    subscription_id = model.subscription_of(invoice)
    own = context.apart()
    terms = None if subscription_id is None else _terms(subscription_id, own)
    if subscription_id is None or terms is None:
        return False
    paid = payment.paid(own.services.stripe.payment_intent(intent_id))
    if paid is None or not paid.amount:
        return False
    start, end = span(invoice)
    settled = invoice["status"] == "paid"
    period = Period(subscription_id, terms, str(invoice["id"]), settled, start, end, paid)
    own.until_settled(lambda: _once(period, own))
    return True


def _terms(subscription_id: str, context: Context) -> Terms | None:
    key = collections.subscription(subscription_id)
    known = context.read(key)[key].data or following.follow(context, subscription_id)
    return None if known is None else Terms.of(known)


def span(invoice: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """The time that an invoice's subscription line is for; prorations are about other times.

    Args:
        invoice: Stripe's; one without lines is about its own period.
    """
    lines = (invoice.get("lines") or {}).get("data") or []
    regular = [line for line in lines if not _is_proration(line)] or lines
    period = regular[-1]["period"] if regular else {}
    start = period.get("start", invoice["period_start"])
    return from_unix(start), from_unix(period.get("end", invoice["period_end"]))


def _is_proration(line: Mapping[str, Any]) -> bool:
    details = (line.get("parent") or {}).get("subscription_item_details") or {}
    return bool(details.get("proration"))


def _once(period: Period, context: Context) -> None:
    booking_id, paid = booking_id_of(period.paid.intent_id), period.paid
    key = collections.booking(booking_id)
    docs = context.read(
        key,
        collections.payment_intent(paid.intent_id),
        *posting_keys(paid),
        collections.transaction(f"earning_{booking_id}"),
    )
    if docs[key].data is None:
        context.commit(_begun(period, docs, context))
        return
    booking = documents.load(docs[key])
    if booking.status is Status.CONFIRMED and period.settled and not booking.giving_back:
        done = _earned(booking, context)
        context.commit(completion.writes(docs[key], done, context.now))


def _begun(period: Period, docs: Mapping[Key, Snapshot], context: Context) -> list[Write]:
    """The writes that bring a period into the books; earned if its invoice is paid."""
    ours = {deadlines.PLATFORM: context.services.settings.platform_country}
    booking = replace(confirmed(period, context.now, context.action), countries=ours)
    if period.settled:
        booking = replace(_earned(booking, context), version=booking.version + 1)
    charge = postings.charge(booking, period.paid.charge_id)
    earning = postings.earning(booking) if period.settled else None
    index = Create(collections.payment_intent(period.paid.intent_id), {"bookingId": booking.id})
    posted = [one for one in (charge, *told_later(booking), earning) if one is not None]
    return [
        *documents.create(booking),
        index,
        *(write for posting in posted for write in post(docs, posting, context.now)),
    ]


def _earned(booking: Booking, context: Context) -> Booking:
    return completion.completed(
        booking,
        hold_hours=context.services.settings.payout_hold_hours,
        now=context.now,
        by="stripe",
        why=context.action,
    )


def confirmed(period: Period, now: datetime, why: str) -> Booking:
    """A period's booking, paid. Its total is what was charged, which prorations, credits and
    coupons may make another amount than the price; the rate is the subscription's."""
    terms, paid = period.terms, period.paid
    cost = split(Money(paid.amount, paid.currency), terms.price.rate_bps)
    first = {
        "status": str(Status.CONFIRMED),
        "at": now,
        "by": "stripe",
        "why": why,
        "version": 1,
    }
    booking = Booking(
        id=booking_id_of(paid.intent_id),
        version=1,
        status=Status.CONFIRMED,
        customer_id=terms.customer_id,
        customer_email=terms.customer_email,
        provider_id=terms.provider_id,
        service_id=terms.service_id,
        title=terms.title,
        category=terms.category,
        mode=PERIOD,
        start=period.start,
        end=period.end,
        buffer_minutes=0,
        group_size=1,
        special_requests=None,
        money=BookingMoney(cost.currency, cost.total, cost.fee, cost.provider, cost.rate_bps),
        policy=terms.policy,
        created_at=now,
        subscription_id=period.subscription_id,
        payment={"invoiceId": period.invoice_id},
        history=(first,),
    )
    return payment.received(booking, paid, now)
