"""One function under functions-framework, exactly as it is deployed, started again when it dies."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp

from emulator.stack import process as processes
from emulator.stack.errors import StackError
from emulator.stack.ports import HOST
from emulator.stack.process import Process

LONGEST_START_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 5.0
"""Between two restarts of a server that dies again at once."""


def command(name: str, port: int) -> list[str]:
    """The deployed command line: gunicorn, one worker, no debugger."""
    target = name.replace("-", "_")
    line = [sys.executable, "-m", "functions_framework", "--target", target]
    return [*line, "--source", "main.py", "--host", HOST, "--port", str(port)]


class FunctionServer:
    """A function's server process; ``ready`` says whether the gateway may send it requests."""

    def __init__(
        self,
        name: str,
        port: int,
        *,
        env: Mapping[str, str],
        root: Path,
        log: Path,
        session: aiohttp.ClientSession,
        on_restart: Callable[[str, int, int], None],
    ) -> None:
        """``on_restart(name, exit code, new pid)`` is told of every start after the first."""
        self.name, self.port = name, port
        self.ready = False
        self.restarts = 0
        self._env, self._root, self._log, self._session = env, root, log, session
        self._on_restart = on_restart
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process that the stack restarts (gunicorn's master); None before the start."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start it and wait until it answers; StackError with its last words if it does not."""
        self._process = await self._spawn()
        await self._until_ready(self._process)

    async def keep_running(self) -> None:
        """Start it again whenever it ends; runs until cancelled. ``start`` comes first."""
        assert self._process is not None
        quick_deaths = 0
        while True:
            code = await self._process.wait()
            self.ready = False
            await asyncio.sleep(_pause_seconds(quick_deaths))
            self._process = await self._spawn()
            self.restarts += 1
            self._on_restart(self.name, code, self._process.pid)
            try:
                await self._until_ready(self._process)
                quick_deaths = 0
            except StackError:  # died again, or hangs: its log says why; the pause grows
                quick_deaths += 1
                await self._process.stop()

    async def stop(self) -> None:
        self.ready = False
        if self._process is not None:
            await self._process.stop()

    async def _spawn(self) -> Process:
        return await processes.start(
            self.name,
            command(self.name, self.port),
            env=self._env,
            cwd=self._root,
            log=self._log,
        )

    async def _until_ready(self, process: Process) -> None:
        deadline = asyncio.get_running_loop().time() + LONGEST_START_SECONDS
        last = "it accepts no connection"
        while process.exit_code is None and asyncio.get_running_loop().time() < deadline:
            try:
                last = await self._ask()
            except (aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(0.05)
                continue
            if not last:
                self.ready = True
                return
            await asyncio.sleep(0.2)
        ended = f"ended with {process.exit_code}" if process.exit_code is not None else last
        raise StackError(f"{self.name} did not start: {ended}.\n{process.last_lines()}")

    async def _ask(self) -> str:
        """Send the empty request, which every function must refuse in JSON; '' if it does."""
        async with self._session.post(
            self.url + "/",
            data=b"{}",
            headers={"Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=10),
        ) as answer:
            is_json = answer.content_type == "application/json"
            if 400 <= answer.status < 500 and is_json:
                return ""
            return f"it answers an empty request with {answer.status} {answer.content_type}"


def _pause_seconds(quick_deaths: int) -> float:
    """Nothing for a server that was well, then 0.5, 1, 2 … seconds."""
    return min(LONGEST_PAUSE_SECONDS, 0.25 * 2**quick_deaths) if quick_deaths else 0.0
