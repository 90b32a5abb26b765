"""CHECK_AVAILABILITY: whether a time can be had, for how much, and when else.

Source: contract, section 3.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from common.accounts.model import provider_rate
from common.bookings import claims
from common.bookings.calendar import HORIZON_DAYS, alternative_days, alternatives
from common.bookings.place import Place, ends_by, find
from common.bookings.pricing import PriceOutOfRange, quote, resolve_rate_bps, split
from common.bookings.view import pricing_as_json
from common.clock import rfc3339
from common.context import Answer, Context
from common.http.command import Command, Id, Instant
from common.services.directory import Offer, load
from common.store import collections
from functions.booking_processor.create_booking import require_order


class Request(Command):
    """What is asked for."""

    service_id: Id
    start_date_time: Instant
    end_date_time: Instant
    group_size: int = Field(default=1, ge=1, le=100_000)


def handle(command: Request, context: Context) -> Answer:
    """The verdict, the price, and up to three other times."""
    start, end, group = command.start_date_time, command.end_date_time, command.group_size
    require_order(start, end)
    offer = load(context, command.service_id, start, end, ahead=timedelta(days=HORIZON_DAYS))
    place = find(context, offer.service, start, end, group, offer.docs)
    verdict = place.verdict
    return {
        "serviceId": command.service_id,
        "available": verdict.available,
        "remainingCapacity": verdict.remaining,
        "pricing": _pricing(command, context, offer),
        **({} if verdict.reason is None else {"reason": verdict.reason}),
        "alternatives": [] if verdict.available else _alternatives(command, context, offer, place),
    }


def _pricing(command: Request, context: Context, offer: Offer) -> Answer | None:
    """The price as a booking would have it; None for a time that has none."""
    settings = context.services.settings
    try:
        total = quote(
            offer.service, command.start_date_time, command.end_date_time, command.group_size
        )
    except PriceOutOfRange:
        return None
    rate = resolve_rate_bps(
        settings.platform_rate_bps,
        settings.category_rates_bps,
        provider_rate(offer.profile),
        offer.service.category,
    )
    return pricing_as_json(split(total, rate))


def _alternatives(
    command: Request, context: Context, offer: Offer, place: Place
) -> list[dict[str, str]]:
    service, start = offer.service, command.start_date_time
    days = [
        collections.calendar(service.id, day)
        for day in alternative_days(service, start, context.now)
    ]
    unread = [key for key in days if key not in offer.docs]
    docs = {**offer.docs, **(context.read(*unread) if unread else {})}
    lapsed = {booking.id for _, booking in place.lapsed}
    standing = [c for c in claims.standing(docs, service.id) if c.booking_id not in lapsed]
    found = alternatives(
        service,
        start,
        command.end_date_time,
        command.group_size,
        context.now,
        standing,
        ends_by=ends_by(context, service),
    )
    return [{"start": rfc3339(begins), "end": rfc3339(ends)} for begins, ends in found]
