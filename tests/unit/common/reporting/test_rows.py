"""Exported lines: a spreadsheet reads back what the ledger holds, and never a formula."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.ledger.posting import Posting, entries
from common.reporting import rows
from common.store.store import Create, Snapshot
from tests.unit.common.bookings.builders import NOW


def stored(amount: int = 150_00, code: str = "USD", **about: str) -> Snapshot:
    lines = entries(
        ("platform:stripe", -amount), ("provider:ada", amount - 12), ("platform:commission", 12)
    )
    (made, *_) = Posting("refund", "re_1", code, lines, about).writes(NOW)
    assert isinstance(made, Create)
    return Snapshot(made.key, made.data, NOW)


def read(*lines: str) -> list[dict[str, str]]:
    text = "\r\n".join([rows.csv_header(), *lines])
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_account_has_a_column_and_a_row_sums_to_nothing() -> None:
    (row,) = read(rows.csv_line(stored(bookingId="booking-1", providerId="ada")))
    assert row["transactionId"] == "refund_re_1"
    assert row["platformStripe"] == "-150.00"
    assert row["providerOwed"] == "149.88"
    assert row["amount"] == "150.00"
    assert row["currency"] == "USD"
    columns = rows.HEADER[rows.HEADER.index("amount") + 1 :]
    assert sum(Decimal(row[name]) for name in columns) == 0


@given(text=st.text(max_size=40))
def test_a_text_comes_back_whole_and_never_as_a_formula(text: str) -> None:
    (row,) = read(rows.csv_line(stored(category=text, bookingId="b")))
    cell = row["category"]
    assert cell in (text, f"'{text}")
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0"))


def test_formulas_get_an_apostrophe_and_negative_amounts_stay_numbers() -> None:
    (row,) = read(rows.csv_line(stored(category="=1+1", providerId="-x", bookingId='@"b",')))
    assert row["category"] == "'=1+1"
    assert row["providerId"] == "'-x"
    assert row["bookingId"] == '\'@"b",'
    assert Decimal(row["platformStripe"]) == Decimal("-150.00")


def test_each_currency_keeps_its_own_decimals() -> None:
    lines = [rows.csv_line(stored(amount=1250, code=code)) for code in ("USD", "JPY", "KWD")]
    assert [row["amount"] for row in read(*lines)] == ["12.50", "1250", "1.250"]


def test_a_json_line_is_exact_and_names_the_accounts() -> None:
    line = rows.json_line(stored(bookingId="booking-1", customerId="eve"))
    told: dict[str, Any] = json.loads(line, parse_float=Decimal)
    assert "\n" not in line
    assert "eve" not in line
    assert told["entries"][0] == {"account": "platform:stripe", "amount": Decimal("-150.00")}
    assert sum(entry["amount"] for entry in told["entries"]) == 0
