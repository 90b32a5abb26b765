"""The operations of invoices and invoice payments."""

from __future__ import annotations

from emulator.stripe.errors import not_imitated, refused
from emulator.stripe.events import emit
from emulator.stripe.lists import page, whole
from emulator.stripe.params import (
    LIST,
    RANGE,
    boolean,
    merged_metadata,
    metadata,
    nested,
    one_of,
    text,
)
from emulator.stripe.resources import invoice_objects as objects
from emulator.stripe.resources import invoices
from emulator.stripe.resources.common import deleted, listing, retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.search import searching
from emulator.stripe.store import Obj


def _open(call: Call, verb: str) -> Obj:
    invoice = call.edit("invoice")
    if invoice["status"] == "paid":
        raise refused("Invoice is already paid")
    if invoice["status"] not in (invoices.OWED if verb != "mark as uncollectible" else ("open",)):
        raise refused(f"You can only {verb} an open invoice; this one is {invoice['status']}.")
    return invoice


def _pay(call: Call) -> Obj:
    world, p = call.world, call.params
    invoice = call.edit("invoice")
    if invoice["status"] == "draft":
        invoices.finalize(world, invoice)
        if invoice["status"] == "paid":
            return invoice
    invoice = _open(call, "pay")
    if p.get("paid_out_of_band"):
        invoices.close_intent(world, invoice)
        invoices.paid(world, invoice, out_of_band=True)
        return invoice
    if "payment_method" in p:
        method: Obj | None = call.own("payment_method", p["payment_method"], "payment_method")
    else:
        method = invoices.payer(world, invoice)
    if method is None:
        raise refused(
            "There is no `default_payment_method` set on this Customer or Invoice. Please attach a "
            "payment method to this Customer, or specify one.",
            code="missing",
        )
    invoices.attempt(world, invoice, method, p.get("off_session", True))
    return invoice


def _finalize(call: Call) -> Obj:
    invoice = call.edit("invoice")
    if invoice["status"] != "draft":
        raise refused(f"This invoice is already finalized: it is {invoice['status']}.")
    invoices.finalize(call.world, invoice)
    return invoice


def _void(call: Call) -> Obj:
    invoice = _open(call, "void")
    invoices.void(call.world, invoice)
    return invoice


def _uncollectible(call: Call) -> Obj:
    invoice = _open(call, "mark as uncollectible")
    invoices.give_up(call.world, invoice)
    return invoice


def _update(call: Call) -> Obj:
    invoice, p = call.edit("invoice"), call.params
    for name in ("description", "footer"):
        if name in p:
            invoice[name] = p[name]
    if p.get("auto_advance") is False:
        invoices.stop_advancing(call.world, invoice)
    elif p.get("auto_advance") and not invoice["auto_advance"]:
        if invoice["status"] != "draft":
            raise not_imitated("auto_advance=true of an invoice that is no draft")
        invoice["auto_advance"] = True
        invoices.finalize_later(call.world, invoice)
    if p.get("default_payment_method"):
        method = call.own("payment_method", p["default_payment_method"], "default_payment_method")
        invoice["default_payment_method"] = method["id"]
    if "metadata" in p:
        invoice["metadata"] = merged_metadata(invoice["metadata"], p["metadata"])
    emit(call.world, "invoice.updated", invoice)
    return invoice


def _delete(call: Call) -> Obj:
    invoice = call.own("invoice")
    if invoice["status"] != "draft" or invoice["_subscription"]:
        raise refused("You can only delete draft invoices that belong to no subscription.")
    emit(call.world, "invoice.deleted", invoice)
    call.world.store.delete("invoice", invoice["id"])
    return deleted(invoice)


def _lines(call: Call) -> Obj:
    invoice = call.own("invoice")
    limit = call.params.get("limit", 10)
    shown = objects.lines(call.world, invoice)["data"]
    return {**whole(shown[:limit], call.path), "has_more": len(shown) > limit}


def _payments(call: Call) -> Obj:
    p = call.params
    filters = {"invoice": p.get("invoice"), "status": p.get("status")}
    filters["_payment_intent"] = p.get("payment", {}).get("payment_intent")
    return page(call.world.store, "invoice_payment", call.account, p, filters, call.path)


_ID = "/v1/invoices/{id}"


OPERATIONS = [
    listing(
        "invoice",
        "/v1/invoices",
        customer=text(),
        status=one_of("draft", "open", "paid", "uncollectible", "void"),
        subscription=text(),
        collection_method=one_of("charge_automatically", "send_invoice"),
    ),
    searching("invoice", "/v1/invoices/search"),
    retrieving("invoice", _ID),
    Operation(
        "POST",
        _ID,
        _update,
        {
            "auto_advance": boolean(),
            "default_payment_method": text(),
            "description": text(1500).clearable(),
            "footer": text().clearable(),
            "metadata": metadata(),
        },
    ),
    Operation("DELETE", _ID, _delete),
    Operation("GET", _ID + "/lines", _lines, LIST),
    Operation(
        "POST",
        _ID + "/pay",
        _pay,
        {"paid_out_of_band": boolean(), "payment_method": text(), "off_session": boolean()},
    ),
    Operation("POST", _ID + "/finalize", _finalize, {"auto_advance": boolean()}),
    Operation("POST", _ID + "/void", _void),
    Operation("POST", _ID + "/mark_uncollectible", _uncollectible),
    Operation(
        "GET",
        "/v1/invoice_payments",
        _payments,
        {
            **LIST,
            "created": RANGE,
            "invoice": text(),
            "status": one_of("canceled", "open", "paid"),
            "payment": nested(type=one_of("payment_intent").needed(), payment_intent=text()),
        },
    ),
    retrieving("invoice_payment", "/v1/invoice_payments/{id}"),
]
