"""The emulator's time: real time plus an offset, frozen while one request or timer runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Clock:
    """
    Seconds since the epoch.

    While something runs the time stands still (``freeze``), so that one request sees one instant
    and a timer that is run late sees the instant it was due at.
    """

    def __init__(self, offset_seconds: int = 0, file: Path | None = None) -> None:
        self.offset_seconds = offset_seconds
        self._file = file
        self._frozen: float | None = None
        self._shown: float | None = None
        self.publish()

    def main_time(self) -> float:
        """The emulator's own time, whatever a test clock shows."""
        return time.time() + self.offset_seconds if self._frozen is None else self._frozen

    def time(self) -> float:
        """The time of what is running: a test clock's, or the emulator's own."""
        return self.main_time() if self._shown is None else self._shown

    def now(self) -> int:
        return int(self.time())

    def main_now(self) -> int:
        return int(self.main_time())

    @contextmanager
    def showing(self, at: float | None) -> Iterator[None]:
        """Within the block the time is a test clock's; None changes nothing."""
        before, self._shown = self._shown, at if at is not None else self._shown
        try:
            yield
        finally:
            self._shown = before

    def freeze(self, at: float | None = None) -> None:
        self._frozen = None
        self._frozen = self.main_time() if at is None else at

    def thaw(self) -> None:
        self._frozen = None

    def move(self, seconds: int) -> None:
        """Shift the offset and tell the rest of the local stack through the clock file."""
        self.offset_seconds += seconds
        self.publish()

    def publish(self) -> None:
        """Write ``{"offset_seconds": N}`` in one step: readers never see half a file."""
        if self._file is None:
            return
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        temporary.write_text(json.dumps({"offset_seconds": self.offset_seconds}), encoding="utf-8")
        os.replace(temporary, self._file)
