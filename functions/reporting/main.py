"""reporting: what operators and bookkeepers ask of the books."""

from __future__ import annotations

from common.auth.caller import Role
from common.http.app import Action, Processor
from functions.reporting import reconcile

reporting = Processor(
    "reporting",
    {
        "RECONCILE": Action(
            reconcile.Request,
            reconcile.handle,
            frozenset({Role.OPERATOR, Role.SCHEDULER}),
        ),
    },
)
