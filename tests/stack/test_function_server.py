"""A function's server starts, dies and comes back; the functions here are the test's own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from emulator.stack import function_server, gateway
from emulator.stack.errors import StackError
from emulator.stack.function_server import FunctionServer
from emulator.stack.ports import free_base
from tests.stack.test_process import gone, until_gone

WELL = """
import functions_framework, json, os

@functions_framework.http
def reporting(request):
    body = json.dumps({"pid": os.getpid()})
    return body, 401, {"Content-Type": "application/json"}
"""
BROKEN = "raise RuntimeError('the settings are wrong')\n"

Step = Callable[[FunctionServer], Awaitable[None]]
Restarts = list[tuple[str, int, int]]


def ready(server: FunctionServer) -> bool:
    """Read anew each time, which a type checker does not expect of an attribute."""
    return server.ready


def with_server(tmp_path: Path, source: str, step: Step) -> Restarts:
    """Run ``step`` on a server of ``source``, not yet started; returns the restarts told."""
    (tmp_path / "main.py").write_text(source)
    told: Restarts = []

    async def run() -> None:
        async with gateway.client_session() as session:
            server = FunctionServer(
                "reporting",
                free_base(),
                env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
                root=tmp_path,
                log=tmp_path / "reporting.log",
                session=session,
                on_restart=lambda *what: told.append(what),
            )
            try:
                await step(server)
            finally:
                await server.stop()

    asyncio.run(run())
    return told


def test_it_is_ready_once_it_refuses_an_empty_request_in_json(tmp_path: Path) -> None:
    async def step(server: FunctionServer) -> None:
        assert not ready(server)
        await server.start()
        assert ready(server)
        pid = server.pid
        assert pid is not None
        await server.stop()
        assert not ready(server)
        assert gone(pid)

    assert with_server(tmp_path, WELL, step) == []


def test_a_function_that_cannot_be_imported_fails_the_start_with_its_own_words(
    tmp_path: Path,
) -> None:
    async def step(server: FunctionServer) -> None:
        with pytest.raises(StackError) as refused:
            await server.start()
        assert "reporting did not start: ended with" in str(refused.value)
        assert "the settings are wrong" in str(refused.value)

    with_server(tmp_path, BROKEN, step)


def test_a_killed_server_is_started_again_and_told_with_its_signal(tmp_path: Path) -> None:
    async def step(server: FunctionServer) -> None:
        await server.start()
        keeper = asyncio.create_task(server.keep_running())
        first = server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            while server.pid == first or not server.ready:
                await asyncio.sleep(0.02)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        until_gone(first)
        assert server.restarts == 1

    told = with_server(tmp_path, WELL, step)
    assert [(name, code) for name, code, _ in told] == [("reporting", -signal.SIGKILL)]


def test_a_server_that_cannot_start_again_is_tried_until_it_can(tmp_path: Path) -> None:
    async def step(server: FunctionServer) -> None:
        await server.start()
        keeper = asyncio.create_task(server.keep_running())
        (tmp_path / "main.py").write_text(BROKEN)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while server.restarts < 2:
                await asyncio.sleep(0.02)
            assert not ready(server)
            (tmp_path / "main.py").write_text(WELL)
            while not ready(server):
                await asyncio.sleep(0.02)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)

    assert len(with_server(tmp_path, WELL, step)) >= 2


def test_only_a_server_that_dies_at_once_is_made_to_wait_and_never_long() -> None:
    pauses = [function_server._pause_seconds(deaths) for deaths in range(12)]
    assert pauses[0] == 0
    assert pauses[1] == 0.5
    assert pauses == sorted(pauses)
    assert pauses[-1] == function_server.LONGEST_PAUSE_SECONDS
