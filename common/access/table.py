"""Who may do what: every action, the roles that may call it, and what it must be theirs by.

The one place that says so. A processor takes its actions' roles from here and cannot be made with
an action that has no row; the handlers' checks of an object (``Context.act``) ask the same row; and
reconciliation holds every audit row against it. docs/access.md is made of it
(``python -m common.access.page``).
Source: contract, sections 2 and 3; invariant I19.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from common.auth.caller import Role


class Relation(StrEnum):
    """What a customer's or provider's role is a role of."""

    NOTHING = "nothing: the role alone decides"
    SELF = "themself"
    BOOKING = "the booking"
    REFUND = "the refund or the booking"
    PROVIDER = "the provider named"
    PAYOUT = "the payout"
    SUBSCRIPTION = "the subscription"
    DISPUTE = "the dispute's booking"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row.

    Attributes:
        roles: Who may call it. Operators and the scheduler are what their token says; the other
            roles are to the object of ``relation``.
        changes: Whether a caller asks it to change something, so that it honours an
            Idempotency-Key. (CHECK_ACCOUNT_STATUS only brings here what Stripe says.)
    """

    processor: str
    action: str
    roles: frozenset[Role]
    relation: Relation
    changes: bool = True

    def by_token(self, *, operator: bool, scheduler: bool) -> Role | None:
        """The role that a token alone gives here; None where it takes an object to say."""
        if scheduler:
            return Role.SCHEDULER if Role.SCHEDULER in self.roles else None
        if self.relation is Relation.NOTHING and operator and Role.OPERATOR in self.roles:
            return Role.OPERATOR
        return None


C, P, A, S = Role.CUSTOMER, Role.PROVIDER, Role.OPERATOR, Role.SCHEDULER
_BOOKING, _CONNECT = "booking-processor", "stripe-connect"
_PAYOUT, _REFUND, _REPORTING = "payout-manager", "refund-processor", "reporting"


def _row(
    processor: str, action: str, relation: Relation, *roles: Role, changes: bool = True
) -> Rule:
    return Rule(processor, action, frozenset(roles), relation, changes)


