from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadRequest
from common.http.body import DEPTH_LIMIT, parse, write

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_what_is_written_is_read_back_digit_for_digit(body: dict[str, object]) -> None:
    assert parse(write(body).encode()) == body


@given(st.binary(max_size=200))
def test_bytes_are_an_object_or_a_400_and_never_a_crash(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert isinstance(parse(body), dict)


def test_decimals_keep_their_digits_both_ways() -> None:
    assert parse(b'{"a": 184.10}') == {"a": Decimal("184.10")}
    assert write({"a": Decimal("184.00"), "b": Decimal("0.08")}) == '{"a": 184.00, "b": 0.08}'
    assert write({"a": Decimal("1500")}) == '{"a": 1500}'


def test_nesting_is_read_to_the_limit_and_no_deeper() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a": ' * depth + b"1" + b"}" * depth

    assert parse(nested(DEPTH_LIMIT - 1))
    with pytest.raises(BadRequest):
        parse(nested(DEPTH_LIMIT + 1))


def test_a_pair_of_surrogates_is_one_character_and_half_a_pair_is_refused() -> None:
    assert parse(b'{"a": "\\ud83c\\udfb9"}') == {"a": "🎹"}
    assert parse(b'{"a": "\\\\ud83c"}') == {"a": "\\ud83c"}
    for half in (b'{"a": "\\ud83c"}', b'{"\\udfb9": 1}', b'{"a": ["x\\uDFB9y"]}'):
        with pytest.raises(BadRequest):
            parse(half)
