"""Services and the providers behind them, read in one round trip.

A service's provider and buffer decide which other documents a request needs. This process
remembers both as hints: with them everything is read at once, and a hint that turns out stale only
costs a second read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.bookings import claims
from common.context import Context
from common.errors import AppError, BadRequest, Missing
from common.services.model import Service, ServiceMisconfigured, parse_service
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot

_MOST_HINTS = 10_000
_hints: dict[str, Service] = {}


class ServiceUnusable(BadRequest):
    """400: the service's own document is not one that can be booked; its provider must mend it."""

    type = "service_misconfigured"

    def __init__(self, error: ServiceMisconfigured) -> None:
        listed = [{"field": field, "problem": problem} for field, problem in error.fields]
        super().__init__(
            "This service is not set up correctly; its provider must mend it", fields=listed
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """A service, its provider's profile, and the calendar days that were read with it."""

    service: Service
    profile: dict[str, Any] | None
    docs: dict[Key, Snapshot]


def load(
    context: Context,
    service_id: str,
    start: datetime,
    end: datetime,
    others: Sequence[Key] = (),
    ahead: timedelta = timedelta(0),
) -> Offer:
    """A service with what a booking of [start, end) must know.

    Args:
        others: More documents to read with it.
        ahead: How far after ``start`` the calendar is wanted at least.

    Raises:
        Missing: no such service.
        ServiceUnusable: its document describes nothing that can be booked.
    """
    hint = _hints.get(service_id)
    wanted = collections.service(service_id)
    guess = _needed(hint, service_id, start, end, ahead) if hint else _days(service_id, start, end)
    docs = context.read(wanted, *guess, *others)
    if docs[wanted].data is None:
        raise Missing("service")
    service = parsed(service_id, docs[wanted])
    missing = [key for key in _needed(service, service_id, start, end, ahead) if key not in docs]
    if missing:
        docs.update(context.read(*missing))
    if len(_hints) >= _MOST_HINTS:
        _hints.clear()
    _hints[service_id] = service
    return Offer(service, docs[collections.profile(service.provider_id)].data, docs)


def parsed(service_id: str, snapshot: Snapshot) -> Service:
    """The service in a document that exists.

    Raises:
        ServiceUnusable: the document describes nothing that can be sold.
    """
    try:
        return parse_service(service_id, snapshot.require())
    except ServiceMisconfigured as error:
        refused: AppError = ServiceUnusable(error)
        raise refused from error


def _days(service_id: str, start: datetime, end: datetime) -> list[Key]:
    return claims.keys(service_id, start, end)


def _needed(
    service: Service, service_id: str, start: datetime, end: datetime, ahead: timedelta
) -> list[Key]:
    until = max(end + timedelta(minutes=service.buffer_minutes), start + ahead)
    return [collections.profile(service.provider_id), *_days(service_id, start, until)]


def require_settled(service: Service, context: Context) -> None:
    """Refuse a currency in which Stripe does not settle for us.

    What it converted could not be transferred to the provider (docs/currencies.md).
    """
    code = service.price.currency
    settled = context.services.settings.settlement_currencies
    if settled and code not in settled:
        raise BadRequest(
            f"Services in {code} cannot be booked here; ask the provider to offer it in one of "
            f"{', '.join(sorted(settled))}",
            type="currency_not_settled",
            currency=code,
        )
