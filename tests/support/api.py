"""The functions as a client sees them: JSON in, an Answer out, figures as Decimal."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests
import simplejson

from tests.support.tokens import unsigned_token

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; ``json`` is the decoded body ({} where it is no JSON object)."""

    status: int
    json: dict[str, Any]
    headers: Mapping[str, str]
    text: str

    def ok(self) -> dict[str, Any]:
        """The body of a 200; an AssertionError showing the answer if it is anything else."""
        assert self.status == 200, f"expected 200, got {self.status}: {self.text}"
        return self.json

    def refused(self, code: int, kind: str | None = None) -> dict[str, Any]:
        """The body of a refusal with this status (and ``type``); checks the contract's shape."""
        assert self.status == code, f"expected {code}, got {self.status}: {self.text}"
        assert self.json.get("code") == code, self.text
        assert self.json.get("error"), self.text
        assert self.json.get("requestId"), self.text
        if kind is not None:
            assert self.json.get("type") == kind, self.text
        return self.json


class Api:
    """Makes callers. Safe to share between threads: each thread has its own connections."""

    def __init__(self, base_url: str, project: str) -> None:
        self.base_url, self.project = base_url, project
        self._local = threading.local()

    def as_user(self, uid: str, **token: Any) -> Caller:
        """A signed-in user; ``token`` as in ``unsigned_token`` (admin, expired, audience …)."""
        return self.with_token(unsigned_token(uid, project=self.project, **token))

    def as_operator(self, uid: str = "operator") -> Caller:
        return self.as_user(uid, admin=True)

    def anonymous(self) -> Caller:
        return Caller(self, None)

    def with_token(self, token: str) -> Caller:
        return Caller(self, f"Bearer {token}")

    def request(
        self, method: str, path: str, *, data: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Any request to the gateway, its body as it stands."""
        got = self._session().request(
            method, self.base_url + path, data=data, headers=dict(headers), timeout=TIMEOUT_SECONDS
        )
        return Answer(got.status_code, _object(got.text), got.headers, got.text)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.trust_env = False  # no proxy between a test and its stack
            self._local.session = session
        session_of_thread: requests.Session = self._local.session
        return session_of_thread


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the functions; ``authorization`` None: nobody signed in."""

    api: Api
    authorization: str | None

    def post(
        self,
        processor: str,
        action: str | None = None,
        *,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Answer:
        """POST ``{"action": action, **fields}``; Decimals go out exactly, None as null."""
        body = fields if action is None else {"action": action, **fields}
        sent = {"Content-Type": "application/json", **(headers or {})}
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        data = simplejson.dumps(body, use_decimal=True).encode()
        return self.send("POST", f"/{processor}", data, sent)

    def send(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Bytes as they stand, with this caller's token."""
        who = {"Authorization": self.authorization} if self.authorization else {}
        return self.api.request(method, path, data=data, headers={**who, **headers})


def _object(text: str) -> dict[str, Any]:
    try:
        decoded = json.loads(text, parse_float=Decimal)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
