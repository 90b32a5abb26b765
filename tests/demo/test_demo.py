"""``make demo`` as a person meets it: a program that prints and ends with a code."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from emulator.demo import chapters, run
from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen, money
from emulator.stack.ports import free_base
from emulator.stack.up import ROOT

KEY_LINES = (
    r"✓ her account is +ACTIVE",
    r"✓ payment_intent.succeeded makes it +CONFIRMED",
    r"✓ her first card is declined +insufficient_funds",
    r"✓ her bank asks her; the payment +requires_action",
    r"✓ while an operator has paused payouts +payouts_paused",
    r"✓ an operator has heard both and decides +REJECTED",
    r"✓ payout.paid arrives: it is +PAID",
    r"✓ back to her card +100\.00",
    r"✓ the platform gives up 8 % of it +4\.00",
    r"✓ the bank agrees; his booking is +REFUNDED",
    r"✓ so many get a seat +7",
    r"✓ commission is the ledger's +\d+\.\d\d",
    r"✓ Ada has earned 92 % of the month +36\.80",
    r"✓ Stripe has taken the next one; paid months +2",
    r"✓ platform:stripe: ledger = Stripe +604\.87",
    r"✓ Ada accepts, what his bank set aside is taken +CONFIRMED",
    r"✓ and his bank lets the money go: the payment is +canceled",
    r"✓ Ada accepts, and the card is charged +CONFIRMED",
    r"✓ Stripe counts yen by one, not by a hundredth +15000",
    r"✓ Yuki has earned the rest +12881",
    r"✓ RECONCILE says balanced +yes",
)


@pytest.fixture(scope="module")
def played() -> subprocess.CompletedProcess[str]:
    """The demo, played to its end; its output goes to a pipe, as in a build's log."""
    line = [sys.executable, "-m", "emulator", "demo", "--port-base", str(free_base(28000, 29000))]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=env, timeout=110)


def test_the_demo_ends_with_0_and_says_that_the_books_are_balanced(
    played: subprocess.CompletedProcess[str],
) -> None:
    assert played.returncode == 0, played.stdout + played.stderr
    assert "✗" not in played.stdout
    assert re.search(r"All \d+ expectations held; the books are balanced", played.stdout)


@pytest.mark.parametrize("line", KEY_LINES)
def test_the_demo_shows_each_part_of_the_marketplaces_life(
    played: subprocess.CompletedProcess[str], line: str
) -> None:
    assert re.search(line, played.stdout), played.stdout


def test_every_chapter_is_announced_in_order(played: subprocess.CompletedProcess[str]) -> None:
    titles = [title for title, _ in chapters.CHAPTERS]
    assert re.findall(r"^ ?\d+  (.+)$", played.stdout, re.MULTILINE) == titles


def test_the_demo_names_stripes_objects(played: subprocess.CompletedProcess[str]) -> None:
    for prefix in ("acct", "pi", "ch", "re", "tr", "po", "dp", "sub", "in"):
        assert re.search(rf"\b{prefix}_\w{{8,}}", played.stdout), prefix


def test_there_are_no_colours_where_there_is_no_terminal(
    played: subprocess.CompletedProcess[str],
) -> None:
    assert "\x1b" not in played.stdout


def test_an_expectation_that_does_not_hold_is_told_and_makes_the_code_1() -> None:
    out = io.StringIO()
    screen = Screen(out, {})
    screen.expect("two and two", 4, 4)
    screen.expect("the moon is", "cheese", "rock")
    assert run.verdict(screen, 1.0) == 1
    assert "  - the moon is: expected rock, got cheese" in out.getvalue()


def test_a_chapter_that_cannot_go_on_ends_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    after: list[str] = []

    def breaks(market: Marketplace, screen: Screen) -> None:
        raise LookupError("no such booking")

    def follows(market: Marketplace, screen: Screen) -> None:
        after.append("played")

    story: list[tuple[str, Callable[[Marketplace, Screen], None]]] = [("a", breaks), ("b", follows)]
    monkeypatch.setattr(run, "CHAPTERS", story)
    screen = Screen(io.StringIO(), {})
    run.play(object(), screen)  # type: ignore[arg-type]  # neither chapter looks at it
    assert not after
    assert screen.differences == ["'a' ended early: LookupError: no such booking"]


@pytest.mark.parametrize(
    ("minor", "shown"),
    [(0, "0.00"), (5, "0.05"), (-123_45, "-123.45"), (1_234_567_89, "1,234,567.89")],
)
def test_minor_units_are_shown_as_people_write_them(minor: int, shown: str) -> None:
    assert money(minor) == shown


def test_yen_are_shown_without_decimals() -> None:
    assert money(-1_234_567, "JPY") == "-1,234,567"
