"""Charges: what a payment attempt leaves behind, and when its money reaches the balance."""

from __future__ import annotations

from emulator.stripe import ledger
from emulator.stripe.cards import Card, Decline, by_number
from emulator.stripe.events import emit
from emulator.stripe.ids import base62
from emulator.stripe.lists import whole
from emulator.stripe.params import email as email_param
from emulator.stripe.params import merged_metadata, metadata, nested, one_of, text
from emulator.stripe.resources import application_fees
from emulator.stripe.resources.common import listing, retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.search import metadata_terms, searching
from emulator.stripe.settlement import settle as settle_amount
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

AUTHORIZATION_SECONDS = 7 * 86400


def _refunds(world: World, charge: Obj) -> Obj:
    account = world.store.rows[charge["id"]].account
    held = world.store.matching("refund", account, "charge", charge["id"])
    return whole(held[::-1], f"/v1/charges/{charge['id']}/refunds")


KINDS = [
    Kind(
        "charge",
        "ch",
        indexes=("customer", "payment_intent", "transfer_group", "status"),
        terms=metadata_terms,
        includable={"refunds": _refunds},
    )
]


def card_charge(world: World, intent: Obj, method: Obj, card: Card, decline: Decline | None) -> Obj:
    """
    The charge of one attempt to pay an intent; not yet settled, its events not yet emitted.

    Args:
        decline: Why the bank refused; None for a success, captured unless the intent is manual.
    """
    manual = intent["capture_method"] == "manual"
    id = world.ids.new("ch")
    charge: Obj = {
        **blank_charge(world, id, intent["amount"], intent["currency"]),
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "STRIPE EMULATOR",
        "captured": decline is None and not manual,
        "amount_captured": 0 if decline or manual else intent["amount"],
        "customer": intent["customer"],
        "application": intent["application"],
        "application_fee_amount": intent["application_fee_amount"],
        "description": intent["description"],
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": intent["on_behalf_of"],
        "outcome": _outcome(card, decline),
        "paid": decline is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(world, intent, method, card, manual and not decline),
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "failed" if decline else "succeeded",
        "transfer_group": intent["transfer_group"],
        "_number": card.number,
    }
    return world.store.insert("charge", charge, world.store.rows[intent["id"]].account, world.now)


def blank_charge(world: World, id: str, amount: int, currency: str) -> Obj:
    """Every member of a charge at its most neutral value."""
    return {
        "id": id,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            **dict.fromkeys(("email", "name", "phone", "tax_id")),
        },
        "calculated_statement_descriptor": None,
        "captured": True,
        "created": world.now,
        "currency": currency,
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": None,
        "paid": True,
        "payment_intent": None,
        "payment_method": None,
        "payment_method_details": None,
        "radar_options": {},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": f"{world.config.url}/receipts/{id}",
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(card: Card, decline: Decline | None) -> Obj:
    score = {"normal": 24, "elevated": 66, "highest": 88}[card.risk]
    outcome: Obj = {
        "advice_code": decline.advice if decline else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": card.risk,
        "risk_score": score,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if decline is not None and decline.blocked:
        outcome |= {
            "network_status": "not_sent_to_network",
            "reason": "highest_risk_level",
            "seller_message": "Stripe blocked this payment as too risky.",
            "type": "blocked",
        }
    elif decline is not None:
        outcome |= {
            "network_status": "declined_by_network",
            "reason": decline.decline_code or decline.code,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        }
    elif card.risk == "elevated":
        outcome |= {"reason": "elevated_risk_level", "type": "manual_review"}
    return outcome


def _details(world: World, intent: Obj, method: Obj, card: Card, held: bool) -> Obj:
    shown = method["card"]
    return {
        "card": {
            "amount_authorized": intent["amount"],
            "authorization_code": base62(f"auth:{intent['id']}", 6).upper(),
            "brand": shown["brand"],
            **({"capture_before": world.now + AUTHORIZATION_SECONDS} if held else {}),
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": card.cvc_check,
            },
            "country": shown["country"],
            "exp_month": shown["exp_month"],
            "exp_year": shown["exp_year"],
            "extended_authorization": {"status": "disabled"},
            "fingerprint": shown["fingerprint"],
            "funding": shown["funding"],
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": shown["last4"],
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": shown["brand"],
            "network_token": {"used": False},
            "network_transaction_id": str(int(base62(f"net:{intent['id']}", 8), 36))[:15],
            "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": intent.get("_three_d_secure"),
            "wallet": None,
        },
        "type": "card",
    }


def settle_later(world: World, charge: Obj) -> None:
    """Stripe settles a captured charge a moment after it answered (``automatic_async``)."""
    world.timers.soon("settle_charge", {"charge": charge["id"]}, key=f"settle_{charge['id']}")


@timer("settle_charge")
def _settle(world: World, args: Obj) -> None:
    settle(world, args["charge"])


def settle(world: World, charge_id: str) -> Obj:
    """
    Put the money of a captured charge on the balance, unless that has happened.

    Whatever needs the charge's balance transaction calls this first. Emits ``charge.updated``.
    """
    if world.store.get("charge", charge_id)["balance_transaction"] is not None:
        return world.store.get("charge", charge_id)
    charge = world.store.edit("charge", charge_id)
    world.timers.cancel_key(f"settle_{charge_id}")
    book(world, charge)
    emit(world, "charge.updated", charge)
    return charge


def book(world: World, charge: Obj) -> None:
    """Make the balance transaction of a captured charge (an editable copy)."""
    account = world.store.rows[charge["id"]].account
    settled = settle_amount(world, account, charge["amount_captured"], charge["currency"])
    fees = [ledger.stripe_fee(world.config.fees.fee(settled.amount), settled.currency)]
    wait = 0 if by_number(charge["_number"]).available else ledger.SETTLE_SECONDS
    if charge["application_fee_amount"]:
        fees.append(application_fees.collect(world, charge, world.clock.main_now() + wait))
    txn = ledger.post(
        world,
        account,
        "charge",
        settled.amount,
        settled.currency,
        charge["id"],
        fee_details=fees,
        available_on=world.clock.main_now() + wait,
        description=charge["description"],
        exchange_rate=settled.shown_rate,
    )
    charge["balance_transaction"] = txn["id"]


def refundable(charge: Obj) -> int:
    return int(charge["amount_captured"] - charge["amount_refunded"])


def _update(call: Call) -> Obj:
    charge = call.edit("charge")
    p = call.params
    for name in ("description", "receipt_email", "transfer_group"):
        if name in p:
            charge[name] = p[name]
    if "metadata" in p:
        charge["metadata"] = merged_metadata(charge["metadata"], p["metadata"])
    if p.get("fraud_details"):
        charge["fraud_details"] = p["fraud_details"]
    emit(call.world, "charge.updated", charge)
    return charge


OPERATIONS = [
    listing(
        "charge",
        "/v1/charges",
        customer=text(),
        payment_intent=text(),
        transfer_group=text(),
    ),
    searching("charge", "/v1/charges/search"),
    retrieving("charge", "/v1/charges/{id}"),
    Operation(
        "POST",
        "/v1/charges/{id}",
        _update,
        {
            "description": text().clearable(),
            "metadata": metadata(),
            "receipt_email": email_param().clearable(),
            "transfer_group": text(),
            "fraud_details": nested(user_report=one_of("fraudulent", "safe").clearable()),
        },
    ),
]
