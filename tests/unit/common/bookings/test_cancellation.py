"""Cancellation policies at their edges, and their way into a booking's document and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.bookings.cancellation import POLICIES, BadPolicy, Policy, Tier, parse_policy

START = datetime(2026, 12, 1, 10, tzinfo=UTC)
JUST = timedelta(microseconds=1)


def percent(policy: Policy, hours: float, plus: timedelta = timedelta(0)) -> int:
    return policy.percent_at(START, START - timedelta(hours=hours) + plus)


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("FLEXIBLE", [(24, 100, 50), (0, 50, 0)]),
        ("MODERATE", [(120, 100, 50), (24, 50, 0)]),
        ("STRICT", [(336, 100, 50), (168, 50, 0)]),
    ],
)
def test_exactly_at_an_edge_counts_as_before_it(
    name: str, edges: list[tuple[int, int, int]]
) -> None:
    for hours, before, after in edges:
        assert percent(POLICIES[name], hours, -JUST) == before
        assert percent(POLICIES[name], hours) == before
        assert percent(POLICIES[name], hours, JUST) == after


@pytest.mark.parametrize(("name", "at_start"), [("FLEXIBLE", 50), ("MODERATE", 0), ("STRICT", 0)])
def test_after_the_start_nothing_goes_back(name: str, at_start: int) -> None:
    assert percent(POLICIES[name], 0) == at_start
    assert percent(POLICIES[name], -1) == 0
    assert percent(POLICIES[name], -10_000) == 0


def test_hours_are_real_ones_across_a_clock_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 29, 12, tzinfo=berlin)
    day_before = datetime(2026, 3, 28, 12, tzinfo=berlin)
    # 24 hours by the wall clock, but 23 of real time: that night the clock went forward.
    assert POLICIES["FLEXIBLE"].percent_at(start, day_before) == 50
    assert POLICIES["FLEXIBLE"].percent_at(start, day_before - timedelta(hours=1)) == 100


def test_a_service_that_names_no_policy_has_the_flexible_one() -> None:
    assert parse_policy(None) is POLICIES["FLEXIBLE"]


@pytest.mark.parametrize("spelling", ["STRICT", "strict", "Strict", " strict "])
def test_a_name_may_be_spelled_in_any_case(spelling: str) -> None:
    assert parse_policy(spelling) == POLICIES["STRICT"]


def test_a_services_own_tiers_make_a_custom_policy() -> None:
    own = [
        {"hoursBefore": 72.0, "refundPercent": 90},
        {"hoursBefore": 12, "refundPercent": 90.0},
        {"hoursBefore": 1, "refundPercent": 0},
    ]
    policy = parse_policy(own)
    assert policy == Policy("CUSTOM", (Tier(72, 90), Tier(12, 90), Tier(1, 0)))
    assert [percent(policy, hours) for hours in (100, 72, 71, 12, 11, 1, 0.5)] == [
        90,
        90,
        90,
        90,
        0,
        0,
        0,
    ]


def tiers(*pairs: tuple[object, object]) -> list[dict[str, object]]:
    return [{"hoursBefore": hours, "refundPercent": percent} for hours, percent in pairs]


NO_NAME = "must be FLEXIBLE, MODERATE or STRICT, or a list of {hoursBefore, refundPercent}"
NO_LIST = "must be a list of {hoursBefore, refundPercent}"
NO_COUNT = "must have 1 to 50 tiers"
NO_TIER = "must have exactly hoursBefore and refundPercent in each tier"
NO_HOURS = "must have a whole number from 0 to 87600 as hoursBefore"
NO_PERCENT = "must have a whole number from 0 to 100 as refundPercent"
NOT_FALLING = "must have strictly falling hoursBefore"
RISING = "must have refundPercents that never rise"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("LENIENT", NO_NAME),
        ("CUSTOM", NO_NAME),
        ("", NO_NAME),
        (7, NO_LIST),
        (b"FLEXIBLE", NO_LIST),
        ({"hoursBefore": 1, "refundPercent": 1}, NO_LIST),
        ([], NO_COUNT),
        (tiers(*((100 - n, 5) for n in range(51))), NO_COUNT),
        (tiers((24, 100), (24, 50)), NOT_FALLING),
        (tiers((24, 100), (48, 50)), NOT_FALLING),
        (tiers((24, 50), (12, 51)), RISING),
        (tiers((24, 101)), NO_PERCENT),
        (tiers((24, -1)), NO_PERCENT),
        (tiers((24, 33.3)), NO_PERCENT),
        (tiers((24, True)), NO_PERCENT),
        (tiers((24, float("nan"))), NO_PERCENT),
        (tiers((-1, 100)), NO_HOURS),
        (tiers((87_601, 100)), NO_HOURS),
        (tiers((10**30, 100)), NO_HOURS),
        (tiers(("24", 100)), NO_HOURS),
        ([{"hoursBefore": 24}], NO_TIER),
        ([None], NO_TIER),
        (["FLEXIBLE"], NO_TIER),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_in_words_that_follow_a_fields_name(
    value: object, problem: str
) -> None:
    with pytest.raises(BadPolicy) as refused:
        parse_policy(value)
    assert refused.value.problem == str(refused.value) == problem


def test_a_policy_may_have_fifty_tiers_and_reach_back_ten_years() -> None:
    policy = parse_policy(tiers(*((87_600 - n, 100 - n) for n in range(50))))
    assert len(policy.tiers) == 50
    assert policy.tiers[0] == Tier(87_600, 100)


@st.composite
def custom_policies(draw: st.DrawFn) -> Policy:
    hours = draw(st.lists(st.integers(0, 2000), min_size=1, max_size=8, unique=True))
    size = len(hours)
    percents = draw(st.lists(st.integers(0, 100), min_size=size, max_size=size))
    pairs = zip(sorted(hours, reverse=True), sorted(percents, reverse=True), strict=True)
    return parse_policy(tiers(*pairs))


policies = st.one_of(st.sampled_from(sorted(POLICIES)).map(parse_policy), custom_policies())


@given(policies)
def test_a_policy_comes_back_from_its_document_as_it_was(policy: Policy) -> None:
    assert Policy.from_document(policy.as_document()) == policy


def test_a_frozen_policy_keeps_its_tiers_whatever_its_name_means_today() -> None:
    frozen = {"name": "FLEXIBLE", "tiers": tiers((10, 70))}
    assert Policy.from_document(frozen) == Policy("FLEXIBLE", (Tier(10, 70),))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "must be an object with name and tiers"),
        ("FLEXIBLE", "must be an object with name and tiers"),
        ({}, "has no name of FLEXIBLE, MODERATE, STRICT or CUSTOM"),
        (
            {"name": "ELSE", "tiers": tiers((1, 1))},
            "has no name of FLEXIBLE, MODERATE, STRICT or CUSTOM",
        ),
        ({"name": "CUSTOM"}, NO_LIST),
    ],
)
def test_a_document_that_is_no_policy_is_refused(document: object, problem: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        Policy.from_document(document)
    assert refused.value.problem == problem


@given(policies, st.integers(-5000, 5000), st.integers(0, 5000))
def test_a_later_cancellation_never_gives_more(policy: Policy, hours: int, wait: int) -> None:
    assert 0 <= percent(policy, hours - wait) <= percent(policy, hours) <= 100
