"""Serves the stand-in for Stripe.js."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.stripe.app import Emulator

_FILE = Path(__file__).with_name("data") / "stripe.js"


def script(emulator: Emulator) -> str:
    """The script, told where the emulator's API is."""
    return _FILE.read_text(encoding="utf-8").replace("__API__", emulator.world.config.url)
