"""reporting: what operators and bookkeepers ask of the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.http.app import Action, Processor
from functions.reporting import (
    export_transactions,
    get_metrics,
    get_statement,
    get_tax_summary,
    reconcile,
)

if TYPE_CHECKING:
    from flask import Request, Response

PROCESSOR = Processor(
    "reporting",
    {
        "GET_METRICS": Action(get_metrics.Request, get_metrics.handle),
        "GET_STATEMENT": Action(get_statement.Request, get_statement.handle),
        "EXPORT_TRANSACTIONS": Action(export_transactions.Request, export_transactions.handle),
        "GET_TAX_SUMMARY": Action(get_tax_summary.Request, get_tax_summary.handle),
        "RECONCILE": Action(
            reconcile.Request,
            reconcile.handle,
        ),
    },
)


def reporting(request: Request) -> Response:
    """The entry point."""
    return PROCESSOR(request)
