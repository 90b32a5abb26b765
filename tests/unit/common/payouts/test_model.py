"""A payout: its statuses, what of it lies in the balance, its document and its answer."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from common.payouts.model import TRANSITIONS, Line, Payout, PayoutStatus
from common.store import collections
from common.store.store import Snapshot
from tests.unit.common.bookings.builders import NOW

#: The contract's states of a payout, and where each may go; PAID may bounce for some days.
TABLE = """
SCHEDULED   PROCESSING CANCELLED
PROCESSING  PAID FAILED CANCELLED
PAID        FAILED
FAILED
CANCELLED
"""
ONE = Line("booking-1", 100_00, 60_00, "ch_1", "Piano lesson", 200_00, 50_00, 12_00)
TWO = Line("booking-2", 84_00, 84_00, "ch_2")


def a_payout(**said: Any) -> Payout:
    plain = Payout(
        id="payout-1",
        provider_id="provider-1",
        account_id="acct_1",
        currency="USD",
        amount=184_00,
        lines=(ONE, TWO),
        method="standard",
        requested_by="operator-1",
        created_at=NOW,
        scheduled_date=datetime(2026, 11, 2, tzinfo=UTC),
        status=PayoutStatus.PROCESSING,
    )
    return replace(plain, **said)


def test_a_payout_takes_exactly_the_contracts_ways() -> None:
    ways = {row.split()[0]: set(row.split()[1:]) for row in TABLE.strip().splitlines()}
    assert {str(now): {str(to) for to in then} for now, then in TRANSITIONS.items()} == ways


@pytest.mark.parametrize("now", list(PayoutStatus))
@pytest.mark.parametrize("to", list(PayoutStatus))
def test_a_step_is_taken_where_the_table_has_it_and_nowhere_else(
    now: PayoutStatus, to: PayoutStatus
) -> None:
    payout = a_payout(status=now)
    if to in TRANSITIONS[now]:
        assert payout.moved(to) == replace(payout, status=to)
    else:
        with pytest.raises(AssertionError):
            payout.moved(to)


def test_a_payout_that_was_just_made_knows_of_nothing_yet() -> None:
    fresh = a_payout()
    unknown = (
        "run_id", "stripe_payout_id", "arrival_date", "failure_code", "failure_message",
        "transfers", "kept",
    )  # fmt: skip
    assert [getattr(fresh, name) for name in unknown] == [None] * len(unknown)
    assert (fresh.fee, fresh.debt_recovered, fresh.beyond) == (0, 0, 0)
    assert (TWO.title, TWO.paid, TWO.refunded, TWO.fee) == ("", 0, 0, 0)


def test_at_the_bank_arrives_the_amount_without_stripes_fee() -> None:
    assert a_payout().net == 184_00
    assert a_payout(fee=1_82).net == 182_18


@pytest.mark.parametrize(
    ("sent", "there"),
    [
        (None, 40_00),  # of the first line an earlier payout left 40.00 there
        ({}, 40_00),
        ({"tr_1": {"amount": 60_00}}, 100_00),
        ({"tr_1": {"amount": 60_00}, "tr_2": {"amount": 84_00}}, 184_00),
        ({"tr_1": {"amount": 60_00}, "tr_2": {"amount": 100_00}}, 184_00),  # never above it
        ({"tr_1": {"bookingId": "booking-1"}}, 40_00),
    ],
)
def test_in_the_balance_lies_what_was_there_before_and_what_was_sent(
    sent: dict[str, Any] | None, there: int
) -> None:
    assert a_payout(transfers=sent).there == there


FULL = {
    "fee": 1_82,
    "debt_recovered": 46_00,
    "run_id": "run-1",
    "stripe_payout_id": "po_1",
    "arrival_date": datetime(2026, 11, 4, tzinfo=UTC),
    "failure_code": "no_account",
    "failure_message": "No account",
    "transfers": {"tr_1": {"bookingId": "booking-1", "amount": 60_00}},
    "kept": {"booking-1": 1_82},
    "beyond": 3_00,
}


def test_its_document_holds_every_field_under_its_name() -> None:
    payout = a_payout(**FULL)
    document = payout.to_document()
    assert document == {
        "providerId": "provider-1",
        "accountId": "acct_1",
        "currency": "USD",
        "amount": 184_00,
        "debtRecovered": 46_00,
        "method": "standard",
        "fee": 1_82,
        "requestedBy": "operator-1",
        "runId": "run-1",
        "createdAt": NOW,
        "scheduledDate": datetime(2026, 11, 2, tzinfo=UTC),
        "stripePayoutId": "po_1",
        "arrivalDate": datetime(2026, 11, 4, tzinfo=UTC),
        "failureCode": "no_account",
        "failureMessage": "No account",
        "status": "PROCESSING",
        "lines": [
            {
                "bookingId": "booking-1",
                "amount": 100_00,
                "transfer": 60_00,
                "chargeId": "ch_1",
                "title": "Piano lesson",
                "paid": 200_00,
                "refunded": 50_00,
                "fee": 12_00,
            },
            {
                "bookingId": "booking-2",
                "amount": 84_00,
                "transfer": 84_00,
                "chargeId": "ch_2",
                "title": "",
                "paid": 0,
                "refunded": 0,
                "fee": 0,
            },
        ],
        "transfers": {"tr_1": {"bookingId": "booking-1", "amount": 60_00}},
        "kept": {"booking-1": 1_82},
        "beyond": 3_00,
    }
    assert len(document) == len(fields(Payout)) - 1  # all but the id, which is the key
    assert type(document["status"]) is str


def test_a_payout_comes_back_from_its_document_as_it_was() -> None:
    payout = a_payout(**FULL)
    write = payout.create()
    assert write.key == payout.key == collections.payout("payout-1")
    assert write.data == payout.to_document()
    assert Payout.load(Snapshot(write.key, write.data, NOW)) == payout


def test_an_older_document_says_nothing_of_what_stripe_kept_or_of_anything_beyond() -> None:
    document = a_payout().to_document()
    assert (document["transfers"], document.pop("kept"), document.pop("beyond")) == ({}, {}, 0)
    loaded = Payout.load(Snapshot(collections.payout("payout-1"), document, NOW))
    assert loaded == a_payout(transfers={}, kept=None)


def test_an_answer_shows_amounts_in_major_units_and_each_booking() -> None:
    shown = a_payout(**{**FULL, "failure_code": None, "failure_message": None}).as_json()
    assert shown == {
        "payoutId": "payout-1",
        "providerId": "provider-1",
        "amount": Decimal("184.00"),
        "currency": "USD",
        "status": "PROCESSING",
        "method": "standard",
        "fee": Decimal("1.82"),
        "netAmount": Decimal("182.18"),
        "debtRecovered": Decimal("46.00"),
        "scheduledDate": "2026-11-02T00:00:00Z",
        "bookingIds": ["booking-1", "booking-2"],
        "bookings": [
            {
                "bookingId": "booking-1",
                "title": "Piano lesson",
                "amount": Decimal("100.00"),
                "total": Decimal("200.00"),
                "refunded": Decimal("50.00"),
                "platformFee": Decimal("12.00"),
                "net": Decimal("138.00"),
            },
            {
                "bookingId": "booking-2",
                "title": "",
                "amount": Decimal("84.00"),
                "total": 0,
                "refunded": 0,
                "platformFee": 0,
                "net": 0,
            },
        ],
        "arrivalDate": "2026-11-04T00:00:00Z",
        "stripePayoutId": "po_1",
        "failureCode": None,
        "failureMessage": None,
        "failure": None,
        "createdAt": "2026-11-01T12:00:00Z",
    }
    assert type(shown["status"]) is str


def test_an_answer_says_why_a_payout_failed_and_what_to_do() -> None:
    shown = a_payout(**FULL).as_json()
    assert (shown["failureCode"], shown["failureMessage"]) == ("no_account", "No account")
    assert shown["failure"]["reason"] == "The bank found no such account."
    assert "correct the details" in shown["failure"]["nextStep"]
    assert set(shown["failure"]) == {"reason", "nextStep"}


def test_until_it_left_nobody_knows_when_it_arrives() -> None:
    assert a_payout().as_json()["arrivalDate"] is None


def test_amounts_have_the_currencys_own_decimals() -> None:
    shown = a_payout(currency="JPY").as_json()
    assert (str(shown["amount"]), str(shown["bookings"][0]["net"])) == ("18400", "13800")
