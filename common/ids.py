"""Identifiers: random where nothing is known, derived where the same request must name the same."""

from __future__ import annotations

import hashlib
import re
import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SAFE = re.compile(r"[A-Za-z0-9._~@:+-]{1,128}\Z")


def fresh(prefix: str) -> str:
    """A new id, ``prefix-`` and 20 characters (100 bits)."""
    return f"{prefix}-" + "".join(secrets.choice(_ALPHABET) for _ in range(20))


def derived(prefix: str, *parts: str) -> str:
    """The id that these parts always give; the parts' borders count."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{prefix}-" + "".join(_ALPHABET[byte & 31] for byte in digest[:20])


def is_document_id(text: str) -> bool:
    """Whether a client's text may name a Firestore document: no slash, no dots alone, no dunder."""
    return bool(_SAFE.match(text)) and text not in (".", "..") and not text.startswith("__")
