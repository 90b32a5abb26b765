"""payout-manager: what a provider has earned, and its way to their bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.auth.caller import Role
from common.http.app import Action, Processor
from functions.payout_manager import earnings, pauses, payouts, run_scheduled_payouts

if TYPE_CHECKING:
    from flask import Request, Response

_SELF = frozenset({Role.PROVIDER, Role.OPERATOR})

PROCESSOR = Processor(
    "payout-manager",
    {
        "CALCULATE_EARNINGS": Action(earnings.Request, earnings.handle, _SELF, changes=False),
        "SCHEDULE_PAYOUT": Action(payouts.ScheduleRequest, payouts.schedule, _SELF),
        "INSTANT_PAYOUT": Action(payouts.InstantRequest, payouts.instant, _SELF),
        "GET_PAYOUT_HISTORY": Action(payouts.HistoryRequest, payouts.history, _SELF, changes=False),
        "CANCEL_PAYOUT": Action(payouts.CancelRequest, payouts.cancel, _SELF),
        "PAUSE_PAYOUTS": Action(pauses.PauseRequest, pauses.pause, frozenset({Role.OPERATOR})),
        "RESUME_PAYOUTS": Action(pauses.ResumeRequest, pauses.resume, frozenset({Role.OPERATOR})),
        "RUN_SCHEDULED_PAYOUTS": Action(
            run_scheduled_payouts.Request,
            run_scheduled_payouts.handle,
            frozenset({Role.SCHEDULER, Role.OPERATOR}),
        ),
    },
)


def payout_manager(request: Request) -> Response:
    """The entry point."""
    return PROCESSOR(request)
