"""``python -m emulator up``: the whole local stack, read from top to bottom.

    Stripe emulator ──> two webhook endpoints ──> six function servers ──> everything answers
    Firestore (Java) ─────────────────────────────────────────────────────────┘
    bytecode of our own modules ──────────────────┘        gateway listens from the beginning

What does not depend on another starts beside it. Until the last one answers, any failure ends
them all with the reason; from then on a function server that dies is started again, and the end
of an emulator, which would take its data along, ends the stack.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

import emulator
from emulator.stack import (
    bytecode,
    environment,
    firestore,
    gateway,
    java,
    page,
    ports,
    stripe_server,
)
from emulator.stack import process as processes
from emulator.stack.concurrent import in_thread, together
from emulator.stack.environment import StripeAccess
from emulator.stack.errors import StackError
from emulator.stack.function_server import FunctionServer
from emulator.stack.options import Options, parse
from emulator.stack.ports import HOST, PROCESSORS
from emulator.stack.process import Process
from emulator.stack.view import View

ROOT = Path(emulator.__file__).absolute().parents[1]
"""The deployed archive's root: main.py, functions, common, firestore.rules."""

FIRESTORE_START_SECONDS = 60.0


def main(argv: Sequence[str]) -> int:
    """Start the stack and stay until a signal; 0 after a clean end, 1 where it could not go on."""
    try:
        options = parse(argv)
    except StackError as problem:
        View(sys.stderr).failed(str(problem))
        return 2
    view = View(sys.stderr if options.json else sys.stdout)
    try:
        return asyncio.run(_run(options, view))
    except StackError as problem:
        view.failed(str(problem))
        return 1


async def _run(options: Options, view: View) -> int:
    """Start, report, wait for the end; whatever happens, nothing is left running."""
    view.title(f"Local stack of {options.project}")
    _require_possible(options)
    ended = _signals()
    with _folders(options) as (run_dir, logs):
        stack = Stack(options, view, run_dir, logs)
        try:
            starting = asyncio.ensure_future(stack.start())
            if not await _first(starting, ended):
                return 0
            stack.report()
            watching = asyncio.ensure_future(stack.until_an_emulator_ends())
            await _first(watching, ended)
            view.note("ending every process …")
        except StackError as problem:
            raise StackError(f"{problem}\nLogs: {logs}") from problem
        finally:
            await stack.stop()
    return 0


def _require_possible(options: Options) -> None:
    """Refuse, before anything starts, what cannot end well."""
    if not (ROOT / "main.py").is_file():
        raise StackError(f"{ROOT} has no main.py with the functions' entry points.")
    if options.real_stripe:
        stripe_server.real_stripe(os.environ)
    elsewhere = {"Stripe emulator"} if options.real_stripe else set()
    ports.require_free((n, p) for n, p in options.ports.named() if n not in elsewhere)


