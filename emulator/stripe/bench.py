"""
Measures the emulator beside localstripe, in one run: ``python -m emulator.stripe.bench``.

localstripe is installed from PyPI into a virtual environment of its own under a temporary folder.
Both answer the same mix of requests over the same HTTP client, in alternating rounds; the figures
are medians. A second table shows how the emulator's rate holds as objects accumulate.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

LOCALSTRIPE = "localstripe==1.15.10"
ROUNDS = 3
CALLERS = 8


@dataclass(frozen=True)
class Server:
    """Something that answers Stripe requests."""

    name: str
    url: str
    key: str
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time the server has used, which other work on the machine does not change."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def emulator(*options: str) -> Iterator[Server]:
    """Our own emulator in a process of its own."""
    command = [sys.executable, "-m", "emulator.stripe", "--port", str(free_port()), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        yield Server("emulator", ready["url"], ready["secretKey"], process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextlib.contextmanager
def localstripe(folder: Path) -> Iterator[Server | None]:
    """localstripe in its own environment; None where it cannot be installed."""
    python = folder / "venv" / "bin" / "python"
    try:
        venv.create(folder / "venv", with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", LOCALSTRIPE, "setuptools<81"],
            check=True,
            capture_output=True,
            timeout=300,
        )
    except (subprocess.SubprocessError, OSError) as exc:
        print(f"localstripe could not be installed: {exc}", file=sys.stderr)
        yield None
        return
    port = free_port()
    process = subprocess.Popen(
        [python, "-m", "localstripe", "--port", str(port), "--from-scratch"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        key = "_".join(("sk", "test", "1"))
        yield _await(Server("localstripe", f"http://127.0.0.1:{port}", key, process.pid))
    finally:
        process.terminate()
        process.wait(10)


def _await(server: Server) -> Server | None:
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return server
        time.sleep(0.1)
    return None


async def play(server: Server, requests: int) -> float:
    """Requests a second of customers made, changed, read and listed by several callers at once."""
    headers = {"Authorization": f"Bearer {server.key}"}
    url = f"{server.url}/v1/customers"
    async with aiohttp.ClientSession(headers=headers) as session:

        async def call(method: str, path: str, data: dict[str, str] | None = None) -> str:
            async with session.request(method, url + path, data=data) as answer:
                got = await answer.json()
            assert answer.status == 200, got
            return str(got.get("id"))

        async def caller(number: int) -> None:
            for n in range(requests // CALLERS // 4):
                made = await call("POST", "", {"email": f"c{number}@example.com"})
                await call("POST", f"/{made}", {"metadata[n]": str(n)})
                await call("GET", f"/{made}")
                await call("GET", "?limit=3")

        begun = time.perf_counter()
        await asyncio.gather(*(caller(number) for number in range(CALLERS)))
        return requests / (time.perf_counter() - begun)


async def pay(server: Server, payments: int) -> float:
    """Requests a second of payments: an intent made and confirmed at once, then read."""
    headers = {"Authorization": f"Bearer {server.key}"}
    intent = {
        "amount": "20000",
        "currency": "usd",
        "confirm": "true",
        "payment_method": "pm_card_visa",
    }
    async with aiohttp.ClientSession(headers=headers) as session:

        async def caller(number: int) -> None:
            url = f"{server.url}/v1/payment_intents"
            for _ in range(payments // CALLERS):
                async with session.post(url, data=intent) as answer:
                    made = await answer.json()
                assert answer.status == 200, made
                async with session.get(f"{url}/{made['id']}") as got:
                    await got.read()

        begun = time.perf_counter()
        await asyncio.gather(*(caller(number) for number in range(CALLERS)))
        return 2 * payments / (time.perf_counter() - begun)


def compare(servers: list[Server], requests: int) -> None:
    """The same mix against each server, round by round."""
    rates: dict[str, list[float]] = {server.name: [] for server in servers}
    for _ in range(ROUNDS):
        for server in servers:
            rates[server.name].append(asyncio.run(play(server, requests)))
    print(f"customers: create, update, retrieve, list; {CALLERS} callers, {ROUNDS} x {requests}")
    for name, found in rates.items():
        print(f"  {name:12} {statistics.median(found):8.0f} requests/s")
    if len(rates) == 2:
        ours, theirs = (statistics.median(found) for found in rates.values())
        print(f"  ratio        {ours / theirs:8.1f}")


def grow(server: Server, sizes: list[int]) -> None:
    """The same mix with more and more objects in the store."""
    print("growth: objects in the store -> requests/s of the mix above, of payments;")
    print("        the server's CPU milliseconds a request, likewise")
    made = 0
    for size in sizes:
        while made < size:
            batch = min(20_000, (size - made) * 4)
            asyncio.run(play(server, max(batch, CALLERS * 4)))
            made += max(batch, CALLERS * 4) * 3 // 4  # a customer and its two events
        begun = server.cpu_seconds()
        rate = asyncio.run(play(server, 1600))
        between = server.cpu_seconds()
        paid = asyncio.run(pay(server, 400))
        after = server.cpu_seconds()
        made += 1600 * 3 // 4 + 400 * 8
        costs = ((between - begun) / 1600 * 1e3, (after - between) / 800 * 1e3)
        print(f"  {size:8} {rate:8.0f} {paid:8.0f} {costs[0]:8.2f} {costs[1]:8.2f}")


def main(argv: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="emulator.stripe.bench")
    options.add_argument("--requests", type=int, default=2000)
    options.add_argument("--sizes", type=int, nargs="*", default=[100, 10_000, 100_000])
    options.add_argument("--alone", action="store_true", help="without localstripe")
    chosen = options.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, emulator() as ours:
        if chosen.alone:
            compare([ours], chosen.requests)
        else:
            with localstripe(Path(folder)) as theirs:
                compare([ours, *([theirs] if theirs else [])], chosen.requests)
    with emulator() as fresh:
        grow(fresh, chosen.sizes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
