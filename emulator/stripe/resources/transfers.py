"""Transfers from the platform to connected accounts, and their reversals."""

from __future__ import annotations

from emulator.stripe import ledger
from emulator.stripe.errors import no_such, not_imitated, refused
from emulator.stripe.events import emit
from emulator.stripe.lists import page, whole
from emulator.stripe.money import check_granularity, shown
from emulator.stripe.params import (
    LIST,
    Params,
    boolean,
    integer,
    merged_metadata,
    metadata,
    one_of,
    text,
)
from emulator.stripe.params import currency as currency_param
from emulator.stripe.resources import charges
from emulator.stripe.resources.common import listing, retrieving
from emulator.stripe.resources.refunds import blank_refund
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World


def _reversals(world: World, transfer: Obj) -> Obj:
    held = world.store.matching("transfer_reversal", world.platform, "transfer", transfer["id"])
    return whole(held[::-1], f"/v1/transfers/{transfer['id']}/reversals", total_count=len(held))


KINDS = [
    Kind(
        "transfer",
        "tr",
        indexes=("destination", "transfer_group", "source_transaction"),
        included={"reversals": _reversals},
    ),
    Kind("transfer_reversal", "trr", indexes=("transfer",)),
]
_EMPTY = (
    "Insufficient funds in Stripe account. In test mode, you can add funds to your available "
    "balance "
    "(bypassing your pending balance) by creating a charge with 4000 0000 0000 0077 as the card "
    "number. See: https://stripe.com/docs/testing#available-balance"
)


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    destination = _destination(call)
    check_source_type(call)
    check_granularity(p["amount"], p["currency"])
    source = _source(call, p["source_transaction"]) if "source_transaction" in p else None
    if source is None and ledger.available(world, call.account, p["currency"]) < p["amount"]:
        raise refused(_EMPTY, code="balance_insufficient")
    ready = ledger.when_available(world, source["balance_transaction"]) if source else world.now
    transfer: Obj = {
        "id": world.ids.new("tr"),
        "object": "transfer",
        "amount": p["amount"],
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": world.now,
        "currency": p["currency"],
        "description": p.get("description"),
        "destination": destination["id"],
        "destination_payment": None,
        "livemode": False,
        "metadata": merged_metadata({}, p.get("metadata", {})),
        "reversed": False,
        "source_transaction": source["id"] if source else None,
        "source_type": "card",
        "transfer_group": _group(call, source),
    }
    world.store.insert("transfer", transfer, call.account, world.now)
    txn = ledger.post(
        world, call.account, "transfer", -p["amount"], p["currency"], transfer["id"],
        available_on=ready, description=p.get("description"),
    )  # fmt: skip
    transfer["balance_transaction"] = txn["id"]
    transfer["destination_payment"] = _payment(world, transfer, ready)["id"]
    emit(world, "transfer.created", transfer)
    return transfer


def check_source_type(call: Call) -> None:
    """All balances are of card payments, and no movement may pretend to be of others."""
    if call.params.get("source_type", "card") != "card":
        raise not_imitated(f"balances of source_type {call.params['source_type']}")


