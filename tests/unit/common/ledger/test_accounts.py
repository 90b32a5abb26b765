"""The chart of accounts is the page's: every posting ever written names these."""

from __future__ import annotations

import re
from pathlib import Path

from common.ledger import accounts

PAGE = Path(__file__).parents[4] / "docs" / "ledger.md"


def test_the_accounts_are_those_of_the_page() -> None:
    ours = {
        accounts.STRIPE,
        accounts.HELD,
        accounts.COMMISSION,
        accounts.STRIPE_FEES,
        accounts.BANK,
        accounts.ADJUSTMENTS,
        accounts.DISPUTES,
        accounts.LOSSES,
        accounts.EXCHANGE,
        accounts.owed("{uid}"),
        accounts.connected("{uid}"),
        accounts.debt("{uid}"),
    }
    text = PAGE.read_text(encoding="utf-8")
    assert ours == set(re.findall(r"^\| `(\S+:\S+)` \|", text, re.MULTILINE))


def test_each_account_is_the_one_the_page_describes() -> None:
    assert accounts.STRIPE == "platform:stripe"
    assert accounts.HELD == "bookings:held"
    assert accounts.COMMISSION == "platform:commission"
    assert accounts.STRIPE_FEES == "platform:stripe_fees"
    assert accounts.BANK == "platform:bank"
    assert accounts.ADJUSTMENTS == "platform:adjustments"
    assert accounts.DISPUTES == "disputes:open"
    assert accounts.LOSSES == "platform:losses"
    assert accounts.EXCHANGE == "platform:exchange"


def test_a_provider_has_three_accounts_of_their_own() -> None:
    assert accounts.owed("ada") == "provider:ada"
    assert accounts.connected("ada") == "provider:ada:stripe"
    assert accounts.debt("ada") == "provider:ada:debt"
