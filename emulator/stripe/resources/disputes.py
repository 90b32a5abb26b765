"""Disputes: chargebacks and inquiries, evidence, and the bank's decision."""

from __future__ import annotations

from emulator.stripe import ledger
from emulator.stripe.errors import refused
from emulator.stripe.events import emit
from emulator.stripe.params import boolean, members, merged_metadata, metadata, text
from emulator.stripe.resources import charges, files
from emulator.stripe.resources.common import listing, retrieving
from emulator.stripe.resources.refunds import as_settled, refunded_hooks
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World


def _transactions(world: World, dispute: Obj) -> list[Obj]:
    return [world.store.get("balance_transaction", id) for id in dispute["_txns"]]


KINDS = [
    Kind(
        "dispute",
        "dp",
        indexes=("charge", "payment_intent"),
        included={"balance_transactions": _transactions},
    )
]
FEE = 1500
"""The dispute fee in minor units of what the charge settled in; kept even after a win."""
RESPONSE_SECONDS = 9 * 86400
REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated",
    "debit_not_authorized", "duplicate", "fraudulent", "general", "incorrect_account_details",
    "insufficient_funds", "product_not_received", "product_unacceptable", "subscription_canceled",
    "unrecognized",
)  # fmt: skip
_NETWORK_CODES = {"fraudulent": "10.4", "product_not_received": "13.1", "duplicate": "12.6"}
_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy",
    "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
    "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
)  # fmt: skip
_FILES = (
    "cancellation_policy", "customer_communication", "customer_signature",
    "duplicate_charge_documentation", "receipt", "refund_policy", "service_documentation",
    "shipping_documentation", "uncategorized_file",
)  # fmt: skip
"""Evidence that is a file of purpose ``dispute_evidence``; the rest is text."""
_OPEN = ("needs_response", "warning_needs_response")
_VERDICTS = {
    "winning_evidence": "won",
    "losing_evidence": "lost",
    "escalate_inquiry_evidence": "escalate",
}


def open_dispute(world: World, charge_id: str, reason: str, inquiry: bool = False) -> Obj:
    """
    A cardholder disputes a charge: its amount and a fee leave the platform's balance.

    An inquiry moves no money. Raises a 400 for a charge that cannot be disputed (any more).
    """
    charge = world.store.find("charge", charge_id)
    if charge is None or charge["status"] != "succeeded" or not charge["captured"]:
        raise refused(f"The charge {charge_id} is not one that can be disputed.", param="charge")
    # An inquiry counts: the bank makes a chargeback of it, not a second dispute beside it.
    if charge.get("_disputed_now") or latest_open(world, charge_id) is not None:
        raise refused(f"The charge {charge_id} is disputed already.", param="charge")
    if charges.refundable(charge) == 0:
        raise refused(f"The charge {charge_id} was refunded in full.", param="charge")
    charge = world.store.edit("charge", charges.settle(world, charge_id)["id"])
    dispute = _blank(world, charge, reason)
    dispute["status"] = "warning_needs_response" if inquiry else "needs_response"
    dispute["is_charge_refundable"] = inquiry
    account = world.store.rows[charge_id].account
    world.store.insert("dispute", dispute, account, world.now)
    charge["disputed"] = True
    if not inquiry:
        _withdraw(world, dispute, charge)
    emit(world, "charge.dispute.created", dispute)
    if not inquiry:
        emit(world, "charge.dispute.funds_withdrawn", dispute)
    world.timers.at(
        dispute["evidence_details"]["due_by"],
        "dispute_is_due",
        {"dispute": dispute["id"]},
        key=f"due_{dispute['id']}",
    )
    return dispute


def _blank(world: World, charge: Obj, reason: str) -> Obj:
    code = _NETWORK_CODES.get(reason, "13.7")
    shown = (charge["payment_method_details"] or {}).get("card", {})
    return {
        "id": world.ids.new("dp"),
        "object": "dispute",
        "amount": charges.refundable(charge),
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.now + RESPONSE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": None,
        },
        "intended_submission_method": None,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": code,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": shown.get("brand", "visa"),
                "case_type": "chargeback",
                "network_reason_code": code,
            },
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
        "_txns": [],
    }


def _withdraw(world: World, dispute: Obj, charge: Obj) -> None:
    charge["_disputed_now"] = True
    _post(world, dispute, charge, -dispute["amount"], "dispute", FEE)


def _post(world: World, dispute: Obj, charge: Obj, amount: int, category: str, fee: int) -> None:
    word = "withdrawal" if amount < 0 else "reversal"
    came = world.store.get("balance_transaction", charge["balance_transaction"])
    settled = as_settled(came, abs(amount), charge)
    txn = ledger.post(
        world,
        world.store.rows[dispute["id"]].account,
        "adjustment",
        -settled.amount if amount < 0 else settled.amount,
        settled.currency,
        dispute["id"],
        category=category,
        fee_details=[ledger.stripe_fee(fee, settled.currency, "Dispute fee")] if fee else [],
        available_on=ledger.when_available(world, charge["balance_transaction"]),
        exchange_rate=settled.shown_rate,
        description=f"Chargeback {word} for {dispute['charge']}",
    )
    dispute["_txns"].append(txn["id"])


