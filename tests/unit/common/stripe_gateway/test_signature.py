from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadRequest
from common.stripe_gateway.gateway import event_of, verify_signature
from tests.functions.deliveries import an_event, signature

SECRET, OLD = "one secret", "the one before"
EVENT = an_event("charge.succeeded", {"id": "ch_1"})
PAYLOAD = json.dumps(EVENT).encode()


def test_any_of_several_secrets_will_do() -> None:
    for secret in (SECRET, OLD):
        assert verify_signature(PAYLOAD, signature(PAYLOAD, secret), (SECRET, OLD)) == EVENT


def test_without_a_secret_nothing_is_accepted_not_even_what_the_empty_one_signed() -> None:
    for secrets in ((), ("",)):
        with pytest.raises(BadRequest):
            verify_signature(PAYLOAD, signature(PAYLOAD, ""), secrets)


def test_one_good_signature_among_several_will_do() -> None:
    good = signature(PAYLOAD, SECRET)
    stamp, _, v1 = good.partition(",")
    assert verify_signature(PAYLOAD, f"{stamp},v1={'0' * 64},{v1},v0=x", (SECRET,)) == EVENT


@pytest.mark.parametrize("age", [301, 3600, 10**9])
def test_an_old_signature_is_refused(age: int) -> None:
    with pytest.raises(BadRequest):
        verify_signature(PAYLOAD, signature(PAYLOAD, SECRET, time.time() - age), (SECRET,))


@given(st.text(max_size=100))
def test_no_other_header_is_a_signature(header: str) -> None:
    with pytest.raises(BadRequest):
        verify_signature(PAYLOAD, header, (SECRET,))


@given(st.binary(max_size=100))
def test_bytes_are_a_snapshot_event_or_a_400(payload: bytes) -> None:
    with pytest.raises(BadRequest):
        event_of(payload)
