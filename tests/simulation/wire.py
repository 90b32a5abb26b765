"""The clients' side of the wire: every request is kept until its outcome is known.

A client that got no final answer sends the same request with the same key again, as the contract
tells it to. What it was finally told is remembered, so that a repeat can be held against it.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.simulation.inside import Inside
from tests.simulation.town import Stack
from tests.support.api import Answer
from tests.sweep.faults import Faults

#: Never stored by the server, so a repeated answer has fresh ones.
_FRESH = ("clientSecret", "onboardingUrl", "url", "expiresAt")


@dataclass
class Request:
    """One request of one client."""

    caller: str
    processor: str
    action: str
    fields: dict[str, Any]
    key: str | None
    faults: Faults | None = None
    answer: Answer | None = None
    sent: int = 0

    def __str__(self) -> str:
        told = "no final answer" if self.answer is None else f"{self.answer.status}"
        kind = "" if self.answer is None else self.answer.json.get("type", "")
        shown = {k: v for k, v in self.fields.items() if k != "customerEmail"}
        return (
            f"{self.caller.rsplit('-', 2)[-2:]} {self.action} {shown} x{self.sent} -> {told} {kind}"
        )


def is_final(answer: Answer) -> bool:
    """Whether an answer closes the question; a key in flight, a limit and a 5xx do not."""
    if answer.status in (429, 500, 503):
        return False
    return answer.json.get("type") != "idempotency_key_in_flight"


@dataclass
class Wire:
    """All requests of one seed, and the log of what happened."""

    stack: Stack
    inside: Inside | None = None
    struck: Counter[str] = field(default_factory=Counter)
    requests: list[Request] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, line: str) -> None:
        """A line of the action log."""
        with self._lock:
            self.log.append(line)

    def send(self, request: Request) -> Answer | None:
        """Send a request for the first time, or again; None while its outcome is open."""
        with self._lock:
            if request not in self.requests:
                self.requests.append(request)
        request.sent += 1
        told = self._told(request)
        if told is None:
            return None
        if not is_final(told):
            self.say(f"{request} open {told.status} {told.json.get('type')}")
            if told.status == 500:
                self._problem(f"{request.action} answered 500: {told.text}")
            return None
        self._conclude(request, told)
        self.say(str(request))
        return told

    def _told(self, request: Request) -> Answer | None:
        """The first time perhaps in this process, with a fault; over HTTP from then on."""
        if self.inside is not None and request.sent == 1:
            return self._told_inside(self.inside, request, request.faults or Faults())
        api = self.stack.api
        who = api.as_operator() if request.caller == "operator" else api.as_user(request.caller)
        try:
            return who.post(
                request.processor, request.action, idempotency_key=request.key, **request.fields
            )
        except requests.RequestException as lost:
            self.say(f"{request} lost {type(lost).__name__}")
            return None

    def _told_inside(self, inside: Inside, request: Request, faults: Faults) -> Answer | None:
        body = {"action": request.action, **request.fields}
        told = inside.post(request.caller, request.processor, body, request.key, faults)
        if faults.struck is not None:
            kind = "commit" if faults.struck == "commit" else "call"
            self.struck[f"{kind} {faults.mode}"] += 1
            self.say(f"{request} met {faults.mode} at {faults.struck}")
        return told

    def _conclude(self, request: Request, told: Answer) -> None:
        first = request.answer
        if first is None:
            request.answer = told
            return
        if request.key is None or first.status != 200:
            return  # a refusal need not be kept: the world may have moved on
        if first.status != told.status or _lasting(first) != _lasting(told):
            self._problem(
                f"I18 {request} was answered {first.status} {first.text[:300]} and then "
                f"{told.status} {told.text[:300]}"
            )

    def _problem(self, text: str) -> None:
        with self._lock:
            self.problems.append(text)

    def open(self) -> list[Request]:
        """Requests with a key whose outcome their clients do not know."""
        return [one for one in self.requests if one.answer is None and one.key is not None]


def _lasting(answer: Answer) -> dict[str, Any]:
    return {k: v for k, v in answer.json.items() if k not in _FRESH}
