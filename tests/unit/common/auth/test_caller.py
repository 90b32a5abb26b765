from __future__ import annotations

import pytest

from common.auth.caller import Caller, Role
from common.errors import Forbidden, Missing

CUSTOMER, PROVIDER = Caller("c"), Caller("p")
OPERATOR, STRANGER = Caller("o", operator=True), Caller("x")
SCHEDULER = Caller("s@example.com", scheduler=True)
PARTIES = frozenset({Role.CUSTOMER, Role.PROVIDER, Role.OPERATOR})


def act(caller: Caller, allowed: frozenset[Role] = PARTIES) -> Role:
    return caller.act(allowed, customer_id="c", provider_id="p", what="booking")


def test_each_party_acts_as_what_it_is() -> None:
    assert [act(who) for who in (CUSTOMER, PROVIDER, OPERATOR)] == [
        Role.CUSTOMER,
        Role.PROVIDER,
        Role.OPERATOR,
    ]


def test_a_stranger_is_told_that_there_is_nothing() -> None:
    with pytest.raises(Missing):
        act(STRANGER)


def test_a_party_whose_turn_it_is_not_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        act(CUSTOMER, frozenset({Role.PROVIDER}))


def test_an_operator_who_is_also_the_customer_falls_back_to_what_the_action_allows() -> None:
    both = Caller("c", operator=True)
    assert act(both, frozenset({Role.CUSTOMER})) is Role.CUSTOMER
    assert act(both) is Role.OPERATOR


def test_a_booking_without_a_customer_is_nobodys_to_claim() -> None:
    with pytest.raises(Missing):
        Caller("").act(PARTIES, customer_id=None, provider_id="p", what="subscription")


def test_the_scheduler_may_call_only_what_is_scheduled() -> None:
    SCHEDULER.require_any(frozenset({Role.SCHEDULER, Role.OPERATOR}))
    with pytest.raises(Forbidden):
        SCHEDULER.require_any(PARTIES)


def test_a_user_may_not_call_what_is_for_operators_and_the_scheduler() -> None:
    for roles in (frozenset({Role.SCHEDULER, Role.OPERATOR}), frozenset({Role.OPERATOR})):
        with pytest.raises(Forbidden):
            CUSTOMER.require_any(roles)
        OPERATOR.require_any(roles)
