"""Refunds: out of the balance, waiting for it, or failing after the fact."""

from __future__ import annotations

from collections.abc import Callable

from emulator.stripe import ledger
from emulator.stripe.cards import by_number
from emulator.stripe.errors import no_such, refused
from emulator.stripe.events import emit
from emulator.stripe.ids import base62
from emulator.stripe.money import check_granularity, half_up, shown
from emulator.stripe.params import integer, merged_metadata, metadata, one_of, text
from emulator.stripe.resources import charges
from emulator.stripe.resources.common import listing, retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.settlement import MILLION, Settled
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World


def _terms(refund: Obj) -> list[tuple[str, str]]:
    """Refunds that wait for money are found by their currency."""
    waits = refund["status"] == "pending" and refund.get("pending_reason") == "insufficient_funds"
    return [("waiting", refund["_settles_in"])] if waits else []


KINDS = [Kind("refund", "re", indexes=("charge", "payment_intent"), terms=_terms)]
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
# Called with (world, charge) after a refund was made.
refunded_hooks: list[Callable[[World, Obj], None]] = []


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    charge = _charge(call)
    charge = world.store.edit("charge", charges.settle(world, charge["id"])["id"])
    amount = _check_amount(charge, p.get("amount"))
    refund = blank_refund(world, world.ids.new("re"), charge, amount)
    refund["reason"] = p.get("reason")
    refund["metadata"] = merged_metadata({}, p.get("metadata", {}))
    world.store.insert("refund", refund, call.account, world.now)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount_captured"]
    if _covered(world, call.account, charge, amount):
        _take_money(world, refund, charge)
    else:
        refund["status"] = "pending"
        refund["pending_reason"] = "insufficient_funds"
        txn = world.store.get("balance_transaction", charge["balance_transaction"])
        refund["_settles_in"] = txn["currency"]
    emit(world, "refund.created", refund)
    emit(world, "charge.refunded", charge)
    for hook in refunded_hooks:
        hook(world, charge)
    return refund


