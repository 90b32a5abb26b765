"""Cursors of lists: where the next page begins, unreadable to clients and safe to take back."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from common.errors import InvalidFields
from common.ids import is_document_id


def encode(created_at: datetime, document_id: str) -> str:
    """The cursor after a document of a list ordered by time and id."""
    return _written([created_at.isoformat(), document_id])


def decode(cursor: str) -> tuple[datetime, str]:
    """The position in a cursor.

    Raises:
        InvalidFields: not a cursor of ours.
    """
    try:
        created_at, document_id = _read(cursor)
        instant = datetime.fromisoformat(created_at)
        if instant.tzinfo is None or not 2000 <= instant.year <= 2200:
            raise ValueError("not an instant of ours")
        return instant, _id(document_id)
    except (ValueError, TypeError, RecursionError):
        raise InvalidFields([("cursor", "is not one that a list gave")]) from None


def encode_id(document_id: str) -> str:
    """The cursor after what has this id, in a list ordered by ids."""
    return _written([document_id])


def decode_id(cursor: str) -> str:
    """The id in such a cursor.

    Raises:
        InvalidFields: not a cursor of ours.
    """
    try:
        (document_id,) = _read(cursor)
        return _id(document_id)
    except (ValueError, TypeError, RecursionError):
        raise InvalidFields([("cursor", "is not one that a list gave")]) from None


def _written(position: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _read(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def _id(document_id: Any) -> str:
    if not isinstance(document_id, str) or not is_document_id(document_id):
        raise ValueError("not a position")
    return document_id
