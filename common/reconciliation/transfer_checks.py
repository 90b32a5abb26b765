"""When each transfer was made: not before the money was earned, free and payable. Pure.

What stood when is told by the audit rows: each says what a booking's holds and a provider's account
had become by it.
Source: invariant I7.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from common.bookings.model import Booking
from common.reconciliation.evidence import Evidence, Mismatch, of_ours

State = Mapping[str, Any]
#: What a request had looked at when it asked for a transfer is at most as old as a request; what
#: was written within that time, it could not know of.
A_REQUEST = timedelta(seconds=60)
_SECOND = timedelta(seconds=1)  # Stripe's times are whole seconds


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Every transfer for a booking of ours against what stood at its time."""
    bookings = {booking.id: booking for booking in evidence.bookings()}
    lines = _timelines(evidence)
    for id_, transfer in sorted(evidence.stripe.transfers.items()):
        booking = bookings.get(of_ours(transfer, "bookingId") or "")
        if booking is None or of_ours(transfer, "payoutId") is None:
            continue
        made = datetime.fromtimestamp(transfer["created"], UTC)
        about = (id_, booking.id)
        line = lines[f"bookings/{booking.id}"]
        if early := _early(booking, line, made):
            yield Mismatch("transfer.too_early", "I7", early, about)
        if unfunded := _unfunded(booking, transfer, evidence):
            yield Mismatch("transfer.unfunded", "I7", unfunded, about)
        held = line.all_along(made, lambda state: state.get("holds"))
        if held:
            told = f"it was made while it was held for {', '.join(held['holds'])}"
            yield Mismatch("transfer.held", "I7", told, about)
        if lines[f"profiles/{booking.provider_id}"].all_along(made, _shut):
            told = "the provider's account could not be paid then"
            yield Mismatch("transfer.not_payable", "I7", told, about)


def _shut(state: State) -> bool:
    return state["stripeAccountStatus"] != "ACTIVE" or not state["stripePayoutsEnabled"]


def _early(booking: Booking, line: Timeline, made: datetime) -> str | None:
    """Why a transfer was made too early; None where it was not.

    A compensation makes what is earned eligible anew: what counts is when it first was.
    """
    eligible = min((s["eligibleAt"] for s in line.states if s.get("eligibleAt")), default=None)
    for what, at in (("earned", booking.earned_at), ("eligible", eligible)):
        if at is None or made + _SECOND <= at:
            return f"it was made at {made.isoformat()}, the booking was {what} at {at}"
    return None


def _unfunded(booking: Booking, transfer: Mapping[str, Any], evidence: Evidence) -> str | None:
    """Why a transfer's charge did not pay for it; None where it did."""
    source, paid = transfer.get("source_transaction"), booking.payment.get("chargeId")
    if source not in (None, paid):  # none: from our balance, where the charge cannot any more
        return f"it is funded by {source}, not by the booking's charge"
    charge = evidence.stripe.charges.get(str(paid))
    if charge is None or charge["status"] != "succeeded" or not charge["captured"]:
        return f"the charge {paid} has not succeeded"
    if charge["created"] > transfer["created"]:
        return f"the charge {paid} came later"
    return None


class Timeline:
    """What one document had become, and when."""

    def __init__(self) -> None:
        self._changes: list[tuple[datetime, State]] = []

    def add(self, at: datetime, state: State) -> None:
        """The next change. An instance whose clock is behind does not turn back time."""
        last = self._changes[-1][0] if self._changes else at
        self._changes.append((max(at, last), state))

    @property
    def states(self) -> Iterator[State]:
        """All that it became, the oldest first."""
        return (state for _, state in self._changes)

    def all_along(self, until: datetime, is_so: Callable[[State], Any]) -> State | None:
        """The state that was so all through the last ``A_REQUEST`` before an instant; else None."""
        times = [at for at, _ in self._changes]
        first = bisect_right(times, until - A_REQUEST)
        if first == 0:
            return None  # nothing was known of it as long ago as that
        within = self._changes[first - 1 : bisect_right(times, until + _SECOND)]
        states = [state for _, state in within]
        return states[-1] if all(is_so(state) for state in states) else None


def _timelines(evidence: Evidence) -> Mapping[str, Timeline]:
    lines: dict[str, Timeline] = defaultdict(Timeline)
    rows = sorted(
        ((row["at"], path, state) for _, row in evidence.documents("audit")
         for path, state in row["states"].items() if _in_time(path, state)),
        key=lambda one: (one[2].get("version", 0), one[0]),
    )  # fmt: skip
    for at, path, state in rows:
        lines[path].add(at, state)
    return lines


def _in_time(path: str, state: State) -> bool:
    if path.startswith("profiles/"):
        return "stripeAccountStatus" in state
    return path.startswith("bookings/") and "holds" in state