def blank_refund(world: World, id: str, charge: Obj, amount: int) -> Obj:
    """A refund of a charge before any money moved."""
    return {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _charge(call: Call) -> Obj:
    """The charge to refund, named directly or by its payment intent."""
    p = call.params
    if "charge" in p and "payment_intent" in p:
        raise refused("You may only specify one of these parameters: charge, payment_intent.")
    if "charge" in p:
        charge = call.own("charge", p["charge"], "charge")
        if charge["status"] != "succeeded" or not charge["captured"]:
            raise refused(
                f"Charge {charge['id']} has not been captured or did not succeed, so it cannot be "
                "refunded.",
                code="charge_not_refundable",
                param="charge",
            )
        return charge
    if "payment_intent" not in p:
        raise refused(
            "One of the following params should be provided for this request: payment_intent "
            "or charge.",
            code="parameter_missing",
        )
    intent = call.own("payment_intent", p["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise refused(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return call.world.store.get("charge", intent["latest_charge"])


def _check_amount(charge: Obj, given: int | None) -> int:
    """What to refund; raises Stripe's 400 for more than there is or for a disputed charge."""
    left = charges.refundable(charge)
    currency = charge["currency"]
    if charge.get("_disputed_now"):
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if left == 0:
        raise refused(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = left if given is None else given
    if amount > charge["amount_captured"]:
        raise refused(
            f"Refund amount ({shown(amount, currency)}) is greater than charge amount "
            f"({shown(charge['amount_captured'], currency)})",
            param="amount",
        )
    if amount > left:
        raise refused(
            f"Refund amount ({shown(amount, currency)}) is greater than unrefunded amount on "
            "charge "
            f"({shown(left, currency)})",
            param="amount",
        )
    check_granularity(amount, currency)
    return amount


def _covered(world: World, account: str, charge: Obj, amount: int) -> bool:
    """
    Whether the balance pays for a refund.

    What is still pending pays for charges that are pending themselves, and the fee that Stripe kept
    of this very charge does not stand in the way (the balance may go below zero by it).
    """
    txn = world.store.get("balance_transaction", charge["balance_transaction"])
    has = ledger.available(world, account, txn["currency"]) + txn["fee"]
    if ledger.is_pending(world, charge["balance_transaction"]):
        has += ledger.pending(world, account, txn["currency"])
    return bool(has >= as_settled(txn, amount, charge).amount)


def as_settled(txn: Obj, amount: int, charge: Obj) -> Settled:
    """
    A part of a charge in the currency the charge settled in, at the rate it settled at.

    All of a charge is exactly what its balance transaction ``txn`` brought.
    """
    if txn["exchange_rate"] is None:
        return Settled(amount, txn["currency"], None)
    share = half_up(txn["amount"] * amount, charge["amount_captured"])
    return Settled(share, txn["currency"], round(txn["exchange_rate"] * MILLION))


def _take_money(world: World, refund: Obj, charge: Obj) -> None:
    """Debit the balance and plan what follows for the card that was charged."""
    account = world.store.rows[refund["id"]].account
    named = charge["description"]
    came = world.store.get("balance_transaction", charge["balance_transaction"])
    settled = as_settled(came, refund["amount"], charge)
    txn = ledger.post(
        world,
        account,
        "refund",
        -settled.amount,
        settled.currency,
        refund["id"],
        exchange_rate=settled.shown_rate,
        available_on=ledger.when_available(world, charge["balance_transaction"]),
        description="REFUND FOR CHARGE" + (f" ({named})" if named else ""),
    )
    refund["balance_transaction"] = txn["id"]
    refund.pop("pending_reason", None)
    outcome = by_number(charge["_number"]).refund if "_number" in charge else "succeeds"
    refund["status"] = "pending" if outcome == "pending" else "succeeded"
    if outcome == "pending":
        refund["pending_reason"] = "processing"
    world.timers.soon("refund_follows", {"refund": refund["id"], "outcome": outcome})


@timer("refund_follows")
def refund_follows(world: World, args: Obj) -> None:
    """The card network's answer: a reference, success after a wait, or failure."""
    refund = world.store.edit("refund", args["refund"])
    if args["outcome"] == "fails":
        _fail(world, refund)
        return
    refund["status"] = "succeeded"
    refund.pop("pending_reason", None)
    refund["destination_details"]["card"] |= {
        "reference": str(int(base62(refund["id"], 9), 36))[:11],
        "reference_status": "available",
    }
    emit(world, "refund.updated", refund)
    emit(world, "charge.refund.updated", refund)


def _fail(world: World, refund: Obj) -> None:
    """The bank sent the money back: it returns to the balance and the charge is unrefunded."""
    account = world.store.rows[refund["id"]].account
    went = world.store.get("balance_transaction", refund["balance_transaction"])
    txn = ledger.post(
        world,
        account,
        "refund_failure",
        -went["amount"],
        went["currency"],
        refund["id"],
        exchange_rate=went["exchange_rate"],
        description="REFUND FAILURE",
    )
    refund["status"] = "failed"
    refund["failure_reason"] = "expired_or_canceled_card"
    refund["failure_balance_transaction"] = txn["id"]
    charge = world.store.edit("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    emit(world, "refund.updated", refund)
    emit(world, "charge.refund.updated", refund)
    emit(world, "refund.failed", refund)


def retry_waiting(world: World, account: str, currency: str) -> None:
    """Money came: the oldest refunds that wait for it go first."""
    for waiting in world.store.matching("refund", account, "waiting", currency):
        charge = world.store.get("charge", waiting["charge"])
        if not _covered(world, account, charge, waiting["amount"]):
            return
        refund = world.store.edit("refund", waiting["id"])
        _take_money(world, refund, charge)
        emit(world, "refund.updated", refund)
        emit(world, "charge.refund.updated", refund)


ledger.funded_hooks.append(retry_waiting)


def _update(call: Call) -> Obj:
    refund = call.edit("refund")
    if "metadata" in call.params:
        refund["metadata"] = merged_metadata(refund["metadata"], call.params["metadata"])
    emit(call.world, "refund.updated", refund)
    emit(call.world, "charge.refund.updated", refund)
    return refund


def _cancel(call: Call) -> Obj:
    refund = call.own("refund")
    raise refused(
        f"The refund {refund['id']} cannot be canceled: its status is {refund['status']}, and only "
        "refunds that require action can be.",
    )


def _of_charge(call: Call) -> Obj:
    charge = call.own("charge")
    refund = call.own("refund", call.ids["refund"])
    if refund["charge"] != charge["id"]:
        raise no_such("refund", refund["id"])
    return refund


OPERATIONS = [
    Operation(
        "POST",
        "/v1/refunds",
        create,
        {
            "amount": integer(1),
            "charge": text(),
            "metadata": metadata(),
            "payment_intent": text(),
            "reason": one_of(*_REASONS),
        },
    ),
    listing("refund", "/v1/refunds", charge=text(), payment_intent=text()),
    retrieving("refund", "/v1/refunds/{id}"),
    Operation("POST", "/v1/refunds/{id}", _update, {"metadata": metadata()}),
    Operation("POST", "/v1/refunds/{id}/cancel", _cancel, note="refused: card refunds never wait"),
    Operation("GET", "/v1/charges/{id}/refunds/{refund}", _of_charge),
]