_ROWS = (
    _row(_BOOKING, "CREATE_BOOKING", Relation.SELF, C),
    _row(_BOOKING, "CONFIRM_BOOKING", Relation.BOOKING, C, P, A),
    _row(_BOOKING, "DECLINE_BOOKING", Relation.BOOKING, P, A),
    _row(_BOOKING, "CANCEL_BOOKING", Relation.BOOKING, C, P, A),
    _row(_BOOKING, "CHECK_AVAILABILITY", Relation.NOTHING, Role.ANYONE, changes=False),
    _row(_BOOKING, "CHECK_IN", Relation.BOOKING, P, A),
    _row(_BOOKING, "MARK_NO_SHOW", Relation.BOOKING, P, A),
    _row(_BOOKING, "COMPLETE_BOOKING", Relation.BOOKING, P, A),
    _row(_BOOKING, "GET_BOOKING", Relation.BOOKING, C, P, A, changes=False),
    _row(_BOOKING, "LIST_BOOKINGS", Relation.SELF, C, P, A, changes=False),
    _row(_BOOKING, "RELEASE_HOLD", Relation.BOOKING, A),
    _row(_BOOKING, "REPLAY_EVENTS", Relation.NOTHING, A),
    _row(_BOOKING, "RUN_MAINTENANCE", Relation.NOTHING, S, A),
    _row(_CONNECT, "CREATE_ACCOUNT", Relation.PROVIDER, P, A),
    _row(_CONNECT, "CREATE_ACCOUNT_LINK", Relation.PROVIDER, P, A),
    _row(_CONNECT, "CHECK_ACCOUNT_STATUS", Relation.PROVIDER, P, A, changes=False),
    _row(_CONNECT, "CREATE_LOGIN_LINK", Relation.PROVIDER, P),
    _row(_CONNECT, "CREATE_PAYMENT_INTENT", Relation.BOOKING, C),
    _row(_CONNECT, "CREATE_SUBSCRIPTION", Relation.SELF, C),
    _row(_CONNECT, "CANCEL_SUBSCRIPTION", Relation.SUBSCRIPTION, C, P, A),
    _row(_CONNECT, "PAUSE_SUBSCRIPTION", Relation.SUBSCRIPTION, P, A),
    _row(_CONNECT, "RESUME_SUBSCRIPTION", Relation.SUBSCRIPTION, P, A),
    _row(_CONNECT, "GET_SUBSCRIPTION", Relation.SUBSCRIPTION, C, P, A, changes=False),
    _row(_CONNECT, "LIST_SUBSCRIPTIONS", Relation.SELF, C, P, A, changes=False),
    _row(_CONNECT, "CREATE_PAYOUT", Relation.PROVIDER, P, A),
    _row(_PAYOUT, "CALCULATE_EARNINGS", Relation.PROVIDER, P, A, changes=False),
    _row(_PAYOUT, "SCHEDULE_PAYOUT", Relation.PROVIDER, P, A),
    _row(_PAYOUT, "INSTANT_PAYOUT", Relation.PROVIDER, P, A),
    _row(_PAYOUT, "GET_PAYOUT_HISTORY", Relation.PROVIDER, P, A, changes=False),
    _row(_PAYOUT, "CANCEL_PAYOUT", Relation.PAYOUT, P, A),
    _row(_PAYOUT, "PAUSE_PAYOUTS", Relation.NOTHING, A),
    _row(_PAYOUT, "RESUME_PAYOUTS", Relation.NOTHING, A),
    _row(_PAYOUT, "RUN_SCHEDULED_PAYOUTS", Relation.NOTHING, S, A),
    _row(_REFUND, "CALCULATE_REFUND", Relation.BOOKING, C, P, A, changes=False),
    _row(_REFUND, "PROCESS_REFUND", Relation.BOOKING, C, P, A),
    _row(_REFUND, "GET_REFUND_STATUS", Relation.REFUND, C, P, A, changes=False),
    _row(_REFUND, "DISPUTE_REFUND", Relation.BOOKING, C, P),
    _row(_REFUND, "RESOLVE_REFUND_DISPUTE", Relation.NOTHING, A),
    _row(_REFUND, "GET_DISPUTE", Relation.DISPUTE, P, A, changes=False),
    _row(_REFUND, "LIST_DISPUTES", Relation.SELF, P, A, changes=False),
    _row(_REFUND, "SUBMIT_DISPUTE_EVIDENCE", Relation.DISPUTE, P, A),
    _row(_REPORTING, "GET_METRICS", Relation.NOTHING, A, changes=False),
    _row(_REPORTING, "GET_STATEMENT", Relation.BOOKING, C, P, A, changes=False),
    _row(_REPORTING, "EXPORT_TRANSACTIONS", Relation.PROVIDER, P, A, changes=False),
    _row(_REPORTING, "GET_TAX_SUMMARY", Relation.PROVIDER, P, A, changes=False),
    _row(_REPORTING, "RECONCILE", Relation.NOTHING, A, S),
)

RULES: Mapping[str, Rule] = MappingProxyType({row.action: row for row in _ROWS})

#: What follows from somebody's act by rule and is nobody's own: its name in histories and
#: operations -> what brings it about.
CONSEQUENCES: Mapping[str, str] = MappingProxyType(
    {
        "hold_lapsed": "an unpaid hold's time is over, and maintenance or the next customer came",
        "request_unpaid": "accepted, and its customer did not pay in time; maintenance came",
        "request_unanswered": "a request's time for an answer is over, and maintenance came",
        "authorization_lapsed": "the bank has let a request's money go",
        "EXPIRE_HOLD": "the payment intent of a lapsed hold is cancelled",
        "payment_refused": "Stripe will not make a booking's payment intent: the booking is over",
        "LATE_PAYMENT": "a booking that is over was paid: all of it goes back",
    }
)


class NoRule(LookupError):
    """An action that the table does not know: nobody may call it."""


def rule(action: str) -> Rule:
    """An action's row.

    Raises:
        NoRule: there is none.
    """
    found = RULES.get(action)
    if found is None:
        raise NoRule(f"{action} has no row in common/access/table.py, so nobody may call it")
    return found


def rule_of(processor: str, action: str) -> Rule:
    """The row of one processor's action.

    Raises:
        NoRule: there is none, or it is another processor's.
    """
    found = RULES.get(action)
    if found is None or found.processor != processor:
        raise NoRule(f"{processor} {action} has no row in common/access/table.py")
    return found
