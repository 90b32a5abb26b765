"""What a provider may say: either spelling, and in an appeal nothing but the appeal."""

from __future__ import annotations

from typing import Any

import pytest

from common.disputes.evidence import PERSONAL
from common.errors import InvalidFields
from common.http.command import parse
from functions.refund_processor.evidence_fields import Given

APPEAL = {"reasonForFiling": "The bank overlooked the check-in", "supportingFiles": ["file_1"]}


def test_both_spellings_are_stripes_names() -> None:
    said = parse(Given, {"serviceDate": "today", "uncategorized_text": None, "receipt": "file_1"})
    assert said.as_stripe() == {
        "service_date": "today",
        "uncategorized_text": None,
        "receipt": "file_1",
    }


def test_the_customers_address_is_not_the_providers_to_say() -> None:
    assert Given.model_fields.keys() & PERSONAL == {"customer_name"}


def test_an_appeal_is_stripes_own_part_of_the_evidence() -> None:
    said = parse(Given, {"appeal": APPEAL})
    assert said.appeal_as_stripe() == {
        "card": {
            "reason_for_filing": "The bank overlooked the check-in",
            "supporting_files": ["file_1"],
        }
    }
    with pytest.raises(InvalidFields, match=r"evidence\.appeal"):
        said.refuse_appeal()


@pytest.mark.parametrize(
    ("said", "field"),
    [({}, "evidence.appeal"), ({"appeal": APPEAL, "serviceDate": "x"}, "evidence.service_date")],
)
def test_while_a_decision_is_appealed_nothing_else_is_taken(
    said: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidFields, match=field.replace(".", r"\.")):
        parse(Given, said).appeal_as_stripe()


@pytest.mark.parametrize(
    "appeal",
    [{}, {"reasonForFiling": ""}, {**APPEAL, "supportingFiles": ["receipt.pdf"]}, "a text"],
)
def test_an_appeal_has_a_reason_and_files_by_their_ids(appeal: Any) -> None:
    with pytest.raises(InvalidFields):
        parse(Given, {"appeal": appeal})
