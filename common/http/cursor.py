"""Cursors of lists: where the next page begins, unreadable to clients and safe to take back."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from common.errors import InvalidFields
from common.ids import is_document_id


def encode(created_at: datetime, document_id: str) -> str:
    """The cursor after a document of a list ordered by time and id."""
    text = json.dumps([created_at.isoformat(), document_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[datetime, str]:
    """The position in a cursor.

    Raises:
        InvalidFields: not a cursor of ours.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        created_at, document_id = json.loads(text)
        instant = datetime.fromisoformat(created_at)
        if instant.tzinfo is None or not 2000 <= instant.year <= 2200:
            raise ValueError("not an instant of ours")
        if not isinstance(document_id, str) or not is_document_id(document_id):
            raise ValueError("not a position")
    except (ValueError, TypeError, RecursionError):
        raise InvalidFields([("cursor", "is not one that a list gave")]) from None
    return instant, document_id
