"""Starts the emulator: ``python -m emulator stripe`` or ``python -m emulator.stripe``."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import secrets
import signal
import sys
from pathlib import Path

from aiohttp import web

from emulator.stripe.app import Emulator
from emulator.stripe.clock import Clock
from emulator.stripe.journal import SqliteJournal, StateFileError
from emulator.stripe.money import FeeSchedule
from emulator.stripe.registry import kinds
from emulator.stripe.settlement import parse
from emulator.stripe.world import Config, World

HOST = "127.0.0.1"
DEFAULT_PORT = 12111


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="emulator stripe", description="A stateful Stripe emulator on the loopback interface."
    )
    options.add_argument("--port", type=int, default=DEFAULT_PORT)
    options.add_argument("--state", type=Path, metavar="FILE", help="keep all state in this file")
    options.add_argument(
        "--clock-file", type=Path, metavar="FILE", help='write {"offset_seconds": N} here'
    )
    options.add_argument("--secret-key", metavar="KEY", help="default: a new test-mode key")
    options.add_argument("--publishable-key", metavar="KEY", help="default: a new test-mode key")
    options.add_argument("--fee-bps", type=int, default=290, help="Stripe's fee, basis points")
    options.add_argument("--fee-fixed", type=int, default=30, help="Stripe's fee, minor units")
    options.add_argument(
        "--settlement-currencies",
        metavar="LIST",
        help="usd,eur: charges in other currencies settle in the first; default: in their own",
    )
    options.add_argument("--seed", help="makes the ids repeatable; default: random")
    return options


def new_key(prefix: str) -> str:
    """A key in Stripe's test-mode form, made at run time."""
    return "_".join((prefix, "test", secrets.token_hex(24)))


def build(options: argparse.Namespace) -> Emulator:
    """The emulator that the options describe; call within the event loop."""
    journal = SqliteJournal(options.state) if options.state else None

    def kept(name: str, given: str | None, fresh: str) -> str:
        """What was given, else what the state file has, else something new."""
        value = given or (journal.get(name) if journal else None) or fresh
        if journal is not None:
            journal.set(name, value)
        return value

    config = Config(
        secret_key=kept("secret_key", options.secret_key, new_key("sk")),
        publishable_key=kept("publishable_key", options.publishable_key, new_key("pk")),
        url=f"http://{HOST}:{options.port}",
        seed=kept("seed", options.seed, secrets.token_hex(8)),
        fees=FeeSchedule(options.fee_bps, options.fee_fixed),
        settlement=parse(kept("settlement", options.settlement_currencies, "")),
    )
    offset = int((journal.get("offset") if journal else None) or 0)
    world = World(config, Clock(offset, options.clock_file), kinds(), journal)
    if journal is not None:
        journal.load(world)
    return Emulator(world)


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    emulator = build(options)
    # Objects live long; looking through all of them for garbage again and again is waste.
    gc.set_threshold(50_000, 20, 100)
    runner = web.ServerRunner(emulator.server(), shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, HOST, options.port).start()
    emulator.start()
    config = emulator.world.config
    ready = {
        "url": config.url,
        "secretKey": config.secret_key,
        "publishableKey": config.publishable_key,
    }
    print(json.dumps(ready), flush=True)
    await stop.wait()
    await emulator.close()
    await runner.cleanup()


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code; a port that is taken is 1 and a sentence."""
    options = parser().parse_args(argv)
    try:
        parse(options.settlement_currencies or "")
    except ValueError as exc:
        parser().error(f"--settlement-currencies: {exc}")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        asyncio.run(serve(options))
    except OSError as exc:
        print(f"The Stripe emulator cannot start on port {options.port}: {exc}", file=sys.stderr)
        return 1
    except StateFileError as exc:
        print(f"The Stripe emulator cannot use its state: {exc}", file=sys.stderr)
        return 1
    return 0
