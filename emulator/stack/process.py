"""One child process in a group of its own, with its output in a file."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TETHER = str(Path(__file__).with_name("tether.py"))
KILLED_AFTER_SECONDS = 4.0
"""How long SIGTERM may take: gunicorn would wait 30 s for a request that is held on purpose."""


@dataclass
class Process:
    """A running child; ``pid`` also is the id of its process group (gunicorn's workers)."""

    name: str
    log: Path
    log_start: int
    _child: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self._child.returncode

    async def wait(self) -> int:
        """Wait for its end, and see to it that nothing of its group is left."""
        code = await self._child.wait()
        self._signal_group(signal.SIGKILL)
        return code

    async def stop(self) -> None:
        """End the whole group: SIGTERM, then SIGKILL for whoever stays."""
        if self.exit_code is None:
            self._signal_group(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._child.wait(), KILLED_AFTER_SECONDS)
            except TimeoutError:
                self._signal_group(signal.SIGKILL)
                await self._child.wait()
        self._signal_group(signal.SIGKILL)

    def output(self) -> str:
        """What it wrote since it started (the file may hold earlier runs)."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            return file.read().decode("utf-8", "replace")

    def last_lines(self, count: int = 15) -> str:
        return "\n".join(self.output().rstrip().splitlines()[-count:])

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # nobody left in it (macOS says EPERM for a group of zombies)


async def start(
    name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path
) -> Process:
    """Start ``command`` tied to this process (see tether.py), its output appended to ``log``."""
    tethered = [sys.executable, "-I", "-S", TETHER, str(os.getpid()), *command]
    with log.open("ab") as output:
        begins = output.tell()  # now: the child shares, and moves, the file's position
        child = await asyncio.create_subprocess_exec(
            *tethered,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
        return Process(name, log, begins, child)
