"""The time, in one place, so that a local stack can move it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """Gives the current instant in UTC.

    Args:
        offset_file: The local stack's clock: JSON ``{"offset_seconds": N}``, read at every call, so
            that all processes move together. ``None`` in the cloud.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        """The current instant, UTC, to the microsecond."""
        real = datetime.now(UTC)
        if self._offset_file is None or not self._offset_file.exists():
            return real
        offset = json.loads(self._offset_file.read_text())["offset_seconds"]
        return real + timedelta(seconds=offset)


def rfc3339(instant: datetime) -> str:
    """An instant as answers show it: ``2024-12-01T10:00:00Z``, fractions where there are any."""
    utc = instant.astimezone(UTC)
    shape = "%Y-%m-%dT%H:%M:%S.%fZ" if utc.microsecond else "%Y-%m-%dT%H:%M:%SZ"
    return utc.strftime(shape)


def from_unix(seconds: int) -> datetime:
    """Stripe's timestamps: whole seconds since the epoch, UTC."""
    return datetime.fromtimestamp(seconds, UTC)
