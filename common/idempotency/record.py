"""A client's Idempotency-Key: the same key, caller, action and body gives the first answer again.

The record is created with the action's first commit and holds the answer from its last one on.
Secrets are not kept in it: answers name them, and the action fetches them anew for a replay.
Source: contract, section 1; invariant I18.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import simplejson

from common.errors import KeyInFlight, KeyReused
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Patch, Replace, Snapshot, Write

#: After this long a request that has not answered is taken for dead. Two that overlap do no harm,
#: since every step of theirs happens once; the lease only saves the work.
LEASE = timedelta(seconds=5)
KEPT = timedelta(hours=48)
#: Fields of an answer that are never stored.
SECRET_FIELDS = frozenset({"clientSecret", "onboardingUrl", "url"})


class Replayed(Exception):
    """The key has an answer already."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__("replayed")
        self.status = status
        self.answer = answer


def body_hash(body: Mapping[str, Any]) -> str:
    """A body's hash, whatever the order of its fields."""
    text = simplejson.dumps(body, sort_keys=True, use_decimal=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Record:
    """The record of one key, as a guard of its request's unit of work."""

    caller: str
    action: str
    text: str
    body: str
    now: datetime
    owner: str = field(default_factory=lambda: secrets.token_hex(8))
    _was: Snapshot | None = None
    _open: bool = False
    _final: dict[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether this request's record stands."""
        return self._open

    @property
    def stands(self) -> bool:
        """Whether something was written under this key, now or by an attempt that did not end."""
        return self._open or self._was is not None

    @property
    def key(self) -> Key:
        """The record's document: a hash, so that a client's text names nothing."""
        parts = "\x1f".join((self.caller, self.action, self.text))
        return collections.idempotency(hashlib.sha256(parts.encode()).hexdigest()[:40])

    def meet(self, found: Snapshot) -> None:
        """Replay, refuse, or go on from an attempt that died."""
        if found.data is None:
            return
        if found.data["bodyHash"] != self.body:
            raise KeyReused
        if "answer" in found.data:
            raise Replayed(
                found.data["status"], simplejson.loads(found.data["answer"], use_decimal=True)
            )
        if found.data["owner"] != self.owner and found.data["leaseUntil"] > self.now:
            raise KeyInFlight
        self._was = found

    def opening(self, writes: Sequence[Write] = ()) -> Write | None:
        """The record without an answer, or another's taken over."""
        if self._open:
            return None
        data = {
            "caller": self.caller,
            "action": self.action,
            "bodyHash": self.body,
            "owner": self.owner,
            "leaseUntil": self.now + LEASE,
            "createdAt": self.now if self._was is None else self._was.require()["createdAt"],
            "expireAt": self.now + KEPT,
            **self._final,
        }
        return Create(self.key, data) if self._was is None else Replace(self._was, data)

    def opened(self) -> None:
        """The record stands; later commits only add the answer."""
        self._open = True

    def close(self, status: int, answer: Mapping[str, Any]) -> Write | None:
        """The answer, without its secrets, for the last commit.

        Returns:
            The write to add; None where the record is opened by that very commit and holds it.
        """
        text = simplejson.dumps(without_secrets(answer), use_decimal=True)
        self._final = {"status": status, "answer": text}
        return Patch(self.key, self._final) if self._open else None

    def releasing(self) -> Write:
        """End the lease: the outcome is open and the same key shall go on at once."""
        return Patch(self.key, {"leaseUntil": self.now})


def without_secrets(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as it may be stored."""
    return {name: value for name, value in answer.items() if name not in SECRET_FIELDS}
