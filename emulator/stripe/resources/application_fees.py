"""Application fees: what the platform takes from direct charges of its accounts."""

from __future__ import annotations

from emulator.stripe import ledger
from emulator.stripe.errors import no_such, refused
from emulator.stripe.events import emit
from emulator.stripe.lists import page, whole
from emulator.stripe.money import shown
from emulator.stripe.params import LIST, integer, merged_metadata, metadata, text
from emulator.stripe.resources.common import listing, retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World


def _refunds(world: World, fee: Obj) -> Obj:
    held = world.store.matching("fee_refund", world.platform, "fee", fee["id"])
    return whole(held[::-1], f"/v1/application_fees/{fee['id']}/refunds", total_count=len(held))


KINDS = [
    Kind(
        "application_fee",
        "fee",
        noun="application fee",
        indexes=("charge",),
        included={"refunds": _refunds},
    ),
    Kind("fee_refund", "fr", noun="fee refund", indexes=("fee",)),
]


def application_id(world: World) -> str:
    """The platform's application, as ``application`` members name it."""
    return f"ca_{world.platform.removeprefix('acct_')}"


def collect(world: World, charge: Obj, available_on: int) -> Obj:
    """
    Credit the platform with the fee of a charge (an editable copy) that is being settled.

    Returns the entry for the ``fee_details`` of the charge's own balance transaction.
    """
    amount, currency = charge["application_fee_amount"], charge["currency"]
    fee: Obj = {
        "id": world.ids.new("fee"),
        "object": "application_fee",
        "account": world.store.rows[charge["id"]].account,
        "amount": amount,
        "amount_refunded": 0,
        "application": application_id(world),
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now,
        "currency": currency,
        "fee_source": {"charge": charge["id"], "type": "charge"},
        "livemode": False,
        "originating_transaction": None,
        "refunded": False,
    }
    world.store.insert("application_fee", fee, world.platform, world.now)
    txn = ledger.post(
        world,
        world.platform,
        "application_fee",
        amount,
        currency,
        fee["id"],
        category="platform_earning",
        available_on=available_on,
    )
    fee["balance_transaction"] = txn["id"]
    charge["application_fee"] = fee["id"]
    emit(world, "application_fee.created", fee)
    return {
        "amount": amount,
        "application": application_id(world),
        "currency": currency,
        "description": "Application fee",
        "type": "application_fee",
    }


def refund(call: Call) -> Obj:
    """Give a fee back to the account it was taken from, or part of it."""
    world, p = call.world, call.params
    fee = call.edit("application_fee")
    left = fee["amount"] - fee["amount_refunded"]
    amount = p.get("amount", left)
    if left == 0:
        raise refused(f"The application fee {fee['id']} has already been refunded.")
    if amount > left:
        raise refused(
            f"Refund amount ({shown(amount, fee['currency'])}) is greater than unrefunded "
            "amount on "
            f"fee ({shown(left, fee['currency'])})",
            param="amount",
        )
    back: Obj = {
        "id": world.ids.new("fr"),
        "object": "fee_refund",
        "amount": amount,
        "balance_transaction": None,
        "created": world.now,
        "currency": fee["currency"],
        "fee": fee["id"],
        "metadata": merged_metadata({}, p.get("metadata", {})),
    }
    world.store.insert("fee_refund", back, call.account, world.now)
    ready = ledger.when_available(world, fee["balance_transaction"])
    taken = ledger.post(
        world, call.account, "application_fee_refund", -amount, fee["currency"], back["id"],
        category="platform_earning_refund", available_on=ready,
    )  # fmt: skip
    ledger.post(
        world, fee["account"], "adjustment", amount, fee["currency"], back["id"],
        category="other_adjustment", available_on=ready, description="Application fee refund",
    )  # fmt: skip
    back["balance_transaction"] = taken["id"]
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    emit(world, "application_fee.refunded", fee)
    return back


def _one_refund(call: Call) -> Obj:
    fee = call.own("application_fee")
    back = call.own("fee_refund", call.ids["refund"])
    if back["fee"] != fee["id"]:
        raise no_such("fee refund", back["id"])
    return back


def _list_refunds(call: Call) -> Obj:
    filters = {"fee": call.own("application_fee")["id"]}
    return page(call.world.store, "fee_refund", call.account, call.params, filters, call.path)


_ID = "/v1/application_fees/{id}"
OPERATIONS = [
    listing("application_fee", "/v1/application_fees", charge=text()),
    retrieving("application_fee", _ID),
    Operation("POST", _ID + "/refunds", refund, {"amount": integer(1), "metadata": metadata()}),
    Operation("GET", _ID + "/refunds", _list_refunds, LIST),
    Operation("GET", _ID + "/refunds/{refund}", _one_refund),
]
