"""Refunds, disputes, early fraud warnings and reviews."""

from __future__ import annotations

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, Marketplace


def test_partial_refunds_add_up_to_the_charge_and_no_further(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    payment = market.payment(11_00)
    first = stripe.v1.refunds.create(
        {"payment_intent": payment.id, "amount": 6_00, "reason": "requested_by_customer"}
    )
    assert (first.status, first.amount) == ("succeeded", 6_00)
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.refunds.create({"payment_intent": payment.id, "amount": 6_00})
    assert str(caught.value.user_message) == (
        "Refund amount ($6.00) is greater than unrefunded amount on charge ($5.00)"
    )
    with pytest.raises(sdk.InvalidRequestError, match=r"greater than charge amount \(\$11.00\)"):
        stripe.v1.refunds.create({"payment_intent": payment.id, "amount": 12_00})
    stripe.v1.refunds.create({"charge": payment.latest_charge.id})
    with pytest.raises(sdk.InvalidRequestError) as again:
        stripe.v1.refunds.create({"payment_intent": payment.id})
    assert again.value.code == "charge_already_refunded"
    emulator.idle()
    charge = stripe.v1.charges.retrieve(payment.latest_charge.id, {"expand": ["refunds"]})
    assert charge.refunded
    assert charge.amount_refunded == 11_00
    assert charge.refunds is not None
    assert [r.amount for r in charge.refunds.data] == [5_00, 6_00]
    assert market.funds() == (0, -62)
    assert market.events()[4:6] == ["refund.created", "charge.refunded"]
    assert sorted(market.events()[4:]) == sorted(
        ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"] * 2
    )


def test_a_reason_of_ones_own_is_refused(stripe: StripeClient, market: Marketplace) -> None:
    payment = market.payment()
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.refunds.create({"payment_intent": payment.id, "reason": "customer_request"})  # type: ignore[typeddict-item]
    assert caught.value.param == "reason"


def test_a_refund_the_balance_cannot_pay_waits_until_it_can(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    account, payment = market.account(), market.payment(100_00, card="pm_card_bypassPending")
    market.transfer(account, 92_00, payment)
    refund = stripe.v1.refunds.create({"payment_intent": payment.id})
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    assert refund.balance_transaction is None
    assert market.funds() == (100_00 - 320 - 92_00, 0)
    market.payment(200_00, card="pm_card_bypassPending")
    emulator.idle()
    paid = stripe.v1.refunds.retrieve(refund.id)
    assert paid.status == "succeeded"
    assert market.funds()[0] == 4_80 + 193_90 - 100_00


def test_a_refund_to_the_failing_card_comes_back(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    payment = market.payment(20_00, card="pm_card_refundFail")
    refund = stripe.v1.refunds.create({"payment_intent": payment.id, "amount": 5_00})
    assert refund.status == "succeeded"
    emulator.idle()
    failed = stripe.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction.amount == 5_00
    assert stripe.v1.charges.retrieve(payment.latest_charge.id).amount_refunded == 0
    assert sum(market.funds()) == 20_00 - 88
    assert "refund.failed" in market.events()


def test_a_refund_to_the_pending_card_succeeds_a_moment_later(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    payment = market.payment(20_00, card="pm_card_pendingRefund")
    refund = stripe.v1.refunds.create({"payment_intent": payment.id})
    assert refund.status == "pending"
    emulator.idle()
    assert stripe.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_an_authorisation_is_cancelled_and_not_refunded(stripe: StripeClient) -> None:
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 100_00,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "capture_method": "manual",
        }
    )
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.refunds.create({"payment_intent": intent.id})


@pytest.mark.parametrize(("outcome", "kept"), [("won", 200_00 - 610 - 1500), ("lost", -610 - 1500)])
def test_a_dispute_takes_amount_and_fee_and_a_win_returns_the_amount(
    stripe: StripeClient, market: Marketplace, emulator: Emulator, outcome: str, kept: int
) -> None:
    payment = market.payment()
    charge = payment.latest_charge.id
    dispute = emulator.control("POST", "/disputes", {"charge": charge, "reason": "duplicate"})
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 200_00)
    assert sum(market.funds()) == -610 - 1500
    with pytest.raises(sdk.InvalidRequestError) as refused:
        stripe.v1.refunds.create({"charge": charge})
    assert refused.value.code == "charge_disputed"
    emulator.control("POST", "/disputes", {"charge": charge, "outcome": outcome})
    closed = stripe.v1.disputes.retrieve(dispute["id"])
    assert closed.status == outcome
    assert len(closed.balance_transactions) == (2 if outcome == "won" else 1)
    assert sum(market.funds()) == kept
    reinstated = ["charge.dispute.funds_reinstated"] if outcome == "won" else []
    assert market.events()[4:] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        *reinstated,
        "charge.dispute.closed",
    ]


