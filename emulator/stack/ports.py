"""Which port everything listens on, and who holds one that is taken."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil

from emulator.stack.errors import StackError

HOST = "127.0.0.1"
"""Everything binds to loopback: the stack believes unsigned tokens."""

SPAN = 20
"""Ports that one stack may use from its base on."""

PROCESSORS = (
    "booking-processor",
    "stripe-connect",
    "stripe-webhook",
    "payout-manager",
    "refund-processor",
    "reporting",
)
"""The functions' names in URLs, in the order of their own ports."""


@dataclass(frozen=True)
class Ports:
    """The ports of one stack; ``functions`` is the gateway's, ``servers`` the functions' own."""

    functions: int
    stripe: int
    firestore: int
    auth: int
    servers: tuple[int, ...]

    def named(self) -> Iterator[tuple[str, int]]:
        """(what listens, port) for every port that this stack binds; the Auth emulator's is
        only looked at."""
        yield "functions (gateway)", self.functions
        yield "Stripe emulator", self.stripe
        yield "Firestore emulator", self.firestore
        yield from zip(PROCESSORS, self.servers, strict=True)


DEFAULT = Ports(8080, stripe=12111, firestore=8085, auth=9099, servers=(*range(8090, 8096),))


def from_base(base: int | None) -> Ports:
    """The default ports, or all of them moved to ``base`` and the 19 after it."""
    if base is None:
        return DEFAULT
    if not 1024 <= base <= 65535 - SPAN:
        raise StackError(f"--port-base must lie between 1024 and {65535 - SPAN}, not {base}.")
    return Ports(base, base + 1, base + 2, base + 3, (*range(base + 10, base + 16),))


def is_free(port: int) -> bool:
    """Whether a server could bind the port now (a connection in TIME_WAIT does not hinder)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def require_free(named: Iterable[tuple[str, int]]) -> None:
    """Raise StackError naming every taken port, its holder where known, and the way around."""
    taken = [(name, port) for name, port in named if not is_free(port)]
    if not taken:
        return
    lines = [f"port {port} for {name} is taken by {holder(port)}" for name, port in taken]
    raise StackError(
        "; ".join(lines)
        + ".\nEnd that process, or move the whole stack with --port-base N (make up PORT_BASE=N)."
    )


def holder(port: int) -> str:
    """Who listens on the port, as far as this user may know: 'java (pid 42)'."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            here = connection.laddr and connection.laddr.port == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (pid {process.pid})"
    except psutil.Error:  # not ours to see: the port is taken all the same
        return "a process of another user"
    return "another process"


def free_base(first: int = 24000, last: int = 32000) -> int:
    """A multiple of ``SPAN`` from ``first`` on whose whole span is free.

    Any of them, so that two who ask at once do not take the same; below 32768, where Linux begins
    to hand out ports to outgoing connections.
    """
    bases = list(range(first, last, SPAN))
    random.shuffle(bases)
    for base in bases:
        if all(is_free(port) for port in range(base, base + SPAN)):
            return base
    raise StackError(f"no {SPAN} free ports in a row between {first} and {last}.")
