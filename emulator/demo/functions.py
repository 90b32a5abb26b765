"""The six functions as an app calls them: JSON over HTTP, with a signed-in user's token."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import requests

TIMEOUT_SECONDS = 30
MOST_TRIES = 6
"""A 503 leaves the outcome open: the same request is sent again, with the same key."""


class Refused(Exception):
    """An answer that is not 200; its body has ``error``, ``code`` and ``type``."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body.get('type')}: {body.get('error')}")
        self.status, self.body = status, body


class Functions:
    """Where the functions answer, and whose project's tokens they believe."""

    def __init__(self, base_url: str, project: str) -> None:
        self.base_url, self.project = base_url, project

    def sign_in(self, uid: str, *, operator: bool = False) -> Caller:
        """A user, signed in as at the Auth emulator, whose tokens carry no signature."""
        return Caller(self.base_url, uid, unsigned_token(uid, self.project, operator))


class Caller:
    """Somebody who is signed in."""

    def __init__(self, base_url: str, uid: str, token: str) -> None:
        self.uid = uid
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and loopback
        self._session.headers["Authorization"] = f"Bearer {token}"

    def post(self, processor: str, action: str, **fields: Any) -> dict[str, Any]:
        """Call an action; figures come back as Decimal.

        Raises:
            Refused: any other answer than 200.
        """
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        body = {"action": action, **fields}
        for tried in range(1, MOST_TRIES + 1):
            got = self._session.post(
                f"{self._base_url}/{processor}", json=body, headers=headers, timeout=TIMEOUT_SECONDS
            )
            if got.status_code != 503 or tried == MOST_TRIES:
                break
            time.sleep(float(got.headers.get("Retry-After", "1")))
        answer: dict[str, Any] = json.loads(got.text, parse_float=Decimal)
        if got.status_code != 200:
            raise Refused(got.status_code, answer)
        return answer

    def refusal(self, processor: str, action: str, **fields: Any) -> Mapping[str, Any]:
        """Call an action that should be refused: the refusal's body, or the answer it got."""
        try:
            return self.post(processor, action, **fields)
        except Refused as refused:
            return refused.body


def unsigned_token(uid: str, project: str, operator: bool) -> str:
    """An ID token as the Auth emulator gives it out, good for an hour."""
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": f"https://securetoken.google.com/{project}",
        "aud": project,
        "sub": uid,
        "user_id": uid,
        "iat": now,
        "auth_time": now,
        "exp": now + 3600,
    }
    if operator:
        claims["admin"] = True
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


def _part(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
