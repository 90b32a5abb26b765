"""``python -m emulator demo``: start the stack, play every chapter, say whether all of it held."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import requests
import stripe

from emulator.demo.chapters import CHAPTERS
from emulator.demo.functions import Refused
from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen
from emulator.stack.errors import StackError
from emulator.stack.handle import running_stack
from emulator.stack.ports import free_base

START_SECONDS = 900.0
"""The very first start may download the Firestore emulator and Java."""


def main(argv: Sequence[str]) -> int:
    """Play the demo; 0 if every expectation held, 1 if one did not or the stack did not start."""
    base = _parse(argv)
    screen, begun = Screen(sys.stdout), time.monotonic()
    try:
        base = base if base is not None else free_base()
        with running_stack(["--port-base", str(base)], timeout_seconds=START_SECONDS) as stack:
            play(Marketplace.on(stack), screen)
    except StackError as problem:
        screen.differs(str(problem))
    except KeyboardInterrupt:
        return 130
    return verdict(screen, time.monotonic() - begun)


def _parse(argv: Sequence[str]) -> int | None:
    parser = argparse.ArgumentParser(
        prog="python -m emulator demo",
        description="Starts a stack of its own, plays the life of a marketplace, prints the books.",
    )
    parser.add_argument(
        "--port-base", type=int, metavar="N", help="the stack's first port (default: free ones)"
    )
    chosen: int | None = parser.parse_args(argv).port_base
    return chosen


def play(market: Marketplace, screen: Screen) -> None:
    """Every chapter in turn; one that cannot go on ends the story, since the next build on it."""
    for number, (title, chapter) in enumerate(CHAPTERS, 1):
        screen.chapter(f"{number:>2}  {title}")
        try:
            chapter(market, screen)
        except (Refused, stripe.StripeError, requests.RequestException, LookupError) as problem:
            screen.differs(f"'{title}' ended early: {type(problem).__name__}: {problem}")
            return


def verdict(screen: Screen, seconds: float) -> int:
    """Say how it ended; the exit code."""
    if screen.differences:
        screen.chapter(f"{len(screen.differences)} of what was expected did not hold:")
        for sentence in screen.differences:
            screen.line(f"  - {sentence}")
        return 1
    screen.chapter(f"All {screen.held} expectations held; the books are balanced. {seconds:.0f} s")
    return 0
