"""The options of ``python -m emulator up``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.stack.ports import Ports, from_base


@dataclass(frozen=True)
class Options:
    """What the person asked for."""

    ports: Ports
    json: bool = False
    state: Path | None = None
    project: str = "demo-marketplace"
    real_stripe: bool = False
    logs: Path | None = None
    extra_env: tuple[tuple[str, str], ...] = ()


def parse(argv: Sequence[str]) -> Options:
    """Read the command line; argparse ends the process with 2 where it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator up",
        description="Starts Firestore, Stripe and the six functions; stays until Ctrl-C.",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON line on stdout when everything answers"
    )
    parser.add_argument(
        "--port-base",
        type=int,
        metavar="N",
        help="functions on N, Stripe N+1, Firestore N+2, Auth N+3, servers from N+10 "
        "(default: 8080, 12111, 8085, 9099, 8090)",
    )
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="keep the Stripe emulator's state in FILE"
    )
    parser.add_argument(
        "--project", default="demo-marketplace", help="Google project (default: %(default)s)"
    )
    parser.add_argument(
        "--real-stripe",
        action="store_true",
        help="Stripe's test mode instead of the emulator: STRIPE_SECRET_KEY=sk_test_… and "
        "STRIPE_WEBHOOK_SECRET (what `stripe listen` prints) from the environment",
    )
    parser.add_argument(
        "--logs", type=Path, metavar="DIR", help="where the logs go (default: a temporary folder)"
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="one more variable for the functions; may be repeated",
    )
    chosen = parser.parse_args(argv)
    return Options(
        ports=from_base(chosen.port_base),
        json=chosen.json,
        state=chosen.state.absolute() if chosen.state else None,
        project=chosen.project,
        real_stripe=chosen.real_stripe,
        logs=chosen.logs.absolute() if chosen.logs else None,
        extra_env=tuple(chosen.env),
    )


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE")
    return name, value
