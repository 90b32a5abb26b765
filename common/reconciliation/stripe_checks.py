"""Our records against Stripe's objects, one to one, and balances to the cent. Pure.

Source: invariants I5, I8, I9, I13.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from common.ledger import accounts
from common.reconciliation.evidence import Evidence, Mismatch, Objects, of_ours
from common.reconciliation.subscription_checks import invoices_of_ours
from common.refunds.model import STATUSES
from common.stripe_gateway.objects import id_of

_LIVE = frozenset(
    {
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "requires_capture",
        "processing",
        "succeeded",
    }
)
_PAYOUT_STATUSES = {
    "pending": "PROCESSING",
    "in_transit": "PROCESSING",
    "paid": "PAID",
    "failed": "FAILED",
    "canceled": "CANCELLED",
}


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Every object that names us is recorded as it is, and every record has its object."""
    stripe = evidence.stripe
    yield from _intents(evidence)
    yield from _moved(evidence, "charge", _succeeded(evidence), "amount_captured")
    yield from _moved(evidence, "transfer", stripe.transfers, "amount")
    yield from _moved(evidence, "reversal", _reversals(stripe.transfers), "amount")
    yield from _refunds(evidence)
    yield from _payouts(evidence)
    yield from _accounts(evidence)
    yield from _disputes(evidence)
    yield from _balances(evidence)


def _succeeded(evidence: Evidence) -> Objects:
    """Charges that moved a booking's money, or paid an invoice of a subscription of ours."""
    periods = invoices_of_ours(evidence)
    return {
        id_: charge
        for id_, charge in evidence.stripe.charges.items()
        if charge["status"] == "succeeded"
        and charge["captured"]
        and (of_ours(charge, "bookingId") or id_of(charge.get("payment_intent")) in periods)
    }


def _reversals(transfers: Objects) -> Objects:
    return {
        one["id"]: one
        for transfer in transfers.values()
        for one in (transfer.get("reversals") or {}).get("data") or []
        if of_ours(transfer, "bookingId")
    }


def _intents(evidence: Evidence) -> Iterator[Mismatch]:
    bookings = {booking.id: booking for booking in evidence.bookings()}
    live: dict[str, list[str]] = defaultdict(list)
    for id_, intent in sorted(evidence.stripe.payment_intents.items()):
        booking_id = of_ours(intent, "bookingId")
        if booking_id is None:
            continue
        if evidence.document("bookings", booking_id) is None:
            yield Mismatch("intent.orphan", "I8", "its booking does not exist", (id_, booking_id))
        if intent["status"] in _LIVE:
            live[booking_id].append(id_)
        booking = bookings.get(booking_id)
        said = (intent["amount"], intent["currency"].upper())
        if booking is not None and said != (booking.money.total, booking.money.currency):
            yield Mismatch("intent.amount", "I3", "it is not over the price", (id_, booking_id))
    for booking_id, ids in live.items():
        if len(ids) > 1:
            yield Mismatch("intent.twice", "I8", "a booking has several", (booking_id, *ids))
    for booking in bookings.values():
        recorded = booking.payment.get("intentId")
        if recorded and recorded not in evidence.stripe.payment_intents:
            yield Mismatch(
                "intent.missing", "I8", "Stripe does not know it", (recorded, booking.id)
            )


def _moved(evidence: Evidence, kind: str, objects: Objects, field: str) -> Iterator[Mismatch]:
    """Objects that each are one ledger transaction of the same amount, and the other way round."""
    posted = {
        doc["stripeId"]: doc for _, doc in evidence.documents("transactions") if doc["kind"] == kind
    }
    for id_, thing in sorted(objects.items()):
        doc = posted.get(id_)
        if doc is None:
            yield Mismatch(f"{kind}.unrecorded", "I8", f"{thing[field]} is in no ledger", (id_,))
        elif _amount(doc) != thing[field]:
            yield Mismatch(
                f"{kind}.amount",
                "I9",
                f"the ledger says {_amount(doc)}, Stripe {thing[field]}",
                (id_,),
            )
    for id_, doc in sorted(posted.items()):
        if id_ not in objects and doc.get("bookingId"):
            yield Mismatch(f"{kind}.missing", "I8", "Stripe does not know it", (id_,))


def _amount(doc: Mapping[str, Any]) -> int:
    """What a transaction moved on our Stripe balance, without its sign."""
    moved = [e["amount"] for e in doc["entries"] if e["account"] == accounts.STRIPE]
    return abs(sum(amount for amount in moved if type(amount) is int))


