"""Unsigned ID tokens, as the Auth emulator gives them out (contract, section 2)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping


def unsigned_token(
    uid: str,
    *,
    project: str,
    admin: bool = False,
    expired: bool = False,
    audience: str | None = None,
    issuer: str | None = None,
    claims: Mapping[str, object] | None = None,
) -> str:
    """A token for ``uid``; ``audience`` and ``issuer`` make wrong ones, ``claims`` adds or
    overrides any claim. Times are real time: tokens live outside the stack's clock."""
    issued = int(time.time()) - (7200 if expired else 10)
    payload: dict[str, object] = {
        "iss": issuer or f"https://securetoken.google.com/{project}",
        "aud": audience or project,
        "sub": uid,
        "user_id": uid,
        "iat": issued,
        "auth_time": issued,
        "exp": issued + 3600,
    }
    if admin:
        payload["admin"] = True
    payload |= claims or {}
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(payload)}."


def _part(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
