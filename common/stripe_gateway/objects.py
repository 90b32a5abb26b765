"""Stripe's objects as plain dicts: what is read out of them everywhere alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def id_of(value: Any) -> str | None:
    """The id in a field that may be expanded."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and value else None
