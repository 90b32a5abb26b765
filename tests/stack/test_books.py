"""``python -m emulator books`` against a stack that runs."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from google.cloud.firestore import Client as FirestoreClient
from google.cloud.firestore_v1.base_query import FieldFilter

from emulator.__main__ import main
from emulator.stack.handle import RunningStack
from tests.support.market import Market


def test_a_planted_amount_is_named_and_ends_with_one(
    stack: RunningStack, market: Market, db: FirestoreClient, capsys: pytest.CaptureFixture[str]
) -> None:
    booking = market.a_booking(paid=True)
    found = (
        db.collection("transactions")
        .where(filter=FieldFilter("bookingId", "==", booking.id))
        .stream()
    )
    charge = next(one for one in found if (one.to_dict() or {})["kind"] == "charge")
    right = charge.to_dict() or {}
    wrong = [{**right["entries"][0], "amount": 1}, *right["entries"][1:]]
    charge.reference.update({"entries": wrong})
    try:
        code = main(["books", "--port-base", str(urlsplit(stack.functions).port)])
    finally:
        charge.reference.update({"entries": right["entries"]})
    assert code == 1
    assert "ledger.unbalanced (I1): its entries sum to" in capsys.readouterr().out


def test_without_a_stack_it_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["books", "--port-base", "1"]) == 2
    assert "make up" in capsys.readouterr().err
