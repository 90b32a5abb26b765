"""Starts a whole stack for another program (the demo, the tests) and ends it with that program."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from emulator.stack.errors import StackError
from emulator.stack.process import TETHER
from emulator.stack.up import ROOT

ENDED_WITHIN_SECONDS = 15.0


@dataclass(frozen=True)
class RunningStack:
    """The JSON line of ``python -m emulator up`` as a value, plus the pid of that program."""

    functions: str
    stripe: str
    firestore: str
    auth: str | None
    project: str
    stripe_key: str
    publishable_key: str | None
    webhook_secrets: tuple[str, ...]
    processes: Mapping[str, int]
    servers: Mapping[str, str]
    logs: str
    pid: int

    def now(self) -> dict[str, Any]:
        """The description as of this moment (a restarted server has another pid)."""
        return describe(self.functions)


def describe(functions_url: str) -> dict[str, Any]:
    """Ask a stack's gateway what runs; the JSON line's fields. Never through a proxy."""
    request = urllib.request.Request(functions_url + "/", headers={"Accept": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        described: dict[str, Any] = json.load(answer)
        return described


@contextlib.contextmanager
def running_stack(
    options: Sequence[str] = (), *, progress: IO[Any] | None = None, timeout_seconds: float = 90.0
) -> Iterator[RunningStack]:
    """``python -m emulator up --json`` with these options, for the length of a with block.

    Args:
        options: As on the command line, e.g. ``["--port-base", "22000"]``.
        progress: Where the stack's progress goes; None: to our stderr. Needs a file descriptor.
        timeout_seconds: How long the start may take (a first one may download).

    Raises:
        StackError: It did not start; why is in what it wrote to ``progress``.
    """
    up = [sys.executable, "-m", "emulator", "up", "--json", *options]
    tether = [sys.executable, "-I", "-S", TETHER, str(os.getpid())]
    child = subprocess.Popen(
        [*tether, *up], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=progress
    )
    try:
        yield _await_line(child, timeout_seconds)
    finally:
        _end(child)


def _await_line(child: subprocess.Popen[bytes], timeout_seconds: float) -> RunningStack:
    assert child.stdout is not None
    hanging = threading.Timer(timeout_seconds, child.terminate)
    hanging.start()
    try:
        line = child.stdout.readline()
    finally:
        hanging.cancel()
    if not line:
        code = child.wait()
        raise StackError(f"the local stack did not start (exit code {code})")
    told = json.loads(line)
    return RunningStack(
        functions=told["functions"],
        stripe=told["stripe"],
        firestore=told["firestore"],
        auth=told["auth"],
        project=told["project"],
        stripe_key=told["stripeKey"] or os.environ.get("STRIPE_SECRET_KEY", ""),
        publishable_key=told["publishableKey"],
        webhook_secrets=tuple(told["webhookSecrets"]),
        processes=told["processes"],
        servers=told["servers"],
        logs=told["logs"],
        pid=child.pid,
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(ENDED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:  # the tether takes its processes down with it
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()
