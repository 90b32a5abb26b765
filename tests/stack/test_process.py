"""Child processes end when they should, with everything they started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from emulator.stack import process
from emulator.stack.process import Process

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPS
PARENT_OF_ONE = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); "
    "print(child.pid, flush=True); child.wait()"
)


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition that must become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def until_gone(pid: int) -> None:
    until(lambda: gone(pid))


async def started(tmp_path: Path, *code: str) -> Process:
    """A Python child running ``code``, once it has printed something."""
    child = await process.start(
        "child",
        [sys.executable, "-c", *code],
        env={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
        log=tmp_path / "child.log",
    )
    while not child.output() and child.exit_code is None:
        await asyncio.sleep(0.02)
    return child


def test_stopping_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    async def run() -> tuple[int, int]:
        child = await started(tmp_path, PARENT_OF_ONE, SLEEPS)
        grandchild = int(child.output().split()[0])
        assert not gone(grandchild)
        await child.stop()
        return child.pid, grandchild

    for pid in asyncio.run(run()):
        until_gone(pid)


def test_a_process_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "KILLED_AFTER_SECONDS", 0.3)

    async def run() -> Process:
        child = await started(tmp_path, STUBBORN)
        await child.stop()
        return child

    assert asyncio.run(run()).exit_code == -signal.SIGKILL


def test_when_a_process_is_killed_its_own_children_go_too(tmp_path: Path) -> None:
    async def run() -> int:
        child = await started(tmp_path, PARENT_OF_ONE, STUBBORN)
        grandchild = int(child.output().split()[0])
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
        return grandchild

    pid = asyncio.run(run())
    until(lambda: gone(pid))


def test_stopping_twice_or_after_its_end_does_no_harm(tmp_path: Path) -> None:
    async def run() -> int | None:
        child = await started(tmp_path, "print('done')")
        await child.wait()
        await child.stop()
        await child.stop()
        return child.exit_code

    assert asyncio.run(run()) == 0


def test_the_log_keeps_earlier_runs_and_output_is_only_the_latest(tmp_path: Path) -> None:
    async def run() -> str:
        for word in ("first", "second"):
            child = await started(tmp_path, f"print('{word}')")
            await child.wait()
        return child.output()

    assert asyncio.run(run()) == "second\n"
    assert (tmp_path / "child.log").read_text() == "first\nsecond\n"


def test_the_last_words_are_cut_to_the_lines_asked_for(tmp_path: Path) -> None:
    async def run() -> str:
        child = await started(tmp_path, "[print(n) for n in range(100)]")
        await child.wait()
        return child.last_lines(3)

    assert asyncio.run(run()) == "97\n98\n99"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_child_ends_when_its_parent_is_killed_outright() -> None:
    code = (
        "import os, subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-I', '-S', sys.argv[1], str(os.getpid()),"
        " sys.executable, '-c', sys.argv[2]], start_new_session=True); "
        "print(child.pid, flush=True); child.wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, process.TETHER, SLEEPS], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert parent.stdout.readline() == "up\n"  # the child's own word: it is tied by now
        parent.kill()
        until(lambda: gone(child))
