"""What the demo prints: chapters, steps, expectations that hold or do not, tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TextIO

from emulator.stack.view import BOLD, FAINT, GREEN, RED, wants_colour


def money(minor: int, currency: str = "USD") -> str:
    """Minor units as a person writes them: 1234567 is 12,345.67, in yen 1,234,567."""
    if currency == "JPY":
        return f"{minor:,}"
    sign, (whole, cents) = "-" if minor < 0 else "", divmod(abs(minor), 100)
    return f"{sign}{whole:,}.{cents:02d}"


class Screen:
    """Prints to a stream, and remembers every expectation that did not hold."""

    def __init__(self, stream: TextIO, env: Mapping[str, str] = os.environ) -> None:
        self._stream = stream
        self._colour = wants_colour(stream, env)
        self.held = 0
        self.differences: list[str] = []

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self.line(f"\n{self._paint(BOLD, title)}")

    def tell(self, what: str, detail: str = "") -> None:
        """Something happened; ``detail`` is usually a Stripe id."""
        self.line(f"    {what:<58} {self._paint(FAINT, detail)}".rstrip())

    def expect(self, what: str, got: object, wanted: object) -> None:
        """Compare; what differs is remembered and makes the demo end with 1."""
        if got == wanted:
            self.held += 1
            self.line(f"  {self._paint(GREEN, '✓')} {what:<58} {_said(got)}")
        else:
            self.differs(f"{what}: expected {wanted}, got {got}")

    def differs(self, sentence: str) -> None:
        """Something is not as it should be."""
        self.differences.append(sentence)
        self.line(f"  {self._paint(RED, '✗')} {sentence}")

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as they must be; figures to the right, words to the left."""
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        self.line("    " + self._paint(FAINT, _aligned(heads, widths, rows[0])))
        for row in rows:
            self.line("    " + _aligned(row, widths, row))

    def line(self, text: str) -> None:
        """One line as it stands; a terminal without UTF-8 gets question marks, not a failure."""
        encoding = self._stream.encoding or "utf-8"
        print(
            text.encode(encoding, "replace").decode(encoding, "replace"),
            file=self._stream,
            flush=True,
        )

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def _said(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _aligned(cells: Sequence[str], widths: Sequence[int], like: Sequence[str]) -> str:
    padded = [
        f"{cell:>{width}}" if _is_figure(model) else f"{cell:<{width}}"
        for cell, width, model in zip(cells, widths, like, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _is_figure(cell: str) -> bool:
    return cell.lstrip("-").replace(",", "").replace(".", "").isdigit() or cell == "–"
