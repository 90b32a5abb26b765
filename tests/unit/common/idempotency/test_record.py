from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from common.errors import KeyInFlight, KeyReused
from common.idempotency.record import KEPT, LEASE, Record, Replayed, body_hash, without_secrets
from common.store.store import Create, Patch, Replace, Snapshot

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_record(*, body: str = "hash", now: datetime = NOW, text: str = "key") -> Record:
    return Record("somebody", "ACT", text, body, now)


def stored(record: Record) -> Snapshot:
    """What Firestore holds once a record's first commit is made."""
    opening = record.opening()
    assert isinstance(opening, Create)
    return Snapshot(opening.key, dict(opening.data), NOW)


def answered(record: Record, status: int = 200, **answer: Any) -> Snapshot:
    record.close(status, answer)
    return stored(record)


def test_a_body_hash_depends_on_values_and_not_on_their_order() -> None:
    assert body_hash({"a": 1, "b": Decimal("2.50")}) == body_hash({"b": Decimal("2.50"), "a": 1})
    assert body_hash({"a": 1}) != body_hash({"a": 2})
    assert body_hash({"a": 1}) != body_hash({"a": "1"})


def test_the_document_is_named_by_caller_action_and_key_together() -> None:
    keys = {
        Record(caller, action, text, "h", NOW).key
        for caller in ("a", "b")
        for action in ("X", "Y")
        for text in ("1", "2", "../x")
    }
    assert len(keys) == 12
    assert all(key.id.isalnum() for key in keys)


def test_a_key_nobody_used_lets_the_work_begin() -> None:
    record = a_record()
    record.meet(Snapshot(record.key, None, None))
    assert isinstance(record.opening(), Create)
    record.opened()
    assert record.opening() is None


def test_an_answered_key_is_replayed_exactly() -> None:
    kept = answered(a_record(), total=Decimal("184.00"), list=[1])
    with pytest.raises(Replayed) as replay:
        a_record(now=NOW + timedelta(hours=24)).meet(kept)
    assert (replay.value.status, replay.value.answer) == (
        200,
        {"total": Decimal("184.00"), "list": [1]},
    )


def test_a_refusal_is_replayed_with_its_status() -> None:
    kept = answered(a_record(), 409, error="full", code=409)
    with pytest.raises(Replayed) as replay:
        a_record().meet(kept)
    assert (replay.value.status, replay.value.answer["error"]) == (409, "full")


def test_another_body_is_refused_whether_answered_or_not() -> None:
    for kept in (stored(a_record()), answered(a_record(), a=1)):
        with pytest.raises(KeyReused):
            a_record(body="other").meet(kept)


def test_a_key_in_flight_is_refused_until_its_lease_is_over_and_then_taken_over() -> None:
    kept = stored(a_record())
    with pytest.raises(KeyInFlight):
        a_record(now=NOW + LEASE - timedelta(milliseconds=1)).meet(kept)
    later = a_record(now=NOW + LEASE)
    later.meet(kept)
    taken = later.opening()
    assert isinstance(taken, Replace)
    assert taken.was is kept
    assert taken.data["createdAt"] == NOW


def test_a_request_does_not_stand_in_its_own_way() -> None:
    record = a_record()
    record.meet(stored(replace(record)))


def test_the_last_commit_of_an_open_record_only_adds_the_answer() -> None:
    record = a_record()
    record.opening()
    record.opened()
    last = record.close(200, {"a": 1, "clientSecret": "x"})
    assert isinstance(last, Patch)
    assert "clientSecret" not in str(last.fields)


def test_secrets_and_links_are_never_stored() -> None:
    answer: dict[str, Any] = {
        "bookingId": "b",
        "clientSecret": "s",
        "onboardingUrl": "u",
        "url": "v",
    }
    assert without_secrets(answer) == {"bookingId": "b"}
    kept = answered(a_record(), **answer)
    assert "bookingId" in kept.require()["answer"]
    for secret in ("clientSecret", "onboardingUrl", '"url"'):
        assert secret not in kept.require()["answer"]


def test_a_record_is_kept_for_at_least_a_day() -> None:
    assert timedelta(hours=24) <= KEPT
    assert stored(a_record()).require()["expireAt"] >= NOW + timedelta(hours=24)
