"""What a person sees while the stack starts: one line a step, with the time it took."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TextIO

GREEN, RED, YELLOW, FAINT, BOLD = "32", "31", "33", "2", "1"


def wants_colour(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Colours only on a terminal, and not where NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


class View:
    """Writes progress to a stream; every line carries the seconds since the start."""

    def __init__(self, stream: TextIO, env: Mapping[str, str] = os.environ) -> None:
        self._stream = stream
        self._colour = wants_colour(stream, env)
        self._begun = time.monotonic()

    def elapsed(self) -> float:
        """Seconds since the view was made."""
        return time.monotonic() - self._begun

    def title(self, text: str) -> None:
        self._line(self._paint(BOLD, text))

    def doing(self, what: str) -> None:
        self._step(self._paint(FAINT, "…"), what, "")

    def ready(self, what: str, where: str = "") -> None:
        self._step(self._paint(GREEN, "✓"), what, where)

    def changed(self, what: str, detail: str = "") -> None:
        self._step(self._paint(YELLOW, "↻"), what, detail)

    def failed(self, text: str) -> None:
        self._line(self._paint(RED, "✗ ") + text)

    def table(self, rows: Mapping[str, str]) -> None:
        width = max(map(len, rows), default=0)
        for name, value in rows.items():
            self._line(f"    {name:<{width}}  {value}")

    def note(self, text: str) -> None:
        self._line(self._paint(FAINT, text))

    def _step(self, mark: str, what: str, detail: str) -> None:
        seconds = self._paint(FAINT, f"{self.elapsed():5.1f} s")
        self._line(f"  {mark} {seconds}  {what:<20} {detail}".rstrip())

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _line(self, text: str) -> None:
        try:
            print(text, file=self._stream, flush=True)
        except UnicodeEncodeError:  # a terminal without UTF-8
            print(text.encode("ascii", "replace").decode(), file=self._stream, flush=True)
        except BrokenPipeError:  # whoever read the progress has gone; the stack goes on
            self._stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