class Stack:
    """The processes of one stack and the order in which they start."""

    def __init__(self, options: Options, view: View, run_dir: Path, logs: Path) -> None:
        self.options, self.view, self.run_dir, self.logs = options, view, run_dir, logs
        self.ports = options.ports
        self.stripe: StripeAccess | None = None
        self.emulators: dict[str, Process] = {}
        self.servers: dict[str, FunctionServer] = {}
        self._cleanup = contextlib.AsyncExitStack()
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def functions_url(self) -> str:
        return f"http://{HOST}:{self.ports.functions}"

    async def start(self) -> None:
        """Start everything; returns when all of it answers, or raises StackError."""
        self._session = await self._cleanup.enter_async_context(gateway.client_session())
        await together(self._start_gateway(), self._start_firestore(), self._functions())
        self._keepers = [asyncio.create_task(s.keep_running()) for s in self.servers.values()]

    async def _functions(self) -> None:
        """Stripe first, since its webhook secrets are part of the functions' environment."""
        await together(bytecode.compile_ours(ROOT), self._start_stripe())
        assert self.stripe is not None
        env = environment.functions_env(os.environ, self.options, self.stripe, self.run_dir)
        for name, port in zip(PROCESSORS, self.ports.servers, strict=True):
            self.servers[name] = FunctionServer(
                name,
                port,
                env=environment.own_runtime_dir(env, self.run_dir, port),
                root=ROOT,
                log=self.logs / f"{name}.log",
                session=self._session,
                on_restart=self._restarted,
            )
        await together(*map(self._start_server, self.servers.values()))

    async def _start_stripe(self) -> None:
        if self.options.real_stripe:
            self.stripe = stripe_server.real_stripe(os.environ)
            return
        line = stripe_server.command(
            self.ports.stripe, environment.clock_file(self.run_dir), self.options.state
        )
        process = await self._spawn("stripe", line)
        told = await stripe_server.ready_line(process)
        webhook_url = f"{self.functions_url}/stripe-webhook"
        self.stripe = await in_thread(lambda: stripe_server.make_endpoints(told, webhook_url))
        self.view.ready("Stripe emulator", told["url"])

    async def _start_firestore(self) -> None:
        found_java, jar = await in_thread(self._find_firestore)
        rules = ROOT / "firestore.rules"
        line = firestore.command(found_java, jar, self.ports.firestore, self.options.project, rules)
        process = await self._spawn("firestore", line)
        where = f"{HOST}:{self.ports.firestore}"
        deadline = self.view.elapsed() + FIRESTORE_START_SECONDS
        while not await self._answers(f"http://{where}/"):
            if process.exit_code is not None or self.view.elapsed() > deadline:
                raise StackError(f"The Firestore emulator did not start.\n{process.last_lines()}")
            await asyncio.sleep(0.05)
        self.view.ready("Firestore emulator", f"{where} (Java {found_java.version})")

    def _find_firestore(self) -> tuple[java.Java, Path]:
        """Blocking: looks at files, runs ``java -version``, may download or install."""
        jar = firestore.find_jar(os.environ, self.view.doing)
        needed = java.needed_by(jar, firestore.MAIN_CLASS)
        return java.find(needed, os.environ, ROOT, self.view.doing), jar

    async def _start_gateway(self) -> None:
        app = gateway.application(self.servers, self._session, page.index(self.description))
        runner = await gateway.listen(app, self.ports.functions)
        self._cleanup.push_async_callback(runner.cleanup)

    async def _start_server(self, server: FunctionServer) -> None:
        await server.start()
        self.view.ready(server.name, f"{self.functions_url}/{server.name} (pid {server.pid})")

    async def _spawn(self, name: str, line: list[str]) -> Process:
        """Start an emulator's process; one of each name."""
        env = environment.base_env(os.environ, self.run_dir)
        log = self.logs / f"{name}.log"
        process = await processes.start(name, line, env=env, cwd=ROOT, log=log)
        self.emulators[name] = process
        return process

    async def _answers(self, url: str) -> bool:
        try:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                return answer.status < 500
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    def _restarted(self, name: str, code: int, pid: int) -> None:
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self.view.changed(name, f"started again after {how} (pid {pid})")

    def description(self) -> dict[str, object]:
        """What the JSON line says (contract, section 6), as of this moment."""
        real, auth = self.options.real_stripe, self.ports.auth
        access = self.stripe
        running = {name: process.pid for name, process in self.emulators.items()}
        running |= {name: server.pid or 0 for name, server in self.servers.items()}
        return {
            "functions": self.functions_url,
            "stripe": access.api_base or "https://api.stripe.com" if access else None,
            "firestore": f"{HOST}:{self.ports.firestore}",
            "auth": f"{HOST}:{auth}" if ports.answers(auth) else None,
            "project": self.options.project,
            # A real key is the person's own: they have it, and a pipe's log need not.
            "stripeKey": access.secret_key if access and not real else None,
            "publishableKey": access.publishable_key if access else None,
            "webhookSecrets": [access.platform_webhook_secret, access.connect_webhook_secret]
            if access and not real
            else [],
            "processes": running,
            "servers": {name: server.url for name, server in self.servers.items()},
            "logs": str(self.logs),
        }

    def report(self) -> None:
        """Say that everything answers: a table for a person, the JSON line for a program."""
        told = self.description()
        self.view.title(f"Ready after {self.view.elapsed():.1f} s. Ctrl-C ends it.")
        self.view.table({k: str(told[k]) for k in ("functions", "stripe", "firestore", "logs")})
        if self.options.json:
            print(json.dumps(told), flush=True)

    async def until_an_emulator_ends(self) -> None:
        """Wait for the end nobody asked for; raises StackError naming the one that ended."""
        waits = {asyncio.create_task(p.wait()): p for p in self.emulators.values()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        gone = waits[done.pop()]
        raise StackError(
            f"The {gone.name} emulator ended with {gone.exit_code}, and its data with it, "
            f"so the stack ends too.\n{gone.last_lines()}"
        )

    async def stop(self) -> None:
        """End everything that was started, the functions before what they lean on."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(server.stop() for server in self.servers.values()))
        await asyncio.gather(*(process.stop() for process in self.emulators.values()))
        await self._cleanup.aclose()


def _signals() -> asyncio.Event:
    """An event that SIGINT, SIGTERM and SIGHUP set."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


async def _first(work: asyncio.Future[None], ended: asyncio.Event) -> bool:
    """Wait for the work or for a signal; True if the work ended well, False at a signal."""
    signalled = asyncio.ensure_future(ended.wait())
    both: set[asyncio.Future[Any]] = {work, signalled}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            return True
        return False
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


@contextlib.contextmanager
def _folders(options: Options) -> Iterator[tuple[Path, Path]]:
    """(the run's own folder, the logs'). Gone after a clean end; kept after a failure, for its
    logs, and where the person chose the logs' place."""
    run_dir = Path(tempfile.mkdtemp(prefix="local-stack-"))
    logs = options.logs or run_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    yield run_dir, logs
    shutil.rmtree(run_dir, ignore_errors=True)  # not reached when the body raised
