"""A booking's payment: what Stripe says of it, and what that makes of the booking. Pure.

Source: contract, sections 3 and 4; https://docs.stripe.com/payments/paymentintents/lifecycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common.bookings.model import Booking
from common.bookings.status import Status
from common.clock import from_unix
from common.ledger import exchange

#: Statuses of a payment intent from which the customer can still pay.
LIVE_INTENT = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action", "processing"}
)
#: The hold of a booking whose charge Stripe settled in another currency; the id is the balance
#: transaction's.
SETTLED_ELSEWHERE = "settlement"


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment intent that succeeded.

    Attributes:
        amount: What was received, minor units.
        charge: What is known of the charge: see ``charge_facts``.
    """

    intent_id: str
    charge_id: str
    amount: int
    currency: str
    charge: Mapping[str, Any]


def paid(intent: Mapping[str, Any]) -> Paid | None:
    """The payment in Stripe's object, expanded or not; None unless it succeeded."""
    if intent["status"] != "succeeded":
        return None
    charge = intent["latest_charge"]
    expanded = charge if isinstance(charge, Mapping) else {}
    return Paid(
        intent_id=intent["id"],
        charge_id=str(expanded["id"] if expanded else charge),
        amount=intent["amount_received"],
        currency=str(intent["currency"]).upper(),
        charge=charge_facts(expanded) if expanded else {},
    )


def charge_facts(charge: Mapping[str, Any]) -> dict[str, Any]:
    """What a booking remembers of its charge: never more of the card than brand and last digits."""
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    facts: dict[str, Any] = {"chargeId": charge["id"], "chargedAt": from_unix(charge["created"])}
    if card.get("last4"):
        facts.update(cardBrand=card.get("brand"), cardLast4=card["last4"])
    if charge.get("receipt_url"):
        facts["receiptUrl"] = charge["receipt_url"]
    transaction = charge.get("balance_transaction")
    if isinstance(transaction, Mapping):
        facts.update(fee_facts(transaction))
        code = str(charge.get("currency") or transaction["currency"]).upper()
        if exchange.is_exchanged(transaction, code):
            facts["settlement"] = settlement_facts(transaction)
    return facts


def fee_facts(transaction: Mapping[str, Any]) -> dict[str, Any]:
    """What the charge's balance transaction adds."""
    return {
        "balanceTransactionId": transaction["id"],
        "stripeFee": transaction["fee"],
        "fundsAvailableAt": from_unix(transaction["available_on"]),
    }


def settlement_facts(transaction: Mapping[str, Any]) -> dict[str, Any]:
    """In what Stripe settled a charge of another currency: what came, before fees, and the rate."""
    return {
        "currency": str(transaction["currency"]).upper(),
        "amount": transaction["amount"],
        "rate": exchange.rate_text(transaction),
    }


def known(booking: Booking, facts: Mapping[str, Any]) -> Booking:
    """The booking with what is known of its charge.

    One that was settled in another currency is held: a transfer must be in the settled currency,
    and what the provider has earned is in the booking's.
    """
    after = replace(booking, payment={**booking.payment, **facts})
    if not after.payment.get("settlement"):
        return after
    return after.held_by(SETTLED_ELSEWHERE, str(after.payment["balanceTransactionId"]))


def matches(booking: Booking, payment: Paid) -> bool:
    """Whether exactly this booking's price was paid; anything else confirms nothing."""
    return payment.amount == booking.money.total and payment.currency == booking.money.currency


def received(booking: Booking, payment: Paid, now: datetime) -> Booking:
    """The booking with the money on it; its status is another question."""
    facts = {
        "intentId": payment.intent_id,
        "intentStatus": "succeeded",
        "chargeId": payment.charge_id,
        "lastFailure": None,
        **payment.charge,
    }
    with_money = booking.with_money(captured=payment.amount)
    return known(replace(with_money, paid_at=now), facts)


def confirmed(booking: Booking, payment: Paid, *, now: datetime, by: str, why: str) -> Booking:
    """The booking paid and standing."""
    request = {**booking.request, "blocks": True} if booking.request else booking.request
    settled = replace(received(booking, payment, now), hold_until=None, request=request)
    return settled.moved(Status.CONFIRMED, at=now, by=by, why=why)


def failed(booking: Booking, intent: Mapping[str, Any], now: datetime) -> Booking:
    """The booking after an attempt to pay that Stripe declined; the customer may try again."""
    told = failure(intent.get("last_payment_error") or {}, now)
    attempts = int(booking.payment.get("failedAttempts", 0)) + 1
    known = {**booking.payment, "intentStatus": intent["status"], "lastFailure": told}
    return replace(booking, payment={**known, "failedAttempts": attempts})


def failure(error: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a booking remembers of Stripe's no: never more of the card than the reason."""
    return {
        "code": error.get("code"),
        "declineCode": error.get("decline_code"),
        "message": error.get("message"),
        "at": now,
    }
