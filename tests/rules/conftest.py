"""A project of its own in the Firestore emulator, with the repository's rules in force."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.stack import firestore as launcher
from emulator.stack import java

from .firestore_rest import FirestoreOfCaller, load_rules, unsigned_token

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@pytest.fixture(scope="session")
def firestore_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of a Firestore emulator of these tests' own.

    The emulator alone starts in two seconds, the whole stack in ten, and rules need no more.
    """
    port = _free_port()
    jar = launcher.find_jar(os.environ, print)
    runtime = java.find(java.needed_by(jar, launcher.MAIN_CLASS), os.environ, ROOT, print)
    line = launcher.command(runtime, jar, port, "demo-rules", ROOT / "firestore.rules")
    log = tmp_path_factory.mktemp("firestore") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            line, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_until_open(port, process, log)
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def project(firestore_address: str) -> str:
    """A fresh project that follows firestore.rules."""
    name = f"demo-rules-{secrets.token_hex(4)}"
    load_rules(firestore_address, name, (ROOT / "firestore.rules").read_text())
    return name


@pytest.fixture(scope="session")
def server(firestore_address: str, project: str) -> FirestoreOfCaller:
    """The functions' standing: no rule binds it."""
    return FirestoreOfCaller(firestore_address, project, "owner")


AsCaller = Callable[..., FirestoreOfCaller]


@pytest.fixture(scope="session")
def as_caller(firestore_address: str, project: str) -> AsCaller:
    """``as_caller(uid, **claims)``; no uid: not signed in."""

    def build(uid: str | None, **claims: object) -> FirestoreOfCaller:
        token = None if uid is None else unsigned_token(project, uid, claims)
        return FirestoreOfCaller(firestore_address, project, token)

    return build


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        time.sleep(0.1)
    raise AssertionError(f"no answer within {START_SECONDS} s: {log.read_text()[-2000:]}")
