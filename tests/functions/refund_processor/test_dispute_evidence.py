"""Evidence for card disputes: drafted, staged, submitted once, refused when it is too late."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
import structlog

from common import logs
from common.disputes import deadlines
from common.store import collections
from emulator.stack.handle import RunningStack
from tests.functions.acts import (
    DAY,
    a_completed_booking,
    a_paid_booking,
    as_customer,
    as_operator,
    charge_of,
    maintenance,
    refund,
    soon,
    together,
    until_answered,
)
from tests.functions.books import books_balance
from tests.functions.inside import a_context, services_on
from tests.support.api import Answer
from tests.support.market import Booking, Market, fresh, usd

WINS = {"uncategorized_text": "winning_evidence"}


def disputed(market: Market, booking: Booking, *, inquiry: bool = False) -> str:
    """The id of a new dispute of a booking."""
    body = {"charge": charge_of(market, booking), "inquiry": inquiry}
    dispute = market.control.call("POST", "disputes", body)
    market.control.idle()
    return str(dispute["id"])


def ask(market: Market, uid: str, action: str, dispute: str, **fields: Any) -> Answer:
    """A call about a dispute."""
    caller = market.api.as_user(uid)
    return caller.post("refund-processor", action, disputeId=dispute, **fields)


def send(market: Market, booking: Booking, dispute: str, evidence: Any = None, **f: Any) -> Answer:
    """SUBMIT_DISPUTE_EVIDENCE by the provider; with ``submit`` for good."""
    said = {} if evidence is None else {"evidence": evidence}
    uid = booking.service.provider.uid
    return ask(market, uid, "SUBMIT_DISPUTE_EVIDENCE", dispute, **said, **f)


def shown(market: Market, booking: Booking, dispute: str) -> dict[str, Any]:
    """GET_DISPUTE by the provider."""
    told = ask(market, booking.service.provider.uid, "GET_DISPUTE", dispute).ok()
    one: dict[str, Any] = told["dispute"]
    return one


def at_stripe(market: Market, dispute: str) -> Any:
    return market.stripe.v1.disputes.retrieve(dispute)


def record_of(market: Market, dispute: str) -> dict[str, Any]:
    return market.db.collection("disputes").document(dispute).get().to_dict() or {}


def test_a_dispute_shows_its_deadline_and_a_draft_without_the_customers_person(
    market: Market,
) -> None:
    booking = a_paid_booking(market, specialRequests=None)
    refund(market, booking, 50).ok()
    market.control.idle()
    dispute = disputed(market, booking)
    one = shown(market, booking, dispute)
    assert (one["status"], one["awaitsEvidence"], one["refundable"]) == (
        "needs_response",
        True,
        False,
    )
    assert (one["amount"], one["currency"], one["reason"]) == (usd("150.00"), "USD", "fraudulent")
    assert one["evidenceDueBy"] > market.control.now().isoformat()
    assert one["draft"]["service_date"] == booking.start.date().isoformat()
    assert "Piano lesson" in one["draft"]["product_description"]
    assert "100 % at least 24 hours before" in one["draft"]["cancellation_policy_disclosure"]
    assert "50.00 USD" in one["draft"]["refund_refusal_explanation"]
    assert "/receipts/ch_" in one["draft"]["uncategorized_text"]
    assert one["withheld"] == ["customer_email_address"]
    assert "@example.com" not in str(one)
    assert one["sent"] == {}


def test_staged_evidence_may_be_changed_until_it_is_submitted_and_wins(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    staged = send(market, booking, dispute, {"productDescription": "An hour of Bach"}).ok()
    assert (staged["submitted"], staged["status"]) == (False, "needs_response")
    assert staged["providerFields"] == ["product_description"]
    there = at_stripe(market, dispute)
    assert there.evidence.product_description == "An hour of Bach"
    assert there.evidence.customer_email_address == f"{booking.customer}@example.com"
    assert there.evidence_details.submission_count == 0
    again = send(market, booking, dispute, {"service_date": "yesterday"}).ok()
    assert again["providerFields"] == ["product_description", "service_date"]
    there = at_stripe(market, dispute)
    assert there.evidence.product_description == "An hour of Bach"  # the draft leaves it alone
    back = send(market, booking, dispute, {"productDescription": None}).ok()
    assert back["providerFields"] == ["service_date"]
    assert "Piano lesson" in at_stripe(market, dispute).evidence.product_description
    final = send(market, booking, dispute, WINS, submit=True).ok()
    assert final["submitted"]
    assert final["status"] in ("under_review", "won")  # the bank here takes a moment only
    market.control.idle()
    assert market.booking(booking.id)["status"] == "COMPLETED"
    one = shown(market, booking, dispute)
    assert (one["status"], one["awaitsEvidence"]) == ("won", False)
    assert one["closedAt"] is not None
    books_balance(market, booking)


def test_what_was_submitted_is_final_and_the_same_again_is_the_same(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute, key = disputed(market, booking), fresh("key")
    first = send(market, booking, dispute, {}, submit=True, idempotency_key=key)
    replayed = send(market, booking, dispute, {}, submit=True, idempotency_key=key)
    assert replayed.json == first.ok()
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert send(market, booking, dispute, {}, submit=True).ok() == first.json
    told = send(market, booking, dispute, WINS, submit=True).refused(409, "wrong_state")
    assert told["currentStatus"] == "under_review"
    send(market, booking, dispute, {}).refused(409, "wrong_state")
    assert at_stripe(market, dispute).evidence_details.submission_count == 1


def test_of_concurrent_submissions_one_counts(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)

    def one(n: int) -> Answer:
        text = {"uncategorized_text": f"version {n}"}
        return until_answered(lambda: send(market, booking, dispute, text, submit=True))

    answers = together(*(lambda n=n: one(n) for n in range(4)))  # type: ignore[misc]
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    there = at_stripe(market, dispute)
    assert there.evidence_details.submission_count == 1
    [winner] = [n for n, answer in enumerate(answers) if answer.status == 200]
    assert there.evidence.uncategorized_text == f"version {winner}"


def test_the_same_submission_at_the_same_time_is_made_once(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)

    def one() -> Answer:
        return until_answered(lambda: send(market, booking, dispute, {}, submit=True))

    answers = together(one, one, one)
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert at_stripe(market, dispute).evidence_details.submission_count == 1


@pytest.mark.parametrize("mode", ["error_before", "error_after", "reset_after"])
def test_a_submission_whose_answer_was_lost_is_made_once(market: Market, mode: str) -> None:
    booking = a_completed_booking(market)
    dispute, key = disputed(market, booking), fresh("key")
    market.control.fault("POST", f"/v1/disputes/{dispute}", mode, times=4)
    send(market, booking, dispute, {}, submit=True, idempotency_key=key)
    market.control.clear_faults()
    told = until_answered(
        lambda: send(market, booking, dispute, {}, submit=True, idempotency_key=key)
    )
    assert told.ok()["submitted"]
    assert at_stripe(market, dispute).evidence_details.submission_count == 1


@pytest.mark.parametrize("healer", ["maintenance", "another request"])
def test_what_a_process_left_open_is_finished_by_whoever_comes_next(
    market: Market, healer: str
) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    market.control.fault("POST", f"/v1/disputes/{dispute}", "reset_after", times=2)
    send(market, booking, dispute, {"uncategorized_text": "first"}, submit=True).refused(503)
    send(market, booking, dispute, {}, submit=True).refused(409, "evidence_in_progress")
    market.control.advance(60)
    if healer == "maintenance":
        maintenance(market)
        assert record_of(market, dispute)["evidence"]["submittedAt"] is not None
    second = send(market, booking, dispute, {"uncategorized_text": "second"}, submit=True)
    second.refused(409, "wrong_state")
    assert record_of(market, dispute)["evidence"]["operationId"] is None
    there = at_stripe(market, dispute)
    assert there.evidence.uncategorized_text == "first"
    assert there.evidence_details.submission_count == 1


def test_files_are_named_by_their_ids_and_one_that_is_not_there_is_said_to_be_so(
    market: Market,
) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    told = send(market, booking, dispute, {"receipt": "file_nowhere"}, submit=True)
    [problem] = told.refused(400, "invalid_input")["fields"]
    assert problem["field"] == "evidence.receipt"
    receipt = BytesIO(b"%PDF-1.4 receipt")
    params: Any = {"purpose": "dispute_evidence", "file": receipt}
    file = market.stripe.v1.files.create(params)
    assert send(market, booking, dispute, {"receipt": file.id}, submit=True).ok()["submitted"]
    assert at_stripe(market, dispute).evidence.receipt == file.id


@pytest.mark.parametrize(
    ("evidence", "field"),
    [
        ({"customer_email_address": "a@example.com"}, "evidence.customerEmailAddress"),
        ({"nonsense": "x"}, "evidence.nonsense"),
        ({"receipt": "a receipt"}, "evidence.receipt"),
        ({"uncategorized_text": "x" * 20_001}, "evidence.uncategorizedText"),
        ({"uncategorized_text": "a", "uncategorizedText": "b"}, "evidence"),
        ({"appeal": {"reasonForFiling": "wrong"}}, "evidence.appeal"),
        (["text"], "evidence"),
    ],
)
def test_fields_that_are_not_a_providers_are_refused(
    market: Market, evidence: Any, field: str
) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    told = send(market, booking, dispute, evidence).refused(400, "invalid_input")
    assert [one["field"] for one in told["fields"]] == [field]
    assert not at_stripe(market, dispute).evidence_details.has_evidence


def test_all_the_evidence_together_keeps_to_stripes_limit(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    texts = (
        "uncategorized_text", "product_description", "billing_address", "shipping_address",
        "cancellation_rebuttal", "refund_policy_disclosure", "access_activity_log",
    )  # fmt: skip
    send(market, booking, dispute, dict.fromkeys(texts, "x" * 20_000)).ok()
    told = send(market, booking, dispute, {"customer_purchase_ip": "y" * 19_000})
    assert told.refused(400, "invalid_input")["fields"][0]["field"] == "evidence"


def test_a_plain_text_is_the_uncategorized_one(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    send(market, booking, dispute, "They came and played.").ok()
    assert at_stripe(market, dispute).evidence.uncategorized_text == "They came and played."


def test_strangers_learn_nothing_and_the_customer_may_not(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    other = market.a_provider(ready=False)
    for action in ("GET_DISPUTE", "SUBMIT_DISPUTE_EVIDENCE"):
        unknown = ask(market, other.uid, action, "dp_unknown").refused(404)
        known = ask(market, other.uid, action, dispute).refused(404)
        assert known["error"] == unknown["error"]
        ask(market, booking.customer, action, dispute).refused(403)
        market.api.as_operator().post("refund-processor", action, disputeId=dispute).ok()


def test_no_bank_takes_evidence_for_a_dispute_of_a_refund(market: Market) -> None:
    booking = a_completed_booking(market)
    contested = as_customer(
        market, booking, "refund-processor", "DISPUTE_REFUND", reason="not as described"
    ).ok()
    told = send(market, booking, contested["disputeId"], WINS, submit=True)
    assert told.refused(409, "wrong_state")["currentStatus"] == "OPEN"


def test_after_the_deadline_nothing_is_sent(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    market.control.advance(10 * DAY)
    told = send(market, booking, dispute, WINS, submit=True).refused(409, "wrong_state")
    assert told["currentStatus"] == "lost"
    assert market.booking(booking.id)["status"] == "REFUNDED"
    books_balance(market, booking)


def test_an_inquiry_is_answered_and_may_become_a_chargeback_that_is_answered_again(
    market: Market,
) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, inquiry=True)
    assert market.booking(booking.id)["status"] == "COMPLETED"
    assert shown(market, booking, dispute)["refundable"] is True
    sent = send(
        market, booking, dispute, {"uncategorized_text": "escalate_inquiry_evidence"}, submit=True
    ).ok()
    assert sent["status"] == "warning_under_review"
    market.control.idle()
    one = shown(market, booking, dispute)
    assert (one["status"], one["awaitsEvidence"], one["submittedAt"]) == (
        "needs_response",
        True,
        None,
    )
    assert market.booking(booking.id)["status"] == "DISPUTED"
    assert send(market, booking, dispute, WINS, submit=True).ok()["status"] == "under_review"
    market.control.idle()
    assert market.booking(booking.id)["status"] == "COMPLETED"
    books_balance(market, booking)


def test_during_an_inquiry_a_refund_is_made_and_ends_it(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking, inquiry=True)
    assert refund(market, booking).ok()["refundAmount"] == usd("200.00")
    market.control.idle()
    assert record_of(market, dispute)["status"] == "warning_closed"
    assert market.booking(booking.id)["status"] == "REFUNDED"
    books_balance(market, booking)


def test_during_a_chargeback_refund_and_cancellation_say_why_not(market: Market) -> None:
    booking = a_paid_booking(market, start=soon(market, hours=72))
    dispute = disputed(market, booking)
    told = refund(market, booking).refused(400, "not_refundable")
    assert told["error"] == "Booking is not in a refundable state"
    assert told["currentStatus"] == "DISPUTED"
    assert dispute in told["reason"]
    refused = as_customer(market, booking, "booking-processor", "CANCEL_BOOKING")
    assert dispute in refused.refused(409, "wrong_state")["reason"]
    quote = as_operator(market, booking, "refund-processor", "CALCULATE_REFUND").ok()
    assert (quote["refundable"], dispute in quote["reason"]) == (False, True)


def test_a_chargeback_of_a_booking_that_is_over_refuses_refunds_as_well(market: Market) -> None:
    booking = a_paid_booking(market, cancellationPolicy="FLEXIBLE", start=soon(market, hours=12))
    as_customer(market, booking, "booking-processor", "CANCEL_BOOKING").ok()
    market.control.idle()
    dispute = disputed(market, booking)
    assert market.booking(booking.id)["status"] == "CANCELLED"
    told = refund(market, booking, 10).refused(400, "not_refundable")
    assert (told["currentStatus"], dispute in told["reason"]) == ("CANCELLED", True)


def test_the_list_is_the_providers_own_newest_first_by_pages(market: Market) -> None:
    provider = market.a_provider()
    bookings = [a_completed_booking(market, provider) for _ in range(3)]
    disputes = []
    for booking in bookings:
        disputes.append(disputed(market, booking))
        market.control.advance(5)
    send(market, bookings[0], disputes[0], WINS, submit=True).ok()
    market.control.idle()
    caller = market.api.as_user(provider.uid)
    page = caller.post("refund-processor", "LIST_DISPUTES", limit=2).ok()
    rest = caller.post("refund-processor", "LIST_DISPUTES", cursor=page["nextCursor"]).ok()
    told = [one["disputeId"] for one in (*page["disputes"], *rest["disputes"])]
    assert told == disputes[::-1]
    assert rest["nextCursor"] is None
    left = caller.post("refund-processor", "LIST_DISPUTES", open=True).ok()["disputes"]
    assert [one["disputeId"] for one in left] == disputes[:0:-1]
    by_operator = market.api.as_operator().post(
        "refund-processor", "LIST_DISPUTES", providerId=provider.uid
    )
    assert len(by_operator.ok()["disputes"]) == 3
    market.api.as_user(fresh("provider")).post(
        "refund-processor", "LIST_DISPUTES", providerId=provider.uid
    ).refused(404)


@pytest.fixture
def warnings(
    stack: RunningStack, market: Market, capsys: pytest.CaptureFixture[str]
) -> Iterator[Any]:
    """What the maintenance's own code says of one dispute, in this process."""
    with services_on(stack, market) as services:
        structlog.reset_defaults()
        logs.configure("INFO")

        def run(dispute: str) -> str:
            key = collections.dispute(dispute)
            context = a_context(services, "RUN_MAINTENANCE")
            capsys.readouterr()
            deadlines.warn(context, context.read(key)[key])
            return capsys.readouterr().out

        yield run
    structlog.reset_defaults()


