"""A failed payout's reason and next step, in words."""

from __future__ import annotations

import pytest

from common.payouts.failures import failure

#: https://docs.stripe.com/api/payouts/failures
BANKS_REFUSALS = (
    "account_closed",
    "account_frozen",
    "bank_account_restricted",
    "bank_ownership_changed",
    "could_not_process",
    "debit_not_authorized",
    "declined",
    "incorrect_account_holder_address",
    "incorrect_account_holder_name",
    "incorrect_account_holder_tax_id",
    "insufficient_funds",
    "invalid_account_number",
    "invalid_currency",
    "no_account",
    "unsupported_card",
)


@pytest.mark.parametrize("code", BANKS_REFUSALS)
def test_every_refusal_that_banks_are_known_for_has_words_of_its_own(code: str) -> None:
    told = failure(code)
    assert told is not None
    assert told != failure("never_heard_of")
    assert told.reason.endswith(".")
    assert told.next_step.endswith(".")


def test_an_unknown_code_still_tells_what_to_do() -> None:
    told = failure("never_heard_of")
    assert told is not None
    assert "support" in told.next_step


def test_a_payout_without_a_failure_has_nothing_to_explain() -> None:
    assert failure(None) is None
