"""``python -m emulator up | demo | books | stripe``: one command line for the local stack."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

USAGE = """\
usage: python -m emulator COMMAND [options]

  up      start Firestore, Stripe and the six functions, and stay until Ctrl-C
  demo    start them, play the life of a marketplace, print the books
  books   judge the books of a stack that runs
  stripe  the Stripe emulator alone

python -m emulator COMMAND --help tells the options of each.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command named first in ``argv``; returns the exit code (2: not a command)."""
    if not argv or argv[0] in {"-h", "--help", "help"}:
        print(USAGE, end="")
        return 0
    command, rest = argv[0], list(argv[1:])
    run = _command(command)
    if run is None:
        print(f"'{command}' is not a command.\n\n{USAGE}", file=sys.stderr, end="")
        return 2
    return run(rest)


def _command(name: str) -> Callable[[list[str]], int] | None:
    """The command's entry point; imported on use, so that each starts without the others."""
    if name == "up":
        from emulator.stack.up import main as up

        return up
    if name == "demo":
        from emulator.demo.run import main as demo

        return demo
    if name == "books":
        from emulator.books import main as books

        return books
    if name == "stripe":
        from emulator.stripe.cli import main as stripe

        return stripe
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
