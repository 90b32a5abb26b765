"""The access table against the processors, the roles they let in, and its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.access.page import page
from common.access.table import RULES, NoRule, Relation, rule, rule_of
from common.auth.caller import Role
from common.context import Answer, Context
from common.http.app import Action, Processor
from common.http.command import Command
from functions.booking_processor.main import PROCESSOR as BOOKING
from functions.payout_manager.main import PROCESSOR as PAYOUT
from functions.refund_processor.main import PROCESSOR as REFUND
from functions.reporting.main import PROCESSOR as REPORTING
from functions.stripe_connect.main import PROCESSOR as CONNECT

PROCESSORS = (BOOKING, CONNECT, PAYOUT, REFUND, REPORTING)
ROOT = Path(__file__).parents[4]


class Nothing(Command):
    """No fields."""


def _handle(command: Nothing, context: Context) -> Answer:
    raise AssertionError("nobody may come here")


def test_every_action_of_every_processor_has_its_row_and_every_row_its_action() -> None:
    offered = {(one.name, action) for one in PROCESSORS for action in one.actions}
    assert offered == {(row.processor, action) for action, row in RULES.items()}


def test_an_action_without_a_row_cannot_be_served_at_all() -> None:
    with pytest.raises(NoRule, match="PRINT_MONEY"):
        Processor("booking-processor", {"PRINT_MONEY": Action(Nothing, _handle)})


def test_an_action_cannot_be_served_by_another_processor() -> None:
    with pytest.raises(NoRule):
        Processor("reporting", {"CANCEL_BOOKING": Action(Nothing, _handle)})
    assert rule_of("booking-processor", "CANCEL_BOOKING") is rule("CANCEL_BOOKING")


def test_an_event_is_nobodys_action() -> None:
    with pytest.raises(NoRule):
        rule("charge.succeeded")


def test_whoever_is_only_signed_in_changes_nothing() -> None:
    assert [row.action for row in RULES.values() if Role.ANYONE in row.roles and row.changes] == []


def test_customers_and_providers_are_so_to_some_object() -> None:
    parties = {Role.CUSTOMER, Role.PROVIDER}
    loose = [
        row.action
        for row in RULES.values()
        if parties & row.roles and row.relation is Relation.NOTHING
    ]
    assert loose == []


def test_a_token_alone_gives_a_role_only_where_no_object_is_asked_for() -> None:
    assert rule("RUN_MAINTENANCE").by_token(operator=False, scheduler=True) is Role.SCHEDULER
    assert rule("RUN_MAINTENANCE").by_token(operator=True, scheduler=False) is Role.OPERATOR
    assert rule("RUN_MAINTENANCE").by_token(operator=False, scheduler=False) is None
    assert rule("CANCEL_BOOKING").by_token(operator=True, scheduler=False) is None
    assert rule("CANCEL_BOOKING").by_token(operator=False, scheduler=True) is None


def test_the_page_is_the_tables() -> None:
    written = (ROOT / "docs" / "access.md").read_text()
    assert written == page(), "python -m common.access.page > docs/access.md"
