"""Two ways of doing things side by side that end well when one of them fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from emulator.stack.errors import StackError

T = TypeVar("T")


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Run all of it at once; the first StackError cancels the rest and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except BaseExceptionGroup as failed:
        told = failed.subgroup(StackError)
        raise _first_of(told or failed) from failed


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a daemon thread.

    Unlike ``asyncio.to_thread``, whose threads Python waits for at its end: Ctrl-C during a long
    download must end the stack now.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, problem: BaseException | None) -> None:
        if result.done():  # cancelled meanwhile
            return
        if problem is not None:
            result.set_exception(problem)
        else:
            result.set_result(value)  # type: ignore[arg-type]  # None only if T has it

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = (work(), None)
        except BaseException as problem:  # handed to whoever awaits the result
            outcome = (None, problem)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True, name="stack-work").start()
    return await result
