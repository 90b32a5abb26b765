"""reporting: what operators and bookkeepers ask of the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.auth.caller import Role
from common.http.app import Action, Processor
from functions.reporting import reconcile

if TYPE_CHECKING:
    from flask import Request, Response

PROCESSOR = Processor(
    "reporting",
    {
        "RECONCILE": Action(
            reconcile.Request,
            reconcile.handle,
            frozenset({Role.OPERATOR, Role.SCHEDULER}),
        ),
    },
)


def reporting(request: Request) -> Response:
    """The entry point."""
    return PROCESSOR(request)
