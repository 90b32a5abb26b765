"""Refunds divided: nothing lost, nothing made, the same cent however they are cut."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.currencies import CURRENCIES
from common.money import half_up, platform_fee
from common.refunds.amounts import (
    Breakdown,
    CompensationOutOfRange,
    Held,
    RefundTooLarge,
    policy_refund,
    refund_breakdown,
)

GUIDE = Held(total=200_00, fee=16_00, refunded=0, fee_refunded=0, currency="USD")


def after(held: Held, done: Breakdown) -> Held:
    return replace(
        held,
        refunded=held.refunded + done.refund,
        fee_refunded=held.fee_refunded + done.fee_refunded,
    )


def test_150_of_200_back_takes_12_of_the_fee_and_138_of_the_provider() -> None:
    assert refund_breakdown(GUIDE, 150_00) == Breakdown(
        refund=150_00,
        fee_refunded=12_00,
        provider_reversed=138_00,
        remaining_after=50_00,
        provider_share_after=46_00,
        platform_share_after=4_00,
        compensation=None,
    )


def test_with_compensation_the_provider_gets_exactly_it_and_the_platform_the_rest() -> None:
    all_of_it = refund_breakdown(GUIDE, 150_00, 50_00)
    assert (all_of_it.provider_share_after, all_of_it.platform_share_after) == (50_00, 0)
    assert (all_of_it.fee_refunded, all_of_it.compensation) == (12_00, 50_00)
    none_of_it = refund_breakdown(GUIDE, 150_00, 0)
    assert (none_of_it.provider_share_after, none_of_it.platform_share_after) == (0, 50_00)
    assert none_of_it.compensation == 0


def test_a_compensation_may_be_set_without_a_refund() -> None:
    done = refund_breakdown(GUIDE, 0, 120_00)
    assert (done.refund, done.fee_refunded, done.provider_reversed) == (0, 0, 0)
    assert (done.provider_share_after, done.platform_share_after) == (120_00, 80_00)


def test_the_whole_amount_leaves_nobody_anything() -> None:
    done = refund_breakdown(GUIDE, 200_00)
    assert (done.fee_refunded, done.provider_reversed) == (16_00, 184_00)
    assert (done.remaining_after, done.provider_share_after, done.platform_share_after) == (0, 0, 0)


def test_more_than_is_left_is_refused_with_what_is_left() -> None:
    held = replace(GUIDE, refunded=150_00, fee_refunded=12_00)
    with pytest.raises(RefundTooLarge) as refused:
        refund_breakdown(held, 50_01)
    assert refused.value.remaining == 50_00
    with pytest.raises(ValueError, match="below 0"):
        refund_breakdown(held, -1)


@pytest.mark.parametrize("compensation", [-1, 50_01])
def test_a_compensation_out_of_range_is_refused_with_the_largest(compensation: int) -> None:
    with pytest.raises(CompensationOutOfRange) as refused:
        refund_breakdown(GUIDE, 150_00, compensation)
    assert refused.value.maximum == 50_00


def test_where_stripe_takes_multiples_refund_fee_and_compensation_go_up_to_one() -> None:
    held = Held(total=1250, fee=100, refunded=0, fee_refunded=0, currency="KWD")
    done = refund_breakdown(held, 621, 301)
    assert (done.refund, done.fee_refunded, done.compensation) == (630, 50, 310)
    assert refund_breakdown(held, 641).fee_refunded == 60
    assert refund_breakdown(held, 1250, 0).refund == 1250


def test_a_chain_that_an_odd_refund_disturbed_still_ends_at_the_fee() -> None:
    held = Held(total=1250, fee=100, refunded=625, fee_refunded=43, currency="KWD")
    done = refund_breakdown(held, 625)
    assert (done.refund, done.fee_refunded, done.platform_share_after) == (625, 57, 0)


@pytest.mark.parametrize(
    ("total", "fee", "refunded", "fee_refunded"),
    [
        (0, 0, 0, 0),
        (10, 11, 0, 0),
        (10, -1, 0, 0),
        (10, 1, 11, 1),
        (10, 1, -1, 0),
        (10, 1, 5, 2),
        (10, 5, 1, 2),
        (10, 5, 1, -1),
    ],
)
def test_money_that_cannot_be_held_is_refused(
    total: int, fee: int, refunded: int, fee_refunded: int
) -> None:
    with pytest.raises(ValueError, match=r"total|refunds|fee"):
        Held(total, fee, refunded, fee_refunded, "USD")


@pytest.mark.parametrize(
    ("percent", "refunded", "amount"),
    [
        (100, 0, 200_01),
        (50, 0, 100_01),
        (50, 100_00, 1),
        (50, 150_00, 0),
        (0, 0, 0),
        (100, 200_01, 0),
    ],
)
def test_a_policys_percent_is_of_the_total_less_what_went_back_before(
    percent: int, refunded: int, amount: int
) -> None:
    held = Held(200_01, 16_00, refunded, half_up(16_00 * refunded, 200_01), "USD")
    assert policy_refund(held, percent) == amount


def test_a_policys_refund_goes_up_to_a_multiple() -> None:
    held = Held(1250, 100, 0, 0, "KWD")
    assert policy_refund(held, 50) == 630
    assert policy_refund(Held(101_00, 0, 0, 0, "ISK"), 50) == 51_00


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_percent_out_of_range_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match="percent"):
        policy_refund(GUIDE, percent)


@st.composite
def holdings(draw: st.DrawFn) -> Held:
    code = draw(st.sampled_from(["USD", "JPY", "KWD", "ISK", "HUF"]))
    multiple = CURRENCIES[code].charge_multiple
    total = draw(st.integers(1, 99_999_999 // multiple)) * multiple
    fee = platform_fee(total, draw(st.integers(0, 10_000)), code)
    return Held(total, fee, 0, 0, code)


@given(holdings(), st.lists(st.integers(0, 10_000), max_size=10))
def test_any_chain_of_partial_refunds_ends_where_one_refund_of_the_sum_does(
    held: Held, parts: list[int]
) -> None:
    whole = held
    for part in parts:
        done = refund_breakdown(held, held.remaining * part // 10_000)
        assert done.refund == done.fee_refunded + done.provider_reversed
        assert min(done.fee_refunded, done.provider_reversed) >= 0
        held = after(held, done)
    if held.refunded:
        at_once = refund_breakdown(whole, held.refunded)
        assert at_once.fee_refunded == held.fee_refunded
    rest = refund_breakdown(held, held.remaining)
    end = after(held, rest)
    assert (end.refunded, end.fee_refunded) == (whole.total, whole.fee)


@given(holdings(), st.integers(0, 10_000), st.none() | st.integers(0, 10_000))
def test_every_minor_unit_has_exactly_one_owner_after_a_refund(
    held: Held, part: int, share: int | None
) -> None:
    refund = held.total * part // 10_000
    left = refund_breakdown(held, refund).remaining_after
    done = refund_breakdown(held, refund, None if share is None else left * share // 10_000)
    owned = done.refund + done.provider_share_after + done.platform_share_after
    assert owned == held.total
    assert done.provider_share_after + done.platform_share_after == done.remaining_after
    assert min(done.provider_share_after, done.platform_share_after) >= 0
    multiple = CURRENCIES[held.currency].charge_multiple
    assert done.refund % multiple == done.provider_share_after % multiple == 0
    assert done.refund - refund < multiple


@given(holdings(), st.integers(0, 10_000), st.integers(0, 100))
def test_a_policy_never_gives_more_than_is_left_nor_less_than_its_percent(
    held: Held, part: int, percent: int
) -> None:
    held = after(held, refund_breakdown(held, held.total * part // 10_000))
    amount = policy_refund(held, percent)
    assert 0 <= amount <= held.remaining
    assert held.refunded + amount >= half_up(held.total * percent, 100)


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ((0, 0, 0, 0), "a total that is not above 0, or a fee outside 0..total"),
        ((10, 11, 0, 0), "a total that is not above 0, or a fee outside 0..total"),
        ((10, -1, 0, 0), "a total that is not above 0, or a fee outside 0..total"),
        ((10, 1, 11, 1), "refunds below 0 or beyond the total"),
        ((10, 1, -1, 0), "refunds below 0 or beyond the total"),
        ((10, 1, 5, 2), "more of the fee given back than the fee or the refunds"),
        ((10, 5, 1, 2), "more of the fee given back than the fee or the refunds"),
        ((10, 5, 1, -1), "more of the fee given back than the fee or the refunds"),
    ],
)
def test_money_that_cannot_be_held_is_refused_in_words(
    amounts: tuple[int, int, int, int], words: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        Held(*amounts, "USD")


def test_money_at_its_limits_can_be_held() -> None:
    assert Held(1, 1, 1, 1, "USD").remaining == 0
    assert Held(1, 0, 0, 0, "USD").remaining == 1
    assert Held(10, 5, 3, 3, "USD").remaining == 7


def test_refusals_say_what_is_possible() -> None:
    with pytest.raises(RefundTooLarge, match=r"^a refund of at most 20000 minor units is left$"):
        refund_breakdown(GUIDE, 200_01)
    words = r"^a compensation from 0 to 5000 minor units is possible$"
    with pytest.raises(CompensationOutOfRange, match=words):
        refund_breakdown(GUIDE, 150_00, 50_01)
    with pytest.raises(ValueError, match=r"^a refund below 0$"):
        refund_breakdown(GUIDE, -1)
    for percent in (-1, 101):
        with pytest.raises(ValueError, match=r"^a percent outside 0\.\.100$"):
            policy_refund(GUIDE, percent)


def test_up_to_a_multiple_goes_only_as_far_as_the_money_reaches() -> None:
    held = Held(total=1255, fee=100, refunded=0, fee_refunded=0, currency="KWD")
    assert refund_breakdown(held, 1251).refund == 1255
    done = refund_breakdown(held, 1000, 251)
    assert (done.compensation, done.platform_share_after) == (255, 0)
    assert policy_refund(held, 100) == 1255


@pytest.mark.parametrize(
    ("given_back", "now"),
    [
        (60, 0),  # as much as 635 of 1250 gives back, by rule
        (80, 0),  # more than that: nothing is taken back
        (55, 5),
        (0, 10),  # far less: never more than the refund itself
    ],
)
def test_the_fee_is_measured_against_what_really_went_back(given_back: int, now: int) -> None:
    held = Held(total=1250, fee=100, refunded=625, fee_refunded=given_back, currency="KWD")
    assert refund_breakdown(held, 10).fee_refunded == now


def test_a_second_refund_counts_from_the_first() -> None:
    held = Held(200_00, 16_00, 150_00, 12_00, "USD")
    assert refund_breakdown(held, 25_00) == Breakdown(
        refund=25_00,
        fee_refunded=2_00,
        provider_reversed=23_00,
        remaining_after=25_00,
        provider_share_after=23_00,
        platform_share_after=2_00,
        compensation=None,
    )


def test_a_policy_that_gave_more_before_gives_nothing_now() -> None:
    assert policy_refund(Held(1250, 100, 700, 60, "KWD"), 50) == 0
