"""One JSON line an event, in the shape Cloud Logging reads; nothing secret and no address gets out.

Source: https://cloud.google.com/logging/docs/structured-logging.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRETS = re.compile(
    r"(?:sk|rk)_(?:test|live)_\w+|whsec_\w+|\w+_secret_\w+|Bearer\s+\S+|eyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|https://connect\.stripe\.com/\S+|[\w.+-]+@[\w-]+\.[\w.-]+|\b(?:\d[ -]?){13,19}\b"
)
_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def redacted(value: Any) -> Any:
    """A value for the log: what looks like a secret, a card or an e-mail address is masked."""
    if isinstance(value, str):
        return _SECRETS.sub("[redacted]", value)
    if isinstance(value, dict):
        return {name: redacted(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(inner) for inner in value]
    return value


def _shaped(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    shaped = {"severity": method.upper(), "message": event.pop("event"), **event}
    return {name: redacted(value) for name, value in shaped.items() if value is not None}


def configure(level: str) -> None:
    """Set the log up for this process; ``level`` as in the settings."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _shaped,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level.upper(), 20)),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logger() -> Any:
    """The log."""
    return structlog.get_logger()


def trace_of(header: str | None, project: str) -> str | None:
    """Cloud Logging's name of the trace in an ``X-Cloud-Trace-Context`` header."""
    trace_id = (header or "").partition("/")[0]
    if not re.fullmatch(r"[0-9a-f]{32}", trace_id):
        return None
    return f"projects/{project}/traces/{trace_id}"