def _refunds(evidence: Evidence) -> Iterator[Mismatch]:
    recorded = {
        doc["stripeRefundId"]: (id_, doc)
        for id_, doc in evidence.documents("refunds")
        if doc["stripeRefundId"]
    }
    for id_, refund in sorted(evidence.stripe.refunds.items()):
        known = recorded.get(id_)
        if known is None:
            if of_ours(refund, "bookingId"):
                yield Mismatch("refund.unrecorded", "I8", "it is in no refund of ours", (id_,))
            continue
        ours, doc = known
        if doc["amount"] != refund["amount"]:
            yield Mismatch(
                "refund.amount",
                "I5",
                f"{doc['amount']} here, {refund['amount']} there",
                (ours, id_),
            )
        if doc["status"] != STATUSES.get(refund["status"]):
            yield Mismatch(
                "refund.status",
                "I5",
                f"{doc['status']} here, {refund['status']} there",
                (ours, id_),
            )
        posted = evidence.document("transactions", f"refund_{id_}") is not None
        if bool(refund.get("balance_transaction")) != posted:
            yield Mismatch("refund.ledger", "I9", "ledger and Stripe differ on it", (ours, id_))
    for id_, (ours, _) in sorted(recorded.items()):
        if id_ not in evidence.stripe.refunds:
            yield Mismatch("refund.missing", "I8", "Stripe does not know it", (ours, id_))


def _payouts(evidence: Evidence) -> Iterator[Mismatch]:
    recorded = {
        doc["stripePayoutId"]: (id_, doc)
        for id_, doc in evidence.documents("payouts")
        if doc["stripePayoutId"]
    }
    for id_, payout in sorted(evidence.stripe.payouts.items()):
        known = recorded.get(id_)
        if known is None:
            yield Mismatch("payout.unrecorded", "I8", "it is in no payout of ours", (id_,))
            continue
        ours, doc = known
        if doc["amount"] - doc["fee"] != payout["amount"]:
            yield Mismatch(
                "payout.amount",
                "I9",
                f"{doc['amount'] - doc['fee']} here, {payout['amount']} there",
                (ours, id_),
            )
        if doc["status"] != _PAYOUT_STATUSES.get(payout["status"]):
            yield Mismatch(
                "payout.status",
                "I8",
                f"{doc['status']} here, {payout['status']} there",
                (ours, id_),
            )
    for id_, (ours, doc) in sorted(recorded.items()):
        seen = doc["accountId"] in evidence.stripe.balances  # not where the account has left us
        if seen and id_ not in evidence.stripe.payouts:
            yield Mismatch("payout.missing", "I8", "Stripe does not know it", (ours, id_))


def _accounts(evidence: Evidence) -> Iterator[Mismatch]:
    for id_, account in sorted(evidence.stripe.accounts.items()):
        provider_id = of_ours(account, "providerId")
        if provider_id is None:
            continue
        index = evidence.document("accounts", id_)
        if index is None or index["providerId"] != provider_id:
            yield Mismatch("account.unrecorded", "I8", "no provider has it", (id_, provider_id))


def _disputes(evidence: Evidence) -> Iterator[Mismatch]:
    ours = _succeeded(evidence)
    for id_, dispute in sorted(evidence.stripe.disputes.items()):
        doc = evidence.document("disputes", id_)
        if doc is None:
            if str(dispute["charge"]) in ours:
                yield Mismatch("dispute.unrecorded", "I17", "no booking knows of it", (id_,))
        elif doc["status"] != dispute["status"]:
            yield Mismatch(
                "dispute.status", "I17", f"{doc['status']} here, {dispute['status']} there", (id_,)
            )


def _balances(evidence: Evidence) -> Iterator[Mismatch]:
    """Ours, and each provider's: all their accounts together, as the ledger has them."""
    theirs = evidence.stripe.balances
    yield from _balance(
        evidence, accounts.STRIPE, "balance.platform", {"platform": theirs["platform"]}
    )
    for provider_id, owned in sorted(_owned(evidence).items()):
        seen = {id_: theirs[id_] for id_ in owned if id_ in theirs}
        # What an account has that has left the platform nobody can see, until it is settled.
        settled = all(id_ in seen or doc.get("recall") == "DONE" for id_, doc in owned.items())
        if seen and settled:
            yield from _balance(
                evidence, accounts.connected(provider_id), "balance.connected", seen
            )


def _owned(evidence: Evidence) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    owned: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for id_, doc in evidence.documents("accounts"):
        owned[str(doc["providerId"])][id_] = doc
    return owned


def _balance(
    evidence: Evidence, name: str, kind: str, seen: Mapping[str, Mapping[str, int]]
) -> Iterator[Mismatch]:
    ledger = evidence.balances()
    for code in sorted({*ledger, *(code for balance in seen.values() for code in balance)}):
        ours = ledger.get(code, {}).get(name, 0)
        theirs = sum(balance.get(code, 0) for balance in seen.values())
        if ours != theirs:
            problem = f"the ledger says {ours} {code}, Stripe {theirs}"
            yield Mismatch(kind, "I9", problem, tuple(sorted(seen)))
