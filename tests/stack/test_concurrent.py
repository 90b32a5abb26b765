"""Work side by side: the first failure ends the rest, and a thread never holds up the end."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from emulator.stack.concurrent import in_thread, together
from emulator.stack.errors import StackError


def test_a_failure_cancels_the_others_and_comes_out_as_itself() -> None:
    cancelled = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise StackError("no port")

    async def nested() -> None:
        await together(waits(), fails())

    with pytest.raises(StackError, match="no port"):
        asyncio.run(together(nested(), waits()))
    assert cancelled == [True, True]


def test_a_mistake_of_ours_is_not_hidden_behind_a_stack_error() -> None:
    async def mistaken() -> None:
        raise KeyError("url")

    with pytest.raises(KeyError):
        asyncio.run(together(mistaken()))


def test_a_thread_gives_its_result_or_its_error() -> None:
    def fails() -> int:
        raise StackError("no Java")

    assert asyncio.run(in_thread(lambda: 42)) == 42
    with pytest.raises(StackError, match="no Java"):
        asyncio.run(in_thread(fails))


def test_a_thread_that_is_no_longer_wanted_does_not_hold_up_the_end() -> None:
    release = threading.Event()

    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_thread(lambda: release.wait(30)), 0.05)

    begun = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - begun < 5
    release.set()
