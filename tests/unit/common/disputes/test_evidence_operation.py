"""Sending evidence: one call under one key, recorded once, and an event's newer word kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from common.disputes.card_dispute import document
from common.disputes.evidence_operation import (
    Sending,
    begun,
    evidence_operation,
    keys,
    needs,
    refused_field,
    settle,
)
from common.operations.model import Operation, Result, State
from common.store import collections
from common.store.store import Replace, Snapshot
from tests.unit.common.bookings.builders import NOW, a_booking
from tests.unit.common.disputes.test_record import word

KEY = collections.dispute("dp_1")


def an_operation(*, submit: bool = True) -> Operation:
    sending = Sending({"service_date": "x"}, ("service_date",), "asked-1", submit, NOW)
    return evidence_operation(
        "evidence-1", "dp_1", sending, now=NOW, actor="p", action="A", request_id="r"
    )


def outcome(result: Result, *, submit: bool = True, **doc: Any) -> tuple[Operation, dict[str, Any]]:
    operation = an_operation(submit=submit)
    was = begun(document(a_booking(), word("needs_response"), NOW), operation.id) | doc
    docs = {KEY: Snapshot(KEY, was, NOW)}
    settled = settle(operation, {"evidence": result}, docs, NOW + timedelta(seconds=1))
    [write] = settled.writes
    assert isinstance(write, Replace)
    return settled.operation, write.data


def test_the_call_names_its_operation_so_that_it_can_be_found_again() -> None:
    [[call]] = an_operation().stages
    assert (call.method, call.target) == ("disputes.update", "dp_1")
    assert call.idempotency_key == "evidence-1"
    assert call.params == {
        "evidence": {"service_date": "x"},
        "submit": True,
        "metadata": {"operationId": "evidence-1"},
    }
    assert needs(an_operation()) == keys(an_operation(), {}) == (an_operation().key, KEY)


def test_a_submission_is_recorded_and_its_texts_are_kept_at_stripe_only() -> None:
    operation, doc = outcome(Result({"status": "under_review"}))
    assert (operation.state, operation.stages) == (State.DONE, ())
    assert doc["status"] == "under_review"
    assert doc["warnAt"] is None
    evidence = doc["evidence"]
    assert evidence["submittedAt"] == NOW + timedelta(seconds=1)
    assert (evidence["submitted"], evidence["operationId"]) == ("asked-1", None)
    assert evidence["fields"] == ["service_date"]


def test_staging_leaves_the_deadline_watched() -> None:
    _, doc = outcome(Result({"status": "needs_response"}), submit=False)
    assert doc["evidence"]["submittedAt"] is None
    assert doc["evidence"]["stagedAt"] == NOW + timedelta(seconds=1)
    assert doc["warnAt"] is not None


def test_what_an_event_has_told_meanwhile_is_newer_than_the_answer() -> None:
    told = {"status": "won", "updatedAt": NOW + timedelta(seconds=1)}
    _, doc = outcome(Result({"status": "under_review"}), **told)
    assert doc["status"] == "won"
    assert doc["evidence"]["submittedAt"] is not None


def test_stripes_no_lets_the_next_one_try_and_names_the_field() -> None:
    body = {"param": "evidence[receipt]"}
    operation, doc = outcome(Result(None, "resource_missing", "no such file", body))
    assert (operation.state, operation.plan["field"]) == (State.FAILED, "receipt")
    assert doc["evidence"]["operationId"] is None
    assert doc["evidence"]["submittedAt"] is None
    assert doc["status"] == "needs_response"


@pytest.mark.parametrize(
    ("param", "field"),
    [
        ("evidence[receipt]", "receipt"),
        ("evidence[appeal][card][supporting_files]", "appeal.card.supporting_files"),
        ("submit", None),
        (None, None),
    ],
)
def test_a_refused_parameter_is_said_as_the_clients_field(
    param: str | None, field: str | None
) -> None:
    assert refused_field({"param": param}) == field
