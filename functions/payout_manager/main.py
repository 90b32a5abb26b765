"""payout-manager: what a provider has earned, and its way to their bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.http.app import Action, Processor
from functions.payout_manager import earnings, pauses, payouts, run_scheduled_payouts

if TYPE_CHECKING:
    from flask import Request, Response

PROCESSOR = Processor(
    "payout-manager",
    {
        "CALCULATE_EARNINGS": Action(earnings.Request, earnings.handle),
        "SCHEDULE_PAYOUT": Action(payouts.ScheduleRequest, payouts.schedule),
        "INSTANT_PAYOUT": Action(payouts.InstantRequest, payouts.instant),
        "GET_PAYOUT_HISTORY": Action(payouts.HistoryRequest, payouts.history),
        "CANCEL_PAYOUT": Action(payouts.CancelRequest, payouts.cancel),
        "PAUSE_PAYOUTS": Action(pauses.PauseRequest, pauses.pause),
        "RESUME_PAYOUTS": Action(pauses.ResumeRequest, pauses.resume),
        "RUN_SCHEDULED_PAYOUTS": Action(
            run_scheduled_payouts.Request,
            run_scheduled_payouts.handle,
        ),
    },
)


def payout_manager(request: Request) -> Response:
    """The entry point."""
    return PROCESSOR(request)