def _destination(call: Call) -> Obj:
    """The connected account; it must exist and be able to receive transfers."""
    id = call.params["destination"]
    account = call.world.store.find("account", id)
    if (
        account is None
        or call.account != call.world.platform
        or account.get("_deauthorized")
        or id == call.world.platform
    ):
        raise no_such("destination", id, param="destination", status=400)
    if account["capabilities"].get("transfers") != "active":
        raise refused(
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    return account


def _source(call: Call, id: str) -> Obj:
    """The charge a transfer is funded by: settled, in this currency, with enough of it left."""
    world, amount, currency = call.world, call.params["amount"], call.params["currency"]
    charge = call.own("charge", id, "source_transaction")
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise refused(
            f"The charge {id} cannot be used as a source_transaction: it has not succeeded or has "
            "not been captured.",
            param="source_transaction",
        )
    charge = charges.settle(world, id)
    settled = world.store.get("balance_transaction", charge["balance_transaction"])
    if settled["currency"] != currency:
        raise refused(
            f"The currency of source_transaction's balance transaction ({settled['currency']}) "
            "must "
            f"be the same as the transfer currency ({currency})",
            param="currency",
        )
    before = world.store.matching("transfer", call.account, "source_transaction", id)
    taken = sum(transfer["amount"] for transfer in before)
    if taken + amount > settled["amount"]:
        message = (
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"{shown(settled['amount'], currency)}."
        )
        if before:
            count = (
                "is already a transfer"
                if len(before) == 1
                else f"are already {len(before)} transfers"
            )
            message += f" (There {count} using this source, amounting to {shown(taken, currency)}.)"
        raise refused(message)
    return charge


def _group(call: Call, source: Obj | None) -> str | None:
    """The transfer group: given, the charge's own, or one that Stripe makes for both."""
    group: str | None = call.params.get("transfer_group")
    if source is None or source["transfer_group"] is not None:
        return group or (source["transfer_group"] if source else None)
    group = group or f"group_{source['payment_intent'] or source['id']}"
    call.world.store.edit("charge", source["id"])["transfer_group"] = group
    return group


def _payment(world: World, transfer: Obj, ready: int) -> Obj:
    """The payment (``py_``) that a transfer is at the connected account."""
    id = world.ids.new("py")
    payment = {
        **charges.blank_charge(world, id, transfer["amount"], transfer["currency"]),
        "payment_method_details": {"stripe_account": {}, "type": "stripe_account"},
        "source_transfer": transfer["id"],
        "receipt_url": None,
    }
    world.store.insert("charge", payment, transfer["destination"], world.now)
    txn = ledger.post(
        world, transfer["destination"], "payment", transfer["amount"], transfer["currency"], id,
        category="charge", available_on=ready,
    )  # fmt: skip
    payment["balance_transaction"] = txn["id"]
    return payment


def update(call: Call) -> Obj:
    transfer = call.edit("transfer")
    p = call.params
    if "description" in p:
        transfer["description"] = p["description"]
    if "metadata" in p:
        transfer["metadata"] = merged_metadata(transfer["metadata"], p["metadata"])
    emit(call.world, "transfer.updated", transfer)
    return transfer


def reverse(call: Call) -> Obj:
    """Take a transfer back, or part of it, as far as the connected account has the money."""
    world, p = call.world, call.params
    transfer = call.edit("transfer")
    amount = _reversible(world, transfer, p.get("amount"))
    payment = world.store.edit("charge", transfer["destination_payment"])
    ready = ledger.when_available(world, payment["balance_transaction"])
    reversal: Obj = {
        "id": world.ids.new("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": world.now,
        "currency": transfer["currency"],
        "destination_payment_refund": None,
        "metadata": merged_metadata({}, p.get("metadata", {})),
        "source_refund": None,
        "transfer": transfer["id"],
    }
    world.store.insert("transfer_reversal", reversal, call.account, world.now)
    refund = blank_refund(world, world.ids.new("pyr"), payment, amount)
    refund["destination_details"] = None
    refund["source_transfer_reversal"] = reversal["id"]
    world.store.insert("refund", refund, transfer["destination"], world.now)
    taken = ledger.post(
        world, transfer["destination"], "payment_refund", -amount, transfer["currency"],
        refund["id"], category="refund", available_on=ready,
    )  # fmt: skip
    returned = ledger.post(
        world, call.account, "transfer_refund", amount, transfer["currency"], reversal["id"],
        category="transfer_reversal", available_on=ready, description=p.get("description"),
    )  # fmt: skip
    refund["balance_transaction"] = taken["id"]
    reversal["balance_transaction"] = returned["id"]
    reversal["destination_payment_refund"] = refund["id"]
    payment["amount_refunded"] += amount
    payment["refunded"] = payment["amount_refunded"] == payment["amount"]
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    emit(world, "transfer.reversed", transfer)
    return reversal


def _reversible(world: World, transfer: Obj, given: int | None) -> int:
    left = transfer["amount"] - transfer["amount_reversed"]
    currency = transfer["currency"]
    if left == 0:
        raise refused(f"The transfer {transfer['id']} is already fully reversed.")
    amount = left if given is None else given
    if amount > left:
        raise refused(
            f"Reversal amount ({shown(amount, currency)}) is greater than unreversed amount on "
            f"transfer ({shown(left, currency)})",
            param="amount",
        )
    check_granularity(amount, currency)
    destination = transfer["destination"]
    has = ledger.available(world, destination, currency)
    payment = world.store.get("charge", transfer["destination_payment"])
    if ledger.is_pending(world, payment["balance_transaction"]):
        has += ledger.pending(world, destination, currency)
    if has < amount and not ledger.may_be_negative(world, destination):
        raise refused(
            f"Insufficient funds in the connected account {destination} to reverse this transfer: "
            f"{shown(max(0, has), currency)} of {shown(amount, currency)}.",
            code="balance_insufficient",
        )
    return amount


def _reversal(call: Call) -> Obj:
    transfer = call.own("transfer")
    reversal = call.own("transfer_reversal", call.ids["reversal"])
    if reversal["transfer"] != transfer["id"]:
        raise no_such("transfer reversal", reversal["id"])
    return reversal


def _update_reversal(call: Call) -> Obj:
    reversal = call.world.store.edit("transfer_reversal", _reversal(call)["id"])
    if "metadata" in call.params:
        reversal["metadata"] = merged_metadata(reversal["metadata"], call.params["metadata"])
    return reversal


def _list_reversals(call: Call) -> Obj:
    transfer = call.own("transfer")
    return page(
        call.world.store,
        "transfer_reversal",
        call.account,
        call.params,
        {"transfer": transfer["id"]},
        call.path,
    )


_REVERSAL: Params = {
    "amount": integer(1),
    "description": text(),
    "metadata": metadata(),
    "refund_application_fee": boolean(),
}
OPERATIONS = [
    Operation(
        "POST",
        "/v1/transfers",
        create,
        {
            "amount": integer(1).needed(),
            "currency": currency_param().needed(),
            "destination": text().needed(),
            "description": text(),
            "metadata": metadata(),
            "source_transaction": text(),
            "source_type": one_of("bank_account", "card", "fpx"),
            "transfer_group": text(),
        },
    ),
    listing("transfer", "/v1/transfers", destination=text(), transfer_group=text()),
    retrieving("transfer", "/v1/transfers/{id}"),
    Operation(
        "POST",
        "/v1/transfers/{id}",
        update,
        {"description": text().clearable(), "metadata": metadata()},
    ),
    Operation("POST", "/v1/transfers/{id}/reversals", reverse, _REVERSAL),
    Operation("GET", "/v1/transfers/{id}/reversals", _list_reversals, LIST),
    Operation("GET", "/v1/transfers/{id}/reversals/{reversal}", _reversal),
    Operation(
        "POST",
        "/v1/transfers/{id}/reversals/{reversal}",
        _update_reversal,
        {"metadata": metadata()},
    ),
]
