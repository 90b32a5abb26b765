"""GET_METRICS: the guide's key metrics of any time, from totals that the ledger's commits keep.

Source: guide (key metrics); contract, section 3; docs/reporting.md.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from common.clock import rfc3339
from common.context import Answer, Context
from common.http.command import Command, Instant
from common.reporting import metrics, totals
from common.reporting.windows import Window
from common.store.store import Filter


class Request(Command):
    """Which time, and how it is divided; days, weeks and months are UTC's."""

    from_: Instant = Field(alias="from")
    to: Instant
    group_by: Literal["day", "week", "month", "category"] | None = None


def handle(command: Request, context: Context) -> Answer:
    """Rates and amounts of [from, to); a rate of nothing is null."""
    window = Window.of(command.from_, command.to)
    cells = totals.cells(context.services.store, window)
    opened, onboarded = _accounts(context, window)
    answer: Answer = {
        "from": rfc3339(window.start),
        "to": rfc3339(window.end),
        "byCurrency": {
            code: {**figures, **_disputes(context, window, code)}
            for code, figures in metrics.by_currency(cells).items()
        },
        "onboardingCompletionRate": metrics.rate(onboarded, opened),
        "accountsOpened": opened,
        "accountsOnboarded": onboarded,
    }
    if command.group_by is not None:
        answer["groupBy"] = command.group_by
        answer["groups"] = metrics.grouped(cells, command.group_by)
    return answer


def _disputes(context: Context, window: Window, code: str) -> Answer:
    """Card disputes of a currency that ended in the window, by their end."""
    won, lost = (
        context.services.store.count(
            "disputes",
            [
                ("currency", "==", code),
                ("status", "==", end),
                ("closedAt", ">=", window.start),
                ("closedAt", "<", window.end),
            ],
        )
        for end in ("won", "lost")
    )
    return {
        "disputeWinRate": metrics.rate(won, won + lost),
        "disputesWon": won,
        "disputesLost": lost,
    }


def _accounts(context: Context, window: Window) -> tuple[int, int]:
    """Connected accounts opened in the window, and those of them that are onboarded by now."""
    store = context.services.store
    opened: list[Filter] = [("createdAt", ">=", window.start), ("createdAt", "<", window.end)]
    complete: Filter = ("onboardingComplete", "==", True)
    return store.count("accounts", opened), store.count("accounts", [complete, *opened])
