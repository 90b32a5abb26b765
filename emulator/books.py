"""``python -m emulator books``: judge the books of a stack that runs, as RECONCILE does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from emulator.demo.functions import Functions
from emulator.stack.handle import describe
from emulator.stack.ports import DEFAULT


def main(argv: Sequence[str]) -> int:
    """Print balances and mismatches; 0 if there is none, 1 if there is, 2 without a stack."""
    parser = argparse.ArgumentParser(prog="python -m emulator books", description=__doc__)
    parser.add_argument(
        "--port-base", type=int, default=DEFAULT.functions, metavar="N", help="where it runs"
    )
    url = f"http://127.0.0.1:{parser.parse_args(argv).port_base}"
    try:
        stack = describe(url)
    except OSError as problem:
        print(f"No stack answers at {url} ({problem}); start one by make up.", file=sys.stderr)
        return 2
    told = Functions(url, stack["project"]).sign_in("operator", operator=True)
    return _print(told.post("reporting", "RECONCILE"))


def _print(books: dict[str, Any]) -> int:
    for currency, sums in books["byCurrency"].items():
        print(currency, "  ".join(f"{name} {amount}" for name, amount in sums.items()))
    for mismatch in books["mismatches"]:
        ids = ", ".join(mismatch["objects"])
        print(f"✗ {mismatch['kind']} ({mismatch['invariant']}): {mismatch['problem']} [{ids}]")
    print(f"{books['transactions']} ledger transactions, {len(books['mismatches'])} mismatches")
    return 0 if books["balanced"] else 1
