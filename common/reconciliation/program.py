"""The one program that judges the books: as RECONCILE and wherever they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from common.reconciliation import (
    audit_checks,
    booking_checks,
    books_checks,
    figure_checks,
    flight_checks,
    hold_checks,
    ledger_checks,
    place_checks,
    provider_checks,
    stripe_checks,
    subscription_checks,
    transfer_checks,
)
from common.reconciliation.evidence import Evidence, Mismatch

CHECKS: tuple[Callable[[Evidence], Iterator[Mismatch]], ...] = (
    ledger_checks.check,
    figure_checks.check,
    booking_checks.check,
    place_checks.check,
    provider_checks.check,
    stripe_checks.check,
    subscription_checks.check,
    transfer_checks.check,
    books_checks.check,
    audit_checks.check,
    flight_checks.check,
    hold_checks.check,
)


def judge(evidence: Evidence) -> list[Mismatch]:
    """Everything in the evidence that must not be; an empty list means that the books are right."""
    return [mismatch for check in CHECKS for mismatch in check(evidence)]
