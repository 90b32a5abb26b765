"""Cancellation policies: which percent of the price a cancellation gives back, and until when.

A policy is frozen on the booking when it is made: what is stored is the tiers themselves, so a
change of the tables below never reaches a booking that exists.

Source: contract, section 4 (policies).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal, cast

PolicyName = Literal["FLEXIBLE", "MODERATE", "STRICT", "CUSTOM"]

#: Ten years, in hours; a tier beyond it is a slip of the pen, and keeps time arithmetic in range.
MOST_HOURS_BEFORE: Final = 87_600
MOST_TIERS: Final = 50


class BadPolicy(ValueError):
    """A cancellation policy that makes no sense.

    Attributes:
        problem: What is wrong, as words that follow a field's name.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Tier:
    """Until ``hours_before`` the start (that instant included), ``refund_percent`` goes back."""

    hours_before: int
    refund_percent: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Tiers with strictly falling hours and percents that never rise; after the last one, 0."""

    name: PolicyName
    tiers: tuple[Tier, ...]

    def percent_at(self, start: datetime, now: datetime) -> int:
        """
        The percent of the price that a cancellation at ``now`` gives back.

        Args:
            start: When the booking starts, with an offset.
            now: When it is cancelled, with an offset. Exactly at an edge counts as before it.

        Returns:
            0 to 100; 0 from the first instant after the start.
        """
        # Python subtracts two times of one zone by their wall clocks, which a clock change
        # between them would falsify by an hour; in UTC the difference is real time.
        ahead = start.astimezone(UTC) - now.astimezone(UTC)
        if ahead < timedelta(0):
            return 0
        for tier in self.tiers:
            if ahead >= timedelta(hours=tier.hours_before):
                return tier.refund_percent
        return 0

    def as_document(self) -> dict[str, object]:
        """``{"name": …, "tiers": [{"hoursBefore": …, "refundPercent": …}, …]}``, for a booking."""
        tiers = [
            {"hoursBefore": tier.hours_before, "refundPercent": tier.refund_percent}
            for tier in self.tiers
        ]
        return {"name": self.name, "tiers": tiers}

    @staticmethod
    def from_document(document: object) -> Policy:
        """
        The policy that ``as_document`` wrote, with its tiers as they were then.

        Raises:
            BadPolicy: The document is not one.
        """
        if not isinstance(document, Mapping):
            raise BadPolicy("must be an object with name and tiers")
        name = document.get("name")
        if name != CUSTOM and name not in POLICIES:
            raise BadPolicy(f"has no name of {_NAMES}")
        return Policy(cast(PolicyName, name), _tiers(document.get("tiers")))


CUSTOM: Final = "CUSTOM"

POLICIES: Final[Mapping[str, Policy]] = {
    "FLEXIBLE": Policy("FLEXIBLE", (Tier(24, 100), Tier(0, 50))),
    "MODERATE": Policy("MODERATE", (Tier(120, 100), Tier(24, 50))),
    "STRICT": Policy("STRICT", (Tier(336, 100), Tier(168, 50))),
}

_NAMES: Final = "FLEXIBLE, MODERATE, STRICT or CUSTOM"


def parse_policy(value: object) -> Policy:
    """
    Read a service's ``cancellationPolicy``.

    Args:
        value: FLEXIBLE, MODERATE or STRICT in any case; or the service's own tiers,
            ``[{"hoursBefore": 48, "refundPercent": 80}, …]``; None where the service names none.

    Returns:
        The policy; FLEXIBLE where none is named, the kindest to the customer, who was shown none.

    Raises:
        BadPolicy: An unknown name, or tiers that do not fall.
    """
    if value is None:
        return POLICIES["FLEXIBLE"]
    if isinstance(value, str):
        named = POLICIES.get(value.strip().upper())
        if named is None:
            raise BadPolicy(
                "must be FLEXIBLE, MODERATE or STRICT, or a list of {hoursBefore, refundPercent}"
            )
        return named
    return Policy(CUSTOM, _tiers(value))


def _tiers(value: object) -> tuple[Tier, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray):
        raise BadPolicy("must be a list of {hoursBefore, refundPercent}")
    if not 1 <= len(value) <= MOST_TIERS:
        raise BadPolicy(f"must have 1 to {MOST_TIERS} tiers")
    tiers = tuple(_tier(item) for item in value)
    for earlier, later in pairwise(tiers):
        if later.hours_before >= earlier.hours_before:
            raise BadPolicy("must have strictly falling hoursBefore")
        if later.refund_percent > earlier.refund_percent:
            raise BadPolicy("must have refundPercents that never rise")
    return tiers


def _tier(item: object) -> Tier:
    if not isinstance(item, Mapping) or set(item) != {"hoursBefore", "refundPercent"}:
        raise BadPolicy("must have exactly hoursBefore and refundPercent in each tier")
    return Tier(
        _whole(item["hoursBefore"], "hoursBefore", MOST_HOURS_BEFORE),
        _whole(item["refundPercent"], "refundPercent", 100),
    )


def _whole(value: object, name: str, most: int) -> int:
    # Firestore clients in JavaScript write whole numbers as doubles.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= most:
        raise BadPolicy(f"must have a whole number from 0 to {most} as {name}")
    return value