def test_a_deadline_is_warned_of_once_at_three_days_and_once_at_one(
    market: Market, warnings: Any
) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    assert warnings(dispute) == ""
    market.control.advance(6 * DAY + 60)
    close = warnings(dispute)
    assert '"WARNING"' in close
    assert "dispute.evidence_due" in close
    assert dispute in close
    assert "@" not in close
    assert warnings(dispute) == ""
    market.control.advance(2 * DAY)
    assert '"ERROR"' in warnings(dispute)
    assert warnings(dispute) == ""


def test_the_maintenance_run_finds_near_deadlines_and_leaves_answered_disputes(
    market: Market,
) -> None:
    answered, silent = a_completed_booking(market), a_completed_booking(market)
    first, second = disputed(market, answered), disputed(market, silent)
    send(market, answered, first, {}, submit=True).ok()
    market.control.advance(6 * DAY + 60)
    assert maintenance(market)["evidenceWarnings"] >= 1
    assert record_of(market, second)["evidence"]["warned"] == "close"
    assert record_of(market, first)["evidence"]["warned"] is None
    assert maintenance(market)["evidenceWarnings"] == 0


def test_a_deadline_that_passed_unheard_is_said_to_be_over(market: Market, warnings: Any) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    market.control.webhooks("drop")
    market.control.advance(10 * DAY)
    market.control.webhooks("normal")
    assert "dispute.evidence_overdue" in warnings(dispute)
    assert warnings(dispute) == ""


def test_metrics_count_what_was_won_and_lost(market: Market) -> None:
    start = market.control.now()
    won, lost = (a_completed_booking(market, currency="GBP") for _ in range(2))
    for booking, text in ((won, "winning_evidence"), (lost, "losing_evidence")):
        send(market, booking, disputed(market, booking), text, submit=True).ok()
        market.control.idle()
    market.control.advance(5)
    told = market.api.as_operator().post(
        "reporting",
        "GET_METRICS",
        **{"from": start.isoformat(), "to": market.control.now().isoformat()},
    )
    figures = told.ok()["byCurrency"]["GBP"]
    assert (figures["disputesWon"], figures["disputesLost"]) == (1, 1)
    assert figures["disputeWinRate"] == usd("0.5")


def test_evidence_is_in_no_document_that_the_customer_may_read(market: Market) -> None:
    booking = a_completed_booking(market)
    dispute = disputed(market, booking)
    send(market, booking, dispute, {"uncategorized_text": "a private word"}).ok()
    assert "a private word" not in str(record_of(market, dispute))
    assert f"{booking.customer}@" not in str(record_of(market, dispute))
    operations = market.db.collection("operations").stream()
    assert not [one.id for one in operations if "a private word" in str(one.to_dict())]