@pytest.mark.parametrize(
    ("text", "outcome"), [("winning_evidence", "won"), ("losing_evidence", "lost")]
)
def test_test_evidence_decides_a_dispute_a_moment_after_it_was_submitted(
    stripe: StripeClient, market: Marketplace, emulator: Emulator, text: str, outcome: str
) -> None:
    market.payment(card="pm_card_createDispute")
    dispute = stripe.v1.disputes.list().data[0]
    staged = stripe.v1.disputes.update(
        dispute.id, {"evidence": {"customer_name": "Ada"}, "submit": False}
    )
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    under_review = stripe.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})
    assert under_review.status == "under_review"
    emulator.idle()
    assert stripe.v1.disputes.retrieve(dispute.id).status == outcome


def test_an_inquiry_moves_no_money_and_a_full_refund_closes_it(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    payment = market.payment(card="pm_card_createDisputeInquiry")
    dispute = stripe.v1.disputes.list({"charge": payment.latest_charge.id}).data[0]
    assert dispute.status == "warning_needs_response"
    assert dispute.is_charge_refundable
    assert sum(market.funds()) == 193_90
    stripe.v1.refunds.create({"payment_intent": payment.id})
    assert stripe.v1.disputes.retrieve(dispute.id).status == "warning_closed"


def test_an_inquiry_that_is_lost_takes_what_was_not_refunded(
    market: Marketplace, stripe: StripeClient, emulator: Emulator
) -> None:
    payment = market.payment(100_00, card="pm_card_createDisputeInquiry")
    stripe.v1.refunds.create({"payment_intent": payment.id, "amount": 30_00})
    charge = payment.latest_charge.id
    lost = emulator.control("POST", "/disputes", {"charge": charge, "outcome": "lost"})
    assert (lost["status"], lost["amount"]) == ("lost", 70_00)
    assert sum(market.funds()) == -320 - 15_00


def test_an_unanswered_dispute_is_lost_when_it_is_due(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    market.payment(card="pm_card_createDisputeProductNotReceived")
    dispute = stripe.v1.disputes.list().data[0]
    assert dispute.reason == "product_not_received"
    emulator.advance(9 * 86400)
    lost = stripe.v1.disputes.retrieve(dispute.id)
    assert (lost.status, lost.evidence_details.past_due) == ("lost", True)
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.disputes.close(dispute.id)


def test_closing_a_dispute_accepts_it(stripe: StripeClient, market: Marketplace) -> None:
    market.payment(card="pm_card_createDispute")
    dispute = stripe.v1.disputes.list().data[0]
    assert stripe.v1.disputes.close(dispute.id).status == "lost"


def test_a_fraud_warning_is_actionable_until_the_refund(
    stripe: StripeClient, market: Marketplace
) -> None:
    payment = market.payment(card="pm_card_createIssuerFraudRecord")
    warning = stripe.v1.radar.early_fraud_warnings.list({"charge": payment.latest_charge.id}).data[
        0
    ]
    assert warning.actionable
    stripe.v1.refunds.create({"payment_intent": payment.id})
    assert not stripe.v1.radar.early_fraud_warnings.retrieve(warning.id).actionable
    assert "radar.early_fraud_warning.created" in market.events()


def test_an_elevated_risk_opens_a_review_that_a_person_closes(
    stripe: StripeClient, market: Marketplace
) -> None:
    payment = market.payment(card="pm_card_riskLevelElevated")
    review = stripe.v1.reviews.retrieve(payment.latest_charge.review)
    assert review.open
    assert payment.latest_charge.outcome.type == "manual_review"
    assert stripe.v1.reviews.approve(review.id).closed_reason == "approved"
    assert market.events()[-1] == "review.closed"
    assert stripe.v1.charges.retrieve(payment.latest_charge.id).review is None


def test_what_a_refund_does_not_have_yet_may_be_asked_for(market: Marketplace) -> None:
    params: sdk.params.RefundCreateParams = {
        "payment_intent": market.payment().id,
        "expand": ["failure_balance_transaction", "charge"],
    }
    made = market.stripe.v1.refunds.create(params)
    assert "failure_balance_transaction" not in made
    assert made.charge.object == "charge"
