"""A service that says only what a test is about."""

from __future__ import annotations

from typing import Any

from common.money import Money
from common.services.model import Service


def a_service(**said: Any) -> Service:
    """An exclusive service at 200.00 USD a session, always open, with no limits of its own."""
    plain: dict[str, Any] = {
        "id": "service-123",
        "provider_id": "provider-123",
        "title": "Photography Session",
        "category": "SERVICE",
        "price": Money(200_00, "USD"),
    }
    return Service(**{**plain, **said})
