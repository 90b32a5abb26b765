"""Faults that tests plant: the next matching requests fail before or after their effect."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from typing import Any

import psutil

from emulator.stripe.errors import StripeError

MODES = (
    "error_before", "error_after", "timeout_before", "timeout_after", "reset_after", "hold_before",
    "hold_after", "kill_before", "kill_after",
)  # fmt: skip


@dataclass
class Fault:
    """One planted fault; it goes once ``times`` requests have met it."""

    method: str
    path: re.Pattern[str]
    mode: str
    times: int
    status: int
    code: str | None
    seconds: float

    def meets(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and self.path.fullmatch(path) is not None

    @property
    def kind(self) -> str:
        return self.mode.partition("_")[0]

    @property
    def before(self) -> bool:
        return self.mode.endswith("_before")

    def error(self) -> StripeError:
        """What the caller is told by ``error_before`` and ``error_after``."""
        type = "card_error" if self.status == 402 else "api_error" if self.status >= 500 else None
        message = f"A fault planted in the emulator ({self.mode})."
        if self.status == 429:
            code = self.code or "rate_limit"
            return StripeError(
                429, message, code=code, retry=True if code == "lock_timeout" else None
            )
        return StripeError(
            self.status, message, type=type or "invalid_request_error", code=self.code
        )


def parse_fault(given: dict[str, Any]) -> Fault:
    """A fault of the control API's JSON; raises a 400 that names what is wrong with it."""
    known = {"method", "path", "mode", "times", "status", "code", "seconds"}
    for name in given:
        if name not in known:
            raise StripeError(400, f"Unknown member '{name}' of a fault.", param=name)
    if given.get("mode") not in MODES:
        raise StripeError(400, f"mode must be one of {', '.join(MODES)}", param="mode")
    try:
        pattern = re.compile(str(given.get("path", ".*")))
    except re.error as exc:
        raise StripeError(400, f"path is not a regular expression: {exc}", param="path") from exc
    for name, fallback, least in (("times", 1, 1), ("status", 500, 400), ("seconds", 5, 0)):
        value = given.get(name, fallback)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < least:
            raise StripeError(400, f"{name} must be a number of at least {least}", param=name)
    return Fault(
        method=str(given.get("method", "*")).upper(),
        path=pattern,
        mode=given["mode"],
        times=int(given.get("times", 1)),
        status=int(given.get("status", 500)),
        code=given.get("code"),
        seconds=float(given.get("seconds", 5)),
    )


class Faults:
    """The faults in force, in order of planting."""

    def __init__(self) -> None:
        self._planted: list[Fault] = []

    def plant(self, fault: Fault) -> None:
        self._planted.append(fault)

    def clear(self) -> None:
        self._planted.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, which is used up by one."""
        for fault in self._planted:
            if fault.meets(method, path):
                fault.times -= 1
                if fault.times <= 0:
                    self._planted.remove(fault)
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        return [
            {
                "method": fault.method,
                "path": fault.path.pattern,
                "mode": fault.mode,
                "times": fault.times,
            }
            for fault in self._planted
        ]


def kill_peer(peer: tuple[str, int], own: tuple[str, int]) -> int | None:
    """
    SIGKILL the process on this machine whose socket is the other end of a connection.

    Returns its pid, or None when it is not found or not one that may be killed: the emulator
    itself, pid 1, another user's process.
    """
    pid = _owner(peer, own)
    if pid is None or pid in (1, os.getpid(), os.getppid()):
        return None
    try:
        if psutil.Process(pid).uids().real != os.getuid():
            return None
        os.kill(pid, signal.SIGKILL)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None
    return pid


def _owner(local: tuple[str, int], remote: tuple[str, int]) -> int | None:
    for connection in psutil.net_connections(kind="tcp"):
        if not connection.laddr or not connection.raddr:
            continue
        ends = (connection.laddr.port, connection.raddr.port)
        if ends == (local[1], remote[1]) and connection.pid is not None:
            return int(connection.pid)
    return None
