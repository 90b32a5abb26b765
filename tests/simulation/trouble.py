"""What goes wrong on purpose: Stripe's answers, the functions' processes, the webhooks."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from emulator.stack.handle import describe
from tests.simulation.town import Stack

#: The Stripe requests that functions make. The customers' own confirmations are not among them:
#: a planted kill must never meet this process.
PATHS = (
    ("POST", r"/v1/payment_intents"),
    ("POST", r"/v1/payment_intents/[^/]+/cancel"),
    ("POST", r"/v1/refunds"),
    ("POST", r"/v1/transfers"),
    ("POST", r"/v1/transfers/[^/]+/reversals"),
    ("POST", r"/v1/payouts"),
    ("GET", r"/v1/payment_intents/[^/]+"),
    ("GET", r"/v1/balance_transactions/[^/]+"),
    ("GET", r"/v1/disputes/[^/]+"),
    ("GET", r"/v1/payouts/[^/]+"),
    ("GET", r"/v1/(refunds|transfers|payouts|payment_intents)"),
    ("GET", r"/v1/events"),
    ("GET", r"/v1/balance"),
)
#: Calls that move money are worth more trouble than the others.
_WEIGHTS = (3, 3, 6, 6, 5, 6, 2, 2, 2, 2, 1, 1, 1)
MODES = (
    "error_before", "error_after", "timeout_before", "timeout_after", "reset_after",
    "kill_before", "kill_after",
)  # fmt: skip
_HARMLESS = tuple(mode for mode in MODES if not mode.startswith("kill"))
_ERRORS = (500, 500, 503, 429, 409)
FUNCTIONS = (
    "booking-processor", "stripe-connect", "stripe-webhook", "payout-manager", "refund-processor",
)  # fmt: skip


@dataclass
class Trouble:
    """Plants faults and counts them by kind.

    Attributes:
        deadly: Whether processes may be killed; not where this one makes the requests itself.
    """

    stack: Stack
    deadly: bool = True
    counts: Counter[str] = field(default_factory=Counter)

    def fault(
        self,
        random: Random,
        paths: Sequence[tuple[str, str]] = PATHS,
        weights: Sequence[int] = _WEIGHTS,
    ) -> str:
        """One planted fault on one kind of Stripe request; returns what it is."""
        method, path = random.choices(paths, weights)[0]
        mode = random.choice(MODES if self.deadly else _HARMLESS)
        times = random.choice((1, 1, 2, 3, 5))
        more: dict[str, object] = {}
        if mode.startswith("error"):
            more["status"] = random.choice(_ERRORS)
        if mode.startswith("timeout"):
            more["seconds"] = 0.2
        if mode.startswith("kill"):
            times = 1
        self.stack.control.fault(method, path, mode, times, **more)
        self.counts[mode] += 1
        return f"fault {mode} x{times} {more or ''} on {method} {path}"

    def webhooks(self, random: Random) -> str:
        """Deliveries misbehave from now on."""
        mode = random.choice(("hold", "drop", "duplicate", "reverse"))
        self.stack.control.webhooks(mode)
        self.counts[f"webhooks {mode}"] += 1
        return f"webhooks {mode}"

    def kill(self, random: Random) -> str:
        """A function's process dies, whatever it is doing."""
        name = random.choice(FUNCTIONS)
        if not self.deadly:
            return f"{name} lives on"
        pid = describe(self.stack.running.functions)["processes"][name]
        self.counts["process killed"] += 1
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            return f"{name} was dead already"
        return f"killed {name}"

    def calm(self) -> None:
        """No fault is left and every delivery that was held goes out."""
        control = self.stack.control
        control.clear_faults()
        control.release_faults()
        control.webhooks("normal")
        control.release_webhooks()
        control.idle()
