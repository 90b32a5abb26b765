"""docs/reconciliation.md lists the checker's kinds, all of them and no others."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MOVED = ("charge", "transfer", "reversal")  # stripe_checks names these three alike


def kinds_in_the_code() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "common" / "reconciliation").glob("*_checks.py"):
        for kind in re.findall(
            r'(?:Mismatch\(|kind = [^"]*|, )\s*f?"([a-z_{}]+\.[a-z_{}]+)"', path.read_text()
        ):
            if kind.startswith("{kind}"):
                found |= {kind.replace("{kind}", name) for name in _MOVED}
            elif "{name}" in kind:
                names = ("held", "available", "claimed", "paid", "parked", "count")
                found |= {kind.replace("{name}", name) for name in names}
            else:
                found.add(kind)
    return found


def test_every_kind_of_mismatch_is_explained() -> None:
    page = (ROOT / "docs" / "reconciliation.md").read_text()
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    listed = set(re.findall(r"`([a-z]+\.[a-z_]+)`", table))
    assert listed == kinds_in_the_code()
