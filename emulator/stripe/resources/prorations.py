"""
Prorations: credit for what was billed and will not be used, and a charge for what will be.

As in Stripe's flexible billing mode, a credit goes by what was billed, not by today's price: each
subscription item remembers what its current period was billed by (``_debits``).
"""

from __future__ import annotations

import datetime

from emulator.stripe.money import half_up
from emulator.stripe.resources import invoice_items
from emulator.stripe.store import Obj
from emulator.stripe.world import World


def share(amount: int, start: int, end: int, at: int) -> int:
    """What of ``amount``, billed for ``start`` to ``end``, falls to the time from ``at`` on."""
    at = min(max(at, start), end)
    return half_up(amount * (end - at), end - start) if end > start else 0


def billed(item: Obj, line: Obj) -> None:
    """A period of an item (an editable copy) was billed by an invoice line."""
    period = line["period"]
    item["_debits"] = (
        [
            {
                "amount": line["amount"],
                "start": period["start"],
                "end": period["end"],
                "invoice": line["invoice"],
                "line": line["id"],
            }
        ]
        if line["amount"] > 0
        else []
    )


def credit(world: World, subscription: Obj, item: Obj, at: int) -> None:
    """Credit what an item (an editable copy, as it was before the change) will not use."""
    for debit in item.get("_debits", []):
        reference = _reference(world, debit)
        amount = share(debit["amount"], debit["start"], debit["end"], at)
        if reference is None or amount == 0:
            continue
        invoice_items.prorated(
            world, subscription, item, -amount, _label(world, "Unused", item, at),
            (max(at, debit["start"]), debit["end"]), reference,
        )  # fmt: skip
    item["_debits"] = []


def charge(world: World, subscription: Obj, item: Obj, at: int) -> None:
    """Charge an item (an editable copy, as it now is) for the rest of its period."""
    start, end = item["current_period_start"], item["current_period_end"]
    whole = item["price"]["unit_amount"] * item["quantity"]
    amount = share(whole, start, end, at)
    if amount == 0:
        return
    made = invoice_items.prorated(
        world, subscription, item, amount, _label(world, "Remaining", item, at), (at, end), None
    )
    item["_debits"] = [{"amount": amount, "start": at, "end": end, "item": made["id"]}]


def _reference(world: World, debit: Obj) -> Obj | None:
    """The debit as a credit names it; None where it was voided and nothing is to be credited."""
    invoice, line = debit.get("invoice"), debit.get("line")
    if "item" in debit:
        item = world.store.get("invoiceitem", debit["item"])
        if item["invoice"] is None:
            return {"invoice_item": item["id"], "type": "invoice_item"}
        invoice, line = item["invoice"], item["_line"]
    if invoice is None or world.store.get("invoice", invoice)["status"] == "void":
        return None
    details = {"invoice": invoice, "invoice_line_items": [line]}
    return {"invoice_line_item_details": details, "type": "invoice_line_items"}


def _label(world: World, word: str, item: Obj, at: int) -> str:
    name = world.store.get("product", item["price"]["product"]).get("name", "")
    what = name if item["quantity"] == 1 else f"{item['quantity']} × {name}"
    day = datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%d %b %Y")
    return f"{word} time on {what} after {day}"
