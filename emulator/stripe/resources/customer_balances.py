"""Customers' invoice balances: what they are owed or owe, applied when an invoice is finalised."""

from __future__ import annotations

from emulator.stripe.errors import no_such, refused
from emulator.stripe.events import emit
from emulator.stripe.lists import page
from emulator.stripe.money import minimum
from emulator.stripe.params import LIST, RANGE, integer, merged_metadata, metadata, text
from emulator.stripe.params import currency as currency_param
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

_KIND = "customer_balance_transaction"
KINDS = [Kind(_KIND, "cbtxn", noun="customer balance transaction", indexes=("customer", "invoice"))]


def due(total: int, balance: int, currency: str) -> tuple[int, int]:
    """
    What an invoice asks for, and the customer's balance once it is finalised.

    A credit (negative balance) pays first, a debit is asked for too. A negative total becomes
    credit; what is less than can be charged becomes a debit for the next invoice.
    """
    owed = total + balance
    return (owed, 0) if owed >= minimum(currency) else (0, owed)


def applies_to(customer: Obj, currency: str) -> bool:
    """A balance is in the customer's own currency and pays for nothing else."""
    return not customer.get("deleted") and customer["currency"] in (None, currency)


def apply(world: World, customer: Obj, invoice: Obj) -> None:
    """Finalise what an invoice (an editable copy) asks for, and move the customer's balance."""
    before = customer["balance"] if applies_to(customer, invoice["currency"]) else 0
    asked, after = due(invoice["total"], before, invoice["currency"])
    invoice["starting_balance"], invoice["ending_balance"] = before, after
    invoice["amount_due"] = invoice["amount_remaining"] = asked
    if after != before and not customer.get("deleted"):
        type = "invoice_too_small" if after > 0 else "applied_to_invoice"
        post(world, customer, after - before, invoice["currency"], type, invoice=invoice["id"])
        invoice["_applied"] = after - before


def give_back(world: World, invoice: Obj) -> None:
    """An invoice is void: what it took of the customer's balance returns."""
    applied = invoice.pop("_applied", 0)
    customer = world.store.edit("customer", invoice["customer"])
    if applied and not customer.get("deleted"):
        type = "unapplied_from_invoice"
        post(world, customer, -applied, invoice["currency"], type, invoice=invoice["id"])


def post(
    world: World,
    customer: Obj,
    amount: int,
    currency: str,
    type: str,
    invoice: str | None = None,
    description: str | None = None,
) -> Obj:
    """Move a customer's balance (an editable copy) by a signed amount; negative is credit."""
    customer["balance"] += amount
    customer["currency"] = customer["currency"] or currency
    txn: Obj = {
        "id": world.ids.new("cbtxn"),
        "object": _KIND,
        "amount": amount,
        "checkout_session": None,
        "created": world.now,
        "credit_note": None,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "description": description,
        "ending_balance": customer["balance"],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "type": type,
    }
    world.store.insert(_KIND, txn, world.store.rows[customer["id"]].account, world.now)
    emit(world, "customer.updated", customer)
    return txn


def _customer(call: Call) -> Obj:
    customer = call.own("customer", call.ids["customer"])
    if customer.get("deleted"):
        raise no_such("customer", customer["id"])
    return customer


def create(call: Call) -> Obj:
    p = call.params
    customer = call.world.store.edit("customer", _customer(call)["id"])
    if not applies_to(customer, p["currency"]):
        raise refused(
            f"The currency of this customer's balance is {customer['currency']}.", param="currency"
        )
    txn = post(
        call.world, customer, p["amount"], p["currency"], "adjustment",
        description=p.get("description"),
    )  # fmt: skip
    txn["metadata"] = merged_metadata({}, p.get("metadata", {}))
    return txn


def _own(call: Call) -> Obj:
    customer = _customer(call)
    txn = call.own(_KIND, call.ids["transaction"])
    if txn["customer"] != customer["id"]:
        raise no_such("customer balance transaction", txn["id"])
    return txn


def update(call: Call) -> Obj:
    txn, p = call.world.store.edit(_KIND, _own(call)["id"]), call.params
    if "description" in p:
        txn["description"] = p["description"]
    if "metadata" in p:
        txn["metadata"] = merged_metadata(txn["metadata"], p["metadata"])
    return txn


def _list(call: Call) -> Obj:
    p = call.params
    filters = {"customer": _customer(call)["id"], "invoice": p.get("invoice")}
    return page(call.world.store, _KIND, call.account, p, filters, call.path)


_PATH = "/v1/customers/{customer}/balance_transactions"
_ID = _PATH + "/{transaction}"
OPERATIONS = [
    Operation("GET", _PATH, _list, {**LIST, "created": RANGE, "invoice": text()}),
    Operation(
        "POST",
        _PATH,
        create,
        {
            "amount": integer().needed(),
            "currency": currency_param().needed(),
            "description": text().clearable(),
            "metadata": metadata(),
        },
    ),
    Operation("GET", _ID, _own),
    Operation("POST", _ID, update, {"description": text().clearable(), "metadata": metadata()}),
]
