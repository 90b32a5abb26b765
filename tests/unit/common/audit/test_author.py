"""What an author's row tells of a commit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from common.audit.author import Author, Unauthorised
from common.auth.caller import Role
from common.store import collections
from common.store.store import Add, Create, Patch, Replace, Snapshot, Write

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BOOKING = collections.booking("b1")


def an_author(role: Role | None = Role.OPERATOR) -> Author:
    return Author("ada", "CANCEL_BOOKING", "req-1", lambda: NOW, role=role, reason="rain")


def signed(author: Author, *writes: Write) -> dict[str, object]:
    [row] = author.sign("audit-x", 2, writes)
    assert isinstance(row, Create)
    assert row.key == collections.audit("audit-x-2")
    return row.data


def test_a_row_says_who_did_what_when_and_to_which_documents() -> None:
    row = signed(
        an_author(),
        Replace(
            Snapshot(BOOKING, {"version": 1}, NOW),
            {
                "version": 2,
                "status": "CANCELLED",
                "eligibleAt": NOW,
                "holds": {"review": "prv_1"},
                "money": {},
            },
        ),
        Create(collections.refund("r1"), {"status": "PENDING"}),
        Replace(Snapshot(collections.dispute("d1"), None, None), {"status": "lost"}),
        Add(collections.earnings("ada", "USD"), {}, {"held": -1}),
        Add(collections.earnings("ada", "USD"), {}, {"held": -1}),
    )
    assert row == {
        "actor": "ada",
        "role": "operator",
        "action": "CANCEL_BOOKING",
        "requestId": "req-1",
        "eventId": None,
        "reason": "rain",
        "at": NOW,
        "unit": "audit-x",
        "step": 2,
        "objects": ["bookings/b1", "refunds/r1", "disputes/d1", "earnings/ada_USD"],
        "created": ["refunds/r1", "disputes/d1"],
        "states": {
            "bookings/b1": {
                "version": 2,
                "status": "CANCELLED",
                "eligibleAt": NOW,
                "holds": ["review"],
            },
            "refunds/r1": {"status": "PENDING"},
            "disputes/d1": {"status": "lost"},
        },
    }


def test_only_an_operators_reason_is_kept() -> None:
    write = Create(BOOKING, {"version": 1, "status": "PENDING", "holds": {}})
    assert signed(an_author(Role.CUSTOMER), write)["reason"] is None


def test_our_own_book_keeping_is_nobodys_act() -> None:
    kept: list[Write] = [
        Create(collections.idempotency("k"), {}),
        Create(collections.event("evt_1"), {}),
        Patch(collections.cursor("events"), {"until": NOW}),
    ]
    assert an_author(None).sign("audit-x", 1, kept) == []


def test_nothing_is_changed_before_a_role_was_found() -> None:
    with pytest.raises(Unauthorised, match="CANCEL_BOOKING"):
        an_author(None).sign("audit-x", 1, [Patch(BOOKING, {"status": "CANCELLED"})])


def test_nobody_commits_beside_the_unit_that_signs() -> None:
    """Only how far Stripe's list of events was read is kept without an author."""
    root = Path(__file__).parents[4]
    files = [path for top in ("common", "functions") for path in (root / top).rglob("*.py")]
    found = {str(path.relative_to(root)) for path in files if "store.commit(" in path.read_text()}
    assert found == {"common/store/unit.py", "common/webhooks/missed.py"}
