"""Links of our own documents, as a reader on a code host follows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from emulator.stack.up import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def broken_links(document: Any) -> list[str]:
    """The relative links of a document whose file is not there."""
    path = Path(document)
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    return [
        link
        for link in links
        if "://" not in link
        and not link.startswith("mailto:")
        and not (path.parent / link).exists()
    ]
