"""refund-processor: what may go back to a customer, and its way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.http.app import Action, Processor
from functions.refund_processor import (
    card_disputes,
    dispute_refund,
    process_refund,
    quotes,
    resolve_refund_dispute,
    submit_evidence,
)

if TYPE_CHECKING:
    from flask import Request, Response

PROCESSOR = Processor(
    "refund-processor",
    {
        "CALCULATE_REFUND": Action(quotes.CalculateRequest, quotes.calculate),
        "PROCESS_REFUND": Action(process_refund.Request, process_refund.handle),
        "GET_REFUND_STATUS": Action(quotes.StatusRequest, quotes.status),
        "DISPUTE_REFUND": Action(
            dispute_refund.Request,
            dispute_refund.handle,
        ),
        "RESOLVE_REFUND_DISPUTE": Action(
            resolve_refund_dispute.Request, resolve_refund_dispute.handle
        ),
        "GET_DISPUTE": Action(card_disputes.GetRequest, card_disputes.get),
        "LIST_DISPUTES": Action(card_disputes.ListRequest, card_disputes.listing),
        "SUBMIT_DISPUTE_EVIDENCE": Action(submit_evidence.Request, submit_evidence.handle),
    },
)


def refund_processor(request: Request) -> Response:
    """The entry point."""
    return PROCESSOR(request)
