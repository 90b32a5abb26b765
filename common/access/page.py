"""docs/access.md, made of the table: ``python -m common.access.page > docs/access.md``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from common.access.table import CONSEQUENCES, RULES, Rule
from common.auth.caller import Role

_NAMES = {
    Role.ANYONE: "anybody signed in",
    Role.CUSTOMER: "customer",
    Role.PROVIDER: "provider",
    Role.OPERATOR: "operator",
    Role.SCHEDULER: "scheduler",
}
_HEAD = """# Who may do what

Made of `common/access/table.py` by `python -m common.access.page`; a test keeps it current.

An action without a row cannot be called. Operators and the scheduler are what their token says;
customer and provider are what the caller is to the object named in the last column. Whoever is
nothing to that object gets the 404 of an unknown id, a party whose act it is not a 403.

Whatever changes something leaves a row in `auditLog`, in the same commit: who (`actor`, `role`),
what (`action`, `requestId`, for Stripe's news `eventId`, an operator's `reason`), when (`at`),
every document it wrote (`objects`: `collection/id`, by our own names as in
`common/store/collections.py`), which of them it made (`created`), and what bookings, payouts,
refunds, disputes, operations and accounts became by it (`states`). Rows are never changed;
operators read them, nobody writes them. `RECONCILE` holds each against this table
([what it reports](reconciliation.md)). All that happened to a booking is one query: `objects`
array-contains `bookings/{id}`.
"""
_TAIL = """
## Stripe

Signed events act as `stripe`, each under its own type and id
([which](../common/webhooks/events.py)).

## What follows by itself

Histories and operations may also name what nobody asked for, as an act of `system`:
"""


def page() -> str:
    """The page's text."""
    return "\n".join(
        [_HEAD, *(line for group in _tables() for line in group), _TAIL.rstrip(), "", *_rest()]
    )


def _tables() -> Iterator[list[str]]:
    for processor, rules in groupby(RULES.values(), key=lambda rule: rule.processor):
        head = [f"## {processor}", "", "| action | who may call it | whose | changes |"]
        yield [*head, "| --- | --- | --- | --- |", *map(_line, rules), ""]


def _line(rule: Rule) -> str:
    who = ", ".join(name for role, name in _NAMES.items() if role in rule.roles)
    return f"| {rule.action} | {who} | {rule.relation} | {'yes' if rule.changes else 'no'} |"


def _rest() -> list[str]:
    rows = [f"| `{name}` | {why} |" for name, why in CONSEQUENCES.items()]
    return ["| name | when |", "| --- | --- |", *rows, ""]


if __name__ == "__main__":
    print(page(), end="")
