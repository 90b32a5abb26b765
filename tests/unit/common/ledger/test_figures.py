"""A transaction's figures follow from its kind and entries, and every kind is in the table."""

from __future__ import annotations

import ast
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ledger import figures
from common.ledger.kinds import KINDS, kind_of, rank_of
from common.ledger.posting import Posting, entries
from common.store import collections
from common.store.store import Add, Create
from tests.unit.common.bookings.builders import NOW

ROOT = Path(__file__).parents[4]
CENTS = st.integers(0, 99_999_999)


def kinds_in_the_code() -> set[str]:
    """The kinds that some posting is made with."""
    found: set[str] = set()
    for path in (ROOT / "common").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            made = isinstance(node.func, ast.Name) and node.func.id == "Posting"
            undone = isinstance(node.func, ast.Attribute) and node.func.attr == "reversed"
            first = node.args[0]
            if (made or undone) and isinstance(first, ast.Constant):
                found.add(str(first.value))
    return found


def test_the_table_has_every_kind_that_is_posted_and_no_other() -> None:
    assert set(KINDS) == kinds_in_the_code()


def test_a_kind_of_the_future_comes_last_and_counts_as_nothing() -> None:
    assert rank_of("unheard_of") > max(rank_of(name) for name in KINDS)
    assert figures.of("unheard_of", (("platform:stripe", 5), ("bookings:held", -5))) == {}
    assert kind_of("unheard_of").names is None


@given(total=CENTS, provider=CENTS, platform=CENTS)
def test_what_a_payment_and_its_refund_add_comes_to_nothing(
    total: int, provider: int, platform: int
) -> None:
    held = total - provider - platform
    lines = entries(
        ("bookings:held", -held),
        ("provider:ada", -provider),
        ("platform:commission", -platform),
        ("platform:stripe", total),
    )
    back = tuple((account, -amount) for account, amount in lines)
    paid, refunded = figures.of("charge", lines), figures.of("refund", back)
    assert paid.get("gross", 0) == refunded.get("refunded", 0) == total
    assert paid.get("commission", 0) == -refunded.get("commission", 0) == platform
    failed = figures.of("refund_failed", lines)
    assert {name: refunded[name] + failed[name] for name in failed} == dict.fromkeys(failed, 0)


def test_a_lost_dispute_gives_back_what_the_bank_took_once_and_is_no_refund() -> None:
    lost = figures.of(
        "dispute_lost",
        (
            ("disputes:open", -200_00),
            ("provider:ada", 138_00),
            ("platform:commission", 12_00),
            ("platform:losses", 50_00),
        ),
    )
    assert (lost["refunds"], lost["refunded"], lost["commission"]) == (0, 150_00, -12_00)


def test_a_payout_that_comes_back_leaves_what_stripe_kept() -> None:
    left = figures.of("payout", (("provider:ada:stripe", -184_00), ("provider:ada", 184_00)))
    back = figures.of(
        "payout_returned", (("provider:ada:stripe", 182_00), ("provider:ada", -182_00))
    )
    assert (left["payouts"] + back["payouts"], left["paidOut"] + back["paidOut"]) == (0, 2_00)


def test_money_between_our_own_accounts_is_no_figure() -> None:
    for kind, lines in {
        "stripe_fee": (("platform:stripe", -610), ("platform:stripe_fees", 610)),
        "transfer": (("platform:stripe", -184_00), ("provider:ada:stripe", 184_00)),
        "debt": (("provider:ada:debt", 46_00), ("provider:ada", -46_00)),
        "platform_payout": (("platform:stripe", -1), ("platform:bank", 1)),
    }.items():
        assert figures.of(kind, lines) == {}
        assert len(Posting(kind, "x", "USD", lines, {"providerId": "ada"}).writes(NOW)) == 1


def test_a_transaction_and_its_totals_are_of_one_commit() -> None:
    about = {"bookingId": "b", "providerId": "ada", "category": "music"}
    lines = (("platform:stripe", 200_00), ("bookings:held", -200_00))
    made, day, year = Posting("charge", "ch_1", "USD", lines, about).writes(NOW)
    assert isinstance(made, Create)
    assert isinstance(day, Add)
    assert isinstance(year, Add)
    assert day.deltas == {("by", "c:music", "payments"): 1, ("by", "c:music", "gross"): 200_00}
    assert year.deltas == {"payments": 1, "gross": 200_00}
    assert year.key.id == f"ada_{NOW.year}_USD"
    assert day.key.id.startswith(f"{NOW:%Y-%m-%d}_USD_")


def test_days_and_years_are_utc_s() -> None:
    new_year = datetime(2027, 1, 1, 2, tzinfo=timezone(timedelta(hours=5)))
    assert figures.day_of(new_year) == "2026-12-31"
    (year,) = figures.on_year("ada", "USD", {"gross": 1}, new_year)
    assert year.fixed["year"] == 2026
    assert figures.day_of(datetime(2027, 1, 1, tzinfo=UTC)) == "2027-01-01"


def test_a_day_s_traffic_spreads_over_all_its_documents() -> None:
    shards = [figures.shard_of(f"charge_ch_{n}") for n in range(800)]
    counts = [shards.count(shard) for shard in range(figures.SHARDS)]
    assert min(counts) > 60


def test_each_figure_has_one_name_wherever_it_stands() -> None:
    names = ("payments", "gross", "refunds", "refunded", "commission", "payouts", "paidOut")
    assert names == figures.NAMES
    charge = figures.of("charge", (("platform:stripe", 1), ("bookings:held", -1)))
    assert tuple(charge) == figures.NAMES
    assert figures.FAILED == "failed"


def test_totals_say_of_what_they_are() -> None:
    [day] = figures.on_day("charge_ch_1", "USD", "music", {"gross": 1}, NOW)
    shard = figures.shard_of("charge_ch_1")
    assert day.key == collections.daily_totals("2026-11-01", "USD", shard)
    assert day.fixed == {"day": "2026-11-01", "currency": "USD", "shard": shard}
    [year] = figures.on_year("ada", "USD", {"gross": 1}, NOW)
    assert year.key == collections.yearly_totals("ada", 2026, "USD")
    assert year.fixed == {"providerId": "ada", "year": 2026, "currency": "USD"}


def test_a_transaction_s_totals_stay_in_the_document_that_its_id_once_chose() -> None:
    # its attempts to write must meet in one document, today's code and tomorrow's
    assert figures.SHARDS == 8
    assert [figures.shard_of(f"charge_ch_{n}") for n in range(4)] == [1, 7, 5, 3]


def test_days_and_years_are_utc_s_whatever_the_machine_s_zone_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")  # 14 hours ahead
    time.tzset()
    try:
        late = datetime(2026, 12, 31, 23, tzinfo=UTC)
        assert figures.day_of(late) == "2026-12-31"
        [year] = figures.on_year("ada", "USD", {"gross": 1}, late)
        assert year.fixed["year"] == 2026
    finally:
        monkeypatch.undo()
        time.tzset()
