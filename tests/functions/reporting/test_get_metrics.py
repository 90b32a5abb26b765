"""GET_METRICS: the ledger's own figures, for any time and however it is cut."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.functions.reporting import recount
from tests.functions.reporting.conftest import Life
from tests.support.market import Market

SUMMED = (
    "commissionRevenue",
    "payoutCount",
    "payoutTotal",
    "paymentCount",
    "failedPaymentCount",
    "paymentTotal",
    "refundCount",
    "refundTotal",
)
_NOTHING = dict.fromkeys(SUMMED, Decimal(0))


def summed(*answers: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Counts and amounts of several answers, added up per currency; zeros left out."""
    sums: dict[str, dict[str, Any]] = defaultdict(lambda: dict(_NOTHING))
    for answer in answers:
        for code, figures in answer["byCurrency"].items():
            for name in SUMMED:
                sums[code][name] += figures[name]
    return {code: figures for code, figures in sums.items() if any(figures.values())}


def test_every_figure_of_whole_days_is_the_recount_of_the_ledger(life: Life) -> None:
    told = life.metrics(life.begins, life.ends)
    exact = recount.metrics(life.market, life.rows)
    assert set(exact) == {"USD", "JPY"}
    recount.assert_equal(told["byCurrency"], exact)
    dollars, yen = told["byCurrency"]["USD"], told["byCurrency"]["JPY"]
    assert (dollars["paymentCount"], dollars["failedPaymentCount"]) == (4, 1)
    assert dollars["paymentSuccessRate"] == Decimal("0.8")
    assert dollars["averageTransactionValue"] == Decimal("128.75")
    # 16.00 earned of the first lesson, 4.00 of it given back, and nothing of the others yet.
    assert dollars["commissionRevenue"] == Decimal("12.00")
    assert dollars["refundRateByCategory"] == {"music": Decimal("0.5"), "=sport": Decimal("0.5")}
    assert (dollars["payoutCount"], dollars["payoutTotal"]) == (1, Decimal("184.00"))
    assert yen["averageTransactionValue"] == 1250
    assert yen["refundRateByCategory"] == {"music": Decimal("0.5")}
    assert (yen["payoutCount"], yen["payoutTotal"]) == (1, 1381)


def test_onboarding_is_the_part_of_the_accounts_opened_that_are_complete(life: Life) -> None:
    told = life.metrics(life.begins, life.ends)
    assert (told["accountsOpened"], told["accountsOnboarded"]) == (3, 2)
    assert told["onboardingCompletionRate"] == Decimal("0.666667")


def test_any_time_within_days_is_the_recount_to_the_microsecond(life: Life) -> None:
    cuts = random.Random(7)
    instants = sorted(row["createdAt"] for row in life.rows)
    for _ in range(8):
        start, end = sorted(cuts.sample(instants, 2))
        if start == end:
            continue
        rows = [row for row in life.rows if start <= row["createdAt"] < end]
        told = life.metrics(start, end)
        exact = recount.metrics(life.market, rows)
        known = {code: told["byCurrency"][code] for code in exact}
        recount.assert_equal(known, exact)
        assert summed(told) == summed({"byCurrency": exact})


def test_two_parts_of_a_time_add_up_to_the_whole(life: Life) -> None:
    cuts = random.Random(11)
    seconds = (life.ends - life.begins).total_seconds()
    whole = summed(life.metrics(life.begins, life.ends))
    for _ in range(4):
        cut = life.begins + timedelta(seconds=cuts.uniform(1, seconds - 1))
        parts = life.metrics(life.begins, cut), life.metrics(cut, life.ends)
        assert summed(*parts) == whole


@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_groups_of_time_add_up_to_the_whole(life: Life, by: str) -> None:
    for start in (life.begins, life.begins + timedelta(microseconds=1)):
        told = life.metrics(start, life.ends, groupBy=by)
        assert summed(*told["groups"]) == summed(told)
        names = [group["group"] for group in told["groups"]]
        assert names == sorted(set(names))
    shapes = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
    days = (life.begins + timedelta(days=n) for n in range((life.ends - life.begins).days))
    assert set(names) <= {day.strftime(shapes[by]) for day in days}


def test_categories_add_up_to_all_that_bookings_did(life: Life) -> None:
    told = life.metrics(life.begins, life.ends, groupBy="category")
    groups = {group["group"]: group for group in told["groups"]}
    assert set(groups) == {"music", "=sport"}
    parts, whole = summed(*groups.values()), summed(told)
    for code, figures in whole.items():
        for name in SUMMED:
            if not name.startswith("payout"):
                assert parts[code][name] == figures[name], (code, name)
    assert groups["=sport"]["byCurrency"]["USD"]["refundCount"] == 1


def test_an_offset_names_the_same_instants(life: Life) -> None:
    start, end = life.begins + timedelta(hours=3), life.ends - timedelta(hours=9)
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    local = life.metrics(start.astimezone(kathmandu), end.astimezone(kathmandu), groupBy="day")
    assert local == life.metrics(start, end, groupBy="day")
    assert local["from"] == start.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_first_instant_counts_and_the_last_does_not(life: Life) -> None:
    charge = next(row for row in life.rows if row["kind"] == "charge")
    at, code = charge["createdAt"], charge["currency"]
    tick = timedelta(microseconds=1)
    with_it = life.metrics(at, at + tick)["byCurrency"][code]["paymentCount"]
    assert with_it == 1
    before = summed(life.metrics(at - tick, at))
    assert before.get(code, {}).get("paymentCount", 0) == 0


def test_a_time_without_anything_has_no_figures_and_no_rates(life: Life) -> None:
    told = life.metrics(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 2, 1, tzinfo=UTC))
    assert told["byCurrency"] == {}
    assert told["onboardingCompletionRate"] is None


def test_only_operators_see_metrics(life: Life) -> None:
    caller = life.market.api.as_user(life.dollars.uid)
    times = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    caller.post("reporting", "GET_METRICS", **times).refused(403, "forbidden")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"from": "2026-01-01", "to": "2026-02-01T00:00:00Z"}, "from"),
        ({"from": "2026-01-01T00:00:00", "to": "2026-02-01T00:00:00Z"}, "from"),
        ({"from": "2026-01-01T00:00:00Z"}, "to"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00+01:00"}, "to"),
        ({"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        ({"from": "2010-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "groupBy": "h"}, "groupBy"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "by": "day"}, "by"),
    ],
)
def test_times_and_groups_are_checked(market: Market, fields: dict[str, str], named: str) -> None:
    refused = market.api.as_operator().post("reporting", "GET_METRICS", **fields)
    told = refused.refused(400)
    assert [one["field"] for one in told["fields"]] == [named]
