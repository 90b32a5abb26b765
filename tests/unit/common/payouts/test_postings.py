"""What transfers and payouts mean in the ledger, by the figures of docs/ledger.md."""

from __future__ import annotations

from dataclasses import replace

from common.payouts import postings
from tests.unit.common.payouts.test_outcome import a_payout

WHOM = {"providerId": "provider-1", "payoutId": "payout-1"}


def test_a_transfer_moves_184_from_our_balance_to_the_connected_one() -> None:
    posting = postings.transfer("ada", "EUR", "tr_1", 184_00, {"bookingId": "booking-1"})
    assert (posting.id, posting.source, posting.currency) == ("transfer_tr_1", "tr_1", "EUR")
    assert dict(posting.entries) == {"platform:stripe": -184_00, "provider:ada:stripe": 184_00}
    assert posting.concerns == {"bookingId": "booking-1"}


def test_with_a_payout_ends_what_we_owe_the_provider() -> None:
    posting = postings.payout(a_payout(currency="EUR"), "po_1", 184_00)
    assert (posting.id, posting.source, posting.currency) == ("payout_po_1", "po_1", "EUR")
    assert dict(posting.entries) == {
        "provider:provider-1:stripe": -184_00,
        "provider:provider-1": 184_00,
    }
    assert posting.concerns == WHOM


def test_of_a_payout_that_comes_back_only_what_came_is_owed_again() -> None:
    posting = postings.payout_returned(a_payout(currency="EUR"), "po_1", 182_18)
    assert (posting.id, posting.source, posting.currency) == ("payout_returned_po_1", "po_1", "EUR")
    assert dict(posting.entries) == {
        "provider:provider-1:stripe": 182_18,
        "provider:provider-1": -182_18,
    }
    assert posting.concerns == WHOM


def test_a_recovered_debt_of_46_is_neither_owed_nor_owing_any_more() -> None:
    posting = postings.debt_recovered(replace(a_payout(currency="EUR"), debt_recovered=46_00))
    assert (posting.id, posting.source) == ("debt_recovered_payout-1", "payout-1")
    assert posting.currency == "EUR"
    assert dict(posting.entries) == {
        "provider:provider-1": 46_00,
        "provider:provider-1:debt": -46_00,
    }
    assert posting.concerns == WHOM


def test_what_stripe_pays_out_to_us_is_in_our_bank_and_concerns_nobody_else() -> None:
    posting = postings.platform_payout("po_2", 16_00, "EUR")
    assert (posting.id, posting.source, posting.currency) == ("platform_payout_po_2", "po_2", "EUR")
    assert dict(posting.entries) == {"platform:stripe": -16_00, "platform:bank": 16_00}
    assert posting.concerns == {}
