"""Idempotency keys: the first answer is the answer for a day, and one request at a time."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from emulator.stripe.errors import StripeError
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

KEY = Kind("_key", "key", listed=False)
KEPT_SECONDS = 86400


@dataclass(frozen=True)
class Stored:
    """An answer kept under a key."""

    status: int
    body: str
    request_id: str


def row_id(account: str, key: str) -> str:
    return f"key_{account}_{key}"


def fingerprint(method: str, path: str, params: dict[str, Any]) -> str:
    """What must be the same when a key is used again."""
    text = json.dumps([method, path, params], sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Keys:
    """The keys of one world; those in flight are known to this process only."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.in_flight: set[str] = set()
        self._by_age: deque[tuple[int, str]] = deque()

    def reload(self) -> None:
        rows = self._world.store.tables["_key"].values()
        self._by_age = deque(sorted((row.obj["created"], row.id) for row in rows))
        self.in_flight = set()

    def look_up(self, account: str, key: str, print: str) -> Stored | None:
        """
        The stored answer, or None for a key that is new (again).

        Raises:
            StripeError: 400 for a key used with other parameters, 409 for one still running.
        """
        if len(key) > 255:
            raise StripeError(
                400,
                "Idempotency-Key is too long; it can be up to 255 characters.",
                type="idempotency_error",
            )
        id = row_id(account, key)
        row = self._world.store.find("_key", id)
        if row is not None and row["created"] + KEPT_SECONDS <= self._world.now:
            row = None
        if row is not None and row["fingerprint"] != print:
            raise StripeError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                type="idempotency_error",
            )
        if id in self.in_flight:
            raise StripeError(
                409,
                "There is currently another in-progress request using this Idempotent Key (that "
                "probably means you submitted twice, and the other request is still going "
                "through): "
                f"{key}. If you meant to execute a different request, use a different key.",
                type="idempotency_error",
                code="idempotency_key_in_use",
            )
        return Stored(row["status"], row["body"], row["request_id"]) if row is not None else None

    def store(self, account: str, key: str, print: str, answer: Stored) -> None:
        """Keep an answer; within the transaction that had the effect."""
        now = self._world.now
        store = self._world.store
        id = row_id(account, key)
        if store.find("_key", id) is not None:
            store.delete("_key", id)
        row: Obj = {
            "id": id,
            "fingerprint": print,
            "status": answer.status,
            "body": answer.body,
            "request_id": answer.request_id,
            "created": now,
        }
        store.insert("_key", row, account)
        self._by_age.append((now, id))
        self._forget_old(now)

    def _forget_old(self, now: int) -> None:
        """Drop a few keys older than a day, so that their number stays bounded."""
        for _ in range(2):
            if not self._by_age or self._by_age[0][0] + KEPT_SECONDS > now:
                return
            created, id = self._by_age.popleft()
            row = self._world.store.find("_key", id)
            if row is not None and row["created"] == created:
                self._world.store.delete("_key", id)
