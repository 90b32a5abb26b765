"""Firestore as a signed-in app reaches it: REST, under the rules, one caller at a time."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

ALLOWED, REFUSED = 200, 403


def unsigned_token(project: str, uid: str, claims: Mapping[str, Any]) -> str:
    """An ID token as the Auth emulator makes them; the Firestore emulator takes it unsigned."""
    now = int(time.time())
    payload = {
        "iss": f"https://securetoken.google.com/{project}",
        "aud": project,
        "sub": uid,
        "user_id": uid,
        "iat": now,
        "auth_time": now,
        "exp": now + 3600,
        **claims,
    }
    header = {"alg": "none", "typ": "JWT"}
    return f"{_base64(header)}.{_base64(payload)}."


def _base64(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def encoded(value: Any) -> dict[str, Any]:
    """A Python value in Firestore's JSON (``{"integerValue": "3"}``)."""
    match value:
        case None:
            return {"nullValue": None}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"integerValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [encoded(item) for item in value]}}
        case dict():
            return {"mapValue": {"fields": {k: encoded(v) for k, v in value.items()}}}
    raise TypeError(f"no Firestore value: {value!r}")


@dataclass(frozen=True)
class FirestoreOfCaller:
    """One project's documents as one caller sees them. Methods return the HTTP status.

    ``token`` is an ID token, None for somebody not signed in, or ``owner``, to whom the emulator
    applies no rules (the functions' standing).
    """

    address: str
    project: str
    token: str | None

    def create(self, path: str, fields: Mapping[str, Any]) -> int:
        """Make a document that must not exist."""
        return self._write({"update": self._document(path, fields), **_exists(False)})

    def update(self, path: str, fields: Mapping[str, Any], *, removed: tuple[str, ...] = ()) -> int:
        """Set the given fields of a document that must exist, and take others away."""
        mask = {"fieldPaths": [*fields, *removed]}
        document = self._document(path, fields)
        return self._write({"update": document, "updateMask": mask, **_exists(True)})

    def delete(self, path: str) -> int:
        """Delete a document."""
        return self._write({"delete": self._name(path)})

    def get(self, path: str) -> int:
        """Read one document."""
        return self._call("GET", f"/v1/{self._name(path)}")[0]

    def list(self, collection: str, where: Mapping[str, Any] | None = None) -> int:
        """Run a query for documents whose fields equal those of ``where``."""
        filters = [
            {"fieldFilter": {"field": {"fieldPath": k}, "op": "EQUAL", "value": encoded(v)}}
            for k, v in (where or {}).items()
        ]
        query: dict[str, Any] = {"from": [{"collectionId": collection}], "limit": 500}
        if filters:
            query["where"] = {"compositeFilter": {"op": "AND", "filters": filters}}
        root = f"/v1/projects/{self.project}/databases/(default)/documents:runQuery"
        return self._call("POST", root, {"structuredQuery": query})[0]

    def _write(self, write: Mapping[str, Any]) -> int:
        path = f"/v1/projects/{self.project}/databases/(default)/documents:commit"
        return self._call("POST", path, {"writes": [write]})[0]

    def _document(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"name": self._name(path), "fields": {k: encoded(v) for k, v in fields.items()}}

    def _name(self, path: str) -> str:
        return f"projects/{self.project}/databases/(default)/documents/{path}"

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = HTTPConnection(self.address, timeout=30)
        try:
            connection.request(
                method, path, json.dumps(body) if body is not None else None, headers
            )
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        # Anything else (a malformed request, a failed precondition) must not pass for a refusal.
        if answer.status not in (ALLOWED, REFUSED):
            raise AssertionError(f"{method} {path}: {answer.status} {text.decode()[:500]}")
        # A refusal because the rules are too long to evaluate is a fault of the rules.
        if b"maximum of 1000 expressions" in text:
            raise AssertionError(f"{method} {path}: {text.decode()[:500]}")
        return answer.status, text


def load_rules(address: str, project: str, rules: str) -> None:
    """Put rules in force for one project of the emulator.

    Raises:
        AssertionError: the emulator does not accept them; the message says where they are wrong.
    """
    connection = HTTPConnection(address, timeout=30)
    try:
        body = {"rules": {"files": [{"name": "firestore.rules", "content": rules}]}}
        connection.request(
            "PUT",
            f"/emulator/v1/projects/{project}:securityRules",
            json.dumps(body),
            {"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, text
    assert "warning" not in text.lower(), text


def _exists(expected: bool) -> dict[str, Any]:
    return {"currentDocument": {"exists": expected}}
