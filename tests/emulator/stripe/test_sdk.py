"""Stripe's official SDK drives every operation, by its sync and by its async methods.

The tests beside this one drive them by the sync methods. Here the same tests run once more, every
call going through its asynchronous twin; what answered with success is noted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.stripe.registry import operations
from tests.emulator.stripe import clients

HERE = Path(__file__)
#: Only a refund that waits for its customer can be cancelled, which a card's never does, and only a
#: draft that belongs to no subscription deleted. Their refusals are tested; there is no success.
NEVER_POSSIBLE = {"POST /v1/refunds/{id}/cancel", "DELETE /v1/invoices/{id}"}


@pytest.mark.timeout(480)
def test_the_sdk_drives_every_operation_by_async_calls_as_well(tmp_path: Path) -> None:
    driven = tmp_path / "driven.txt"
    line = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "ignore",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*line, "-p", "no:cacheprovider", "--ignore", str(HERE), str(HERE.parent)],
        cwd=HERE.parents[3],
        env={**os.environ, clients.MODE: "async", clients.DRIVEN: str(driven)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    seen = set(driven.read_text().splitlines()) | NEVER_POSSIBLE
    assert {f"{one.method} {one.path}" for one in operations()} - seen == set()
