"""When a provider's payouts are due. Pure.

Source: contract, sections 3 (SET_PAYOUT_SCHEDULE) and 5 (``payoutSchedule`` of a profile).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from common.money import BadAmount, parse_major

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a provider is paid.

    Attributes:
        interval: MANUAL, DAILY, WEEKLY or MONTHLY.
        anchor: The weekday (0 is Monday) or the day of the month (1 to 31; the month's last where
            it has fewer).
        minimum: Below this, in major units as the profile says it, nothing is paid; None: no limit.
    """

    interval: str = "DAILY"
    anchor: int = 0
    minimum: Any = None

    def due(self, day: date) -> bool:
        """Whether payouts go out on a day."""
        if self.interval == "DAILY":
            return True
        if self.interval == "WEEKLY":
            return day.weekday() == self.anchor
        if self.interval == "MONTHLY":
            return day.day == min(self.anchor, monthrange(day.year, day.month)[1])
        return False

    def least(self, currency: str) -> int:
        """The minimum in a currency's minor units, at least one."""
        if self.minimum is None:
            return 1
        try:
            return max(1, parse_major(self.minimum, currency).amount)
        except BadAmount:
            return 1


def parse(value: object) -> Schedule:
    """The schedule in a profile; what makes no sense is read as the default, which pays daily."""
    if not isinstance(value, Mapping):
        return Schedule()
    interval = str(value.get("interval", "DAILY")).upper()
    if interval not in ("MANUAL", "DAILY", "WEEKLY", "MONTHLY"):
        return Schedule()
    minimum = value.get("minimumAmount")
    shown = None if minimum is None or isinstance(minimum, bool) else str(minimum)
    return Schedule(interval, _anchor(interval, value.get("anchor")), shown)


def _anchor(interval: str, anchor: object) -> int:
    if interval == "WEEKLY":
        name = str(anchor).upper()[:3]
        return WEEKDAYS.index(name) if name in WEEKDAYS else 0
    if interval == "MONTHLY":
        whole = isinstance(anchor, int) and not isinstance(anchor, bool) and 1 <= anchor <= 31
        return int(str(anchor)) if whole else 1
    return 0