def decide(world: World, dispute_id: str, outcome: str) -> Obj:
    """
    The bank decides: ``won``, ``lost`` or (for an inquiry) ``escalate`` to a chargeback.

    Raises a 400 for a dispute that is closed.
    """
    dispute = world.store.edit("dispute", dispute_id)
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise refused(f"The dispute {dispute_id} is closed: {dispute['status']}.")
    charge = world.store.edit("charge", dispute["charge"])
    inquiry = dispute["status"].startswith("warning")
    if outcome == "escalate" or (inquiry and outcome == "lost"):
        _escalate(world, dispute, charge)
        if outcome == "escalate":
            return dispute
    world.timers.cancel_key(f"due_{dispute_id}")
    if inquiry and outcome == "won":
        dispute["status"] = "warning_closed"
    else:
        dispute["status"] = outcome
    charge["_disputed_now"] = dispute["status"] == "lost"
    dispute["is_charge_refundable"] = dispute["status"] != "lost"
    if dispute["status"] == "won":
        _post(world, dispute, charge, dispute["amount"], "dispute_reversal", 0)
        emit(world, "charge.dispute.funds_reinstated", dispute)
    emit(world, "charge.dispute.closed", dispute)
    return dispute


def _escalate(world: World, dispute: Obj, charge: Obj) -> None:
    """An inquiry becomes a chargeback of what was not refunded meanwhile."""
    dispute["amount"] = min(dispute["amount"], charges.refundable(charge))
    dispute["status"] = "needs_response"
    dispute["is_charge_refundable"] = False
    _withdraw(world, dispute, charge)
    emit(world, "charge.dispute.updated", dispute)
    emit(world, "charge.dispute.funds_withdrawn", dispute)


@timer("open_dispute")
def _opens(world: World, args: Obj) -> None:
    """A test card that is always disputed."""
    charge = world.store.get("charge", args["charge"])
    if charges.refundable(charge) > 0 and not charge.get("_disputed_now"):
        open_dispute(world, args["charge"], args["reason"], args["inquiry"])


@timer("decide_dispute")
def _decides(world: World, args: Obj) -> None:
    if world.store.get("dispute", args["dispute"])["status"].endswith("under_review"):
        decide(world, args["dispute"], args["outcome"])


@timer("dispute_is_due")
def _due(world: World, args: Obj) -> None:
    """Nobody answered in time."""
    dispute = world.store.edit("dispute", args["dispute"])
    if dispute["status"] not in _OPEN:
        return
    dispute["evidence_details"]["past_due"] = True
    if dispute["status"] == "needs_response":
        decide(world, dispute["id"], "lost")
    else:
        dispute["status"] = "warning_closed"
        emit(world, "charge.dispute.closed", dispute)


def update(call: Call) -> Obj:
    dispute, p = call.edit("dispute"), call.params
    if dispute["status"] not in _OPEN:
        raise refused(
            f"This dispute is already {dispute['status']}; its evidence can no longer be changed.",
            code="dispute_closed" if dispute["status"] in ("won", "lost") else None,
        )
    if "metadata" in p:
        dispute["metadata"] = merged_metadata(dispute["metadata"], p["metadata"])
    evidence = p.get("evidence") or {}
    for name in _FILES:
        if evidence.get(name):
            files.check_evidence(call, evidence[name], f"evidence[{name}]")
    dispute["evidence"].update(evidence)
    if (
        sum(len(value) for value in dispute["evidence"].values() if isinstance(value, str))
        > 150_000
    ):
        raise refused(
            "The combined length of the evidence is over 150,000 characters.", param="evidence"
        )
    details = dispute["evidence_details"]
    details["has_evidence"] = any(dispute["evidence"][name] for name in _EVIDENCE)
    if p.get("submit", True) and evidence:
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        inquiry = dispute["status"] == "warning_needs_response"
        dispute["status"] = "warning_under_review" if inquiry else "under_review"
        verdict = _VERDICTS.get(dispute["evidence"]["uncategorized_text"] or "")
        if verdict is not None:
            args = {"dispute": dispute["id"], "outcome": verdict}
            call.world.timers.soon("decide_dispute", args)
    emit(call.world, "charge.dispute.updated", dispute)
    return dispute


def close(call: Call) -> Obj:
    dispute = call.edit("dispute")
    if dispute["status"] not in _OPEN:
        raise refused(f"This dispute cannot be closed: it is {dispute['status']}.")
    if dispute["status"] == "warning_needs_response":
        raise refused("An inquiry cannot be closed; refund the payment instead.")
    return decide(call.world, dispute["id"], "lost")


def close_inquiries(world: World, charge: Obj) -> None:
    """A refund in full ends an inquiry."""
    if not charge["refunded"] or not charge["disputed"]:
        return
    account = world.store.rows[charge["id"]].account
    for dispute in world.store.matching("dispute", account, "charge", charge["id"]):
        if dispute["status"].startswith("warning") and dispute["status"] != "warning_closed":
            decide(world, dispute["id"], "won")


refunded_hooks.append(close_inquiries)


def latest_open(world: World, charge_id: str) -> Obj | None:
    """The dispute of a charge that is still to be decided."""
    account = world.store.rows[charge_id].account
    for dispute in reversed(world.store.matching("dispute", account, "charge", charge_id)):
        if dispute["status"] not in ("won", "lost", "warning_closed"):
            return dispute
    return None


_ID = "/v1/disputes/{id}"
OPERATIONS = [
    listing("dispute", "/v1/disputes", charge=text(), payment_intent=text()),
    retrieving("dispute", _ID),
    Operation(
        "POST",
        _ID,
        update,
        {
            "evidence": members({name: text(20_000).clearable() for name in _EVIDENCE}),
            "metadata": metadata(),
            "submit": boolean(),
        },
    ),
    Operation("POST", _ID + "/close", close),
]
