from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidFields
from common.http.cursor import decode, encode

instants = st.datetimes(
    min_value=datetime(2000, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)
ids = st.from_regex(r"[A-Za-z0-9._~@:+-]{1,128}", fullmatch=True).filter(
    lambda text: text not in (".", "..") and not text.startswith("__")
)


@given(instants, ids)
def test_a_cursor_leads_back_to_its_place(instant: datetime, document_id: str) -> None:
    cursor = encode(instant, document_id)
    assert decode(cursor) == (instant, document_id)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=400))
def test_any_other_text_is_a_400_that_names_the_cursor(text: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        decode(text)
    assert refused.value.details["fields"] == [
        {"field": "cursor", "problem": "is not one that a list gave"}
    ]
