"""The checker proves itself: each kind of planted corruption is found and named rightly.

The books of a real life, gathered from both sides, are right; then one thing is changed in a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zlib import crc32

import pytest

from common.reconciliation.evidence import Evidence
from common.reconciliation.program import judge
from tests.reconciliation.conftest import Life

Change = Callable[[dict[str, Any]], None]


def changed(evidence: Evidence, collection: str, id_: str, change: Change) -> Evidence:
    """The evidence with one document changed."""
    documents = dict(evidence.firestore[collection])
    document = deepcopy(dict(documents[id_]))
    change(document)
    documents[id_] = document
    return replace(evidence, firestore={**evidence.firestore, collection: documents})


def without(evidence: Evidence, collection: str, id_: str) -> Evidence:
    """The evidence with one document gone."""
    left = {key: doc for key, doc in evidence.firestore[collection].items() if key != id_}
    return replace(evidence, firestore={**evidence.firestore, collection: left})


def added(evidence: Evidence, collection: str, id_: str, document: Mapping[str, Any]) -> Evidence:
    """The evidence with one document more."""
    more = {**evidence.firestore[collection], id_: document}
    return replace(evidence, firestore={**evidence.firestore, collection: more})


def at_stripe(evidence: Evidence, kind: str, id_: str, change: Change) -> Evidence:
    """The evidence with one of Stripe's objects changed."""
    objects = dict(getattr(evidence.stripe, kind))
    thing = deepcopy(dict(objects[id_]))
    change(thing)
    return replace(evidence, stripe=replace(evidence.stripe, **{kind: {**objects, id_: thing}}))


def gone_at_stripe(evidence: Evidence, kind: str, id_: str) -> Evidence:
    """The evidence with one of Stripe's objects gone."""
    left = {key: one for key, one in getattr(evidence.stripe, kind).items() if key != id_}
    return replace(evidence, stripe=replace(evidence.stripe, **{kind: left}))


def posting(life: Life, kind: str, booking_id: str) -> str:
    """The ledger transaction of a kind that concerns a booking."""
    found = [
        id_
        for id_, doc in life.evidence.documents("transactions")
        if doc["kind"] == kind and doc.get("bookingId") == booking_id
    ]
    assert found, f"no {kind} of {booking_id}"
    return found[0]


def refund_of(life: Life) -> str:
    return str(life.doc("bookings", life.part_refunded.id)["lastRefund"]["id"])


def payout_of(life: Life) -> str:
    return next(
        id_
        for id_, doc in life.evidence.documents("payouts")
        if doc["providerId"] == life.provider.uid
    )


def intent_of(life: Life, booking_id: str) -> str:
    return str(life.doc("bookings", booking_id)["payment"]["intentId"])


def charge_of(life: Life, booking_id: str) -> str:
    return str(life.doc("bookings", booking_id)["payment"]["chargeId"])


def earnings_of(life: Life) -> str:
    return f"{life.provider.uid}_USD"


def day_of(life: Life) -> str:
    """The daily totals that the first booking's charge was added to."""
    id_ = posting(life, "charge", life.paid_out.id)
    day = life.doc("transactions", id_)["createdAt"].strftime("%Y-%m-%d")
    return f"{day}_USD_{crc32(id_.encode()) % 8}"


def year_of(life: Life) -> str:
    charge = life.doc("transactions", posting(life, "charge", life.paid_out.id))
    return f"{life.provider.uid}_{charge['createdAt'].year}_USD"


def calendar_of(life: Life, booking_id: str) -> str:
    return next(
        id_ for id_, doc in life.evidence.documents("calendars") if booking_id in doc["claims"]
    )


def set_money(name: str, value: Any) -> Change:
    def change(doc: dict[str, Any]) -> None:
        doc["money"][name] = value

    return change


def more_money(name: str, by: int) -> Change:
    def change(doc: dict[str, Any]) -> None:
        doc["money"][name] += by

    return change


def first_entry(by: Any) -> Change:
    def change(doc: dict[str, Any]) -> None:
        doc["entries"][0]["amount"] += by

    return change


def put(**values: Any) -> Change:
    def change(doc: dict[str, Any]) -> None:
        doc.update(values)

    return change


def second_history(life: Life, **values: Any) -> Evidence:
    def change(doc: dict[str, Any]) -> None:
        doc["history"][1].update(values)

    return changed(life.evidence, "bookings", life.paid_out.id, change)


def unclaimed(life: Life) -> Evidence:
    def change(doc: dict[str, Any]) -> None:
        del doc["claims"][life.part_refunded.id]

    calendar = calendar_of(life, life.part_refunded.id)
    return changed(life.evidence, "calendars", calendar, change)


def overbooked(life: Life) -> Evidence:
    other = deepcopy(life.doc("bookings", life.part_refunded.id))
    return added(life.evidence, "bookings", "booking-intruder", other)


def twin_intent(life: Life) -> Evidence:
    intent = dict(life.evidence.stripe.payment_intents[intent_of(life, life.unpaid.id)])
    more = {**life.evidence.stripe.payment_intents, "pi_twin": {**intent, "id": "pi_twin"}}
    return replace(life.evidence, stripe=replace(life.evidence.stripe, payment_intents=more))


def orphan_transfer(life: Life) -> Evidence:
    some = dict(next(iter(life.evidence.stripe.transfers.values())))
    some["metadata"] = {"bookingId": life.paid_out.id}
    more = {**life.evidence.stripe.transfers, "tr_orphan": {**some, "id": "tr_orphan"}}
    return replace(life.evidence, stripe=replace(life.evidence.stripe, transfers=more))


def balance_off(life: Life, account: str) -> Evidence:
    balances = {**life.evidence.stripe.balances}
    balances[account] = {**balances[account], "USD": balances[account].get("USD", 0) + 1}
    return replace(life.evidence, stripe=replace(life.evidence.stripe, balances=balances))


def unexchanged(life: Life) -> Evidence:
    """The evidence without the exchange of a charge that was settled in another currency."""
    evidence = life.evidence
    for kind in ("conversion", "settlement"):
        evidence = without(evidence, "transactions", posting(life, kind, life.exchanged.id))
    return evidence


def stuck(life: Life) -> Evidence:
    id_, operation = next(iter(life.evidence.documents("operations")))
    old = {**operation, "state": "OPEN", "createdAt": life.evidence.now - timedelta(hours=1)}
    return added(life.evidence, "operations", id_, old)


def doubled(life: Life) -> Evidence:
    twice = life.doc("transactions", posting(life, "charge", life.paid_out.id))
    return added(life.evidence, "transactions", "charge_again", twice)


def refund_dispute(life: Life, status: str, decided: dict[str, Any] | None) -> Evidence:
    document = {
        "kind": "REFUND",
        "status": status,
        "bookingId": life.part_refunded.id,
        "decided": decided,
    }
    return added(life.evidence, "disputes", "dispute-1", document)


def invoice_of(life: Life) -> str:
    return str(life.doc("bookings", life.period.id)["payment"]["invoiceId"])


def twice_subscribed(life: Life) -> Evidence:
    return added(
        life.evidence, "subscriptions", "sub_twin", life.doc("subscriptions", life.subscription.id)
    )


def never_earned(life: Life) -> Evidence:
    def change(doc: dict[str, Any]) -> None:
        doc.update(status="CONFIRMED", history=doc["history"][:1])

    return changed(life.evidence, "bookings", life.period.id, change)


T, B, S = "transactions", "bookings", "subscriptions"


def rows_of(life: Life, path: str) -> list[str]:
    """The audit rows that tell of a document, the oldest first."""
    found = [
        (row["at"], id_) for id_, row in life.evidence.documents("audit") if path in row["objects"]
    ]
    assert found, f"nobody made {path}"
    return [id_ for _, id_ in sorted(found)]


def row_of(life: Life, path: str, action: str) -> str:
    """The audit row of an action on a document."""
    return next(id_ for id_ in rows_of(life, path) if life.doc("audit", id_)["action"] == action)


def all_states(life: Life, path: str, **values: Any) -> Evidence:
    """The evidence with every row telling that a document had become this."""
    evidence = life.evidence
    for id_ in rows_of(life, path):
        if path in life.doc("audit", id_)["states"]:
            evidence = changed(evidence, "audit", id_, lambda d: d["states"][path].update(values))
    return evidence


def untold(life: Life, path: str) -> Evidence:
    """The evidence with a document that no row has made."""
    [made] = [id_ for id_ in rows_of(life, path) if path in life.doc("audit", id_)["created"]]
    return changed(life.evidence, "audit", made, lambda d: d["created"].remove(path))


def row_again(life: Life) -> Evidence:
    id_ = rows_of(life, f"{B}/{life.paid_out.id}")[0]
    return added(life.evidence, "audit", f"{id_}-again", life.doc("audit", id_))


def cancel_row(life: Life, **values: Any) -> Evidence:
    path = f"{B}/{life.cancelled.id}"
    return changed(life.evidence, "audit", row_of(life, path, "CANCEL_BOOKING"), put(**values))


def event_row(life: Life, **values: Any) -> Evidence:
    path = f"{T}/{posting(life, 'charge', life.paid_out.id)}"
    return changed(life.evidence, "audit", rows_of(life, path)[0], put(**values))


def transfer_of(life: Life) -> str:
    return posting(life, "transfer", life.paid_out.id).removeprefix("transfer_")


def movement_more(life: Life, account: str) -> Evidence:
    """The evidence with one movement more on a balance at Stripe."""
    listed = dict(life.evidence.stripe.movements[account])
    listed["txn_more"] = {"id": "txn_more", "source": "po_more", "net": -1, "currency": "usd"}
    movements = {**life.evidence.stripe.movements, account: listed}
    return replace(life.evidence, stripe=replace(life.evidence.stripe, movements=movements))


PLANTED: dict[str, tuple[Callable[[Life], Evidence], str]] = {
    "an amount one cent up": (
        lambda v: changed(v.evidence, T, posting(v, "charge", v.paid_out.id), first_entry(1)),
        "ledger.unbalanced",
    ),
    "an entry gone": (
        lambda v: changed(
            v.evidence, T, posting(v, "charge", v.paid_out.id), lambda d: d["entries"].pop()
        ),
        "ledger.entries_missing",
    ),
    "a floating amount": (
        lambda v: changed(v.evidence, T, posting(v, "charge", v.paid_out.id), first_entry(0.0)),
        "ledger.not_whole",
    ),
    "a transaction gone": (
        lambda v: without(v.evidence, T, posting(v, "charge", v.paid_out.id)),
        "charge.unrecorded",
    ),
    "a transaction under another id": (doubled, "ledger.wrong_id"),
    "a doubled event": (doubled, "ledger.twice"),
    "an account that does not exist": (
        lambda v: changed(
            v.evidence,
            T,
            posting(v, "charge", v.paid_out.id),
            lambda d: d["entries"][1].update(account="platform:pocket"),
        ),
        "ledger.unknown_account",
    ),
    "a wrong currency in the ledger": (
        lambda v: changed(v.evidence, T, posting(v, "charge", v.paid_out.id), put(currency="EUR")),
        "ledger.wrong_currency",
    ),
    "a currency that is none": (
        lambda v: changed(v.evidence, T, posting(v, "charge", v.paid_out.id), put(currency="ZZZ")),
        "ledger.unknown_currency",
    ),
    "a ledger transaction of no booking": (
        lambda v: changed(
            v.evidence, T, posting(v, "charge", v.paid_out.id), put(bookingId="booking-nobody")
        ),
        "ledger.orphan",
    ),
    "a balanced amount that Stripe did not move": (
        lambda v: changed(
            v.evidence,
            T,
            posting(v, "transfer", v.paid_out.id),
            lambda d: d.update(entries=[{**e, "amount": e["amount"] * 2} for e in d["entries"]]),
        ),
        "transfer.amount",
    ),
    "a transaction's figures by a cent": (
        lambda v: changed(
            v.evidence,
            T,
            posting(v, "charge", v.paid_out.id),
            lambda d: d["figures"].update(gross=d["figures"]["gross"] + 1),
        ),
        "ledger.figures",
    ),
    "a transaction whose figures are gone": (
        lambda v: changed(
            v.evidence, T, posting(v, "refund", v.part_refunded.id), lambda d: d.pop("figures")
        ),
        "ledger.figures",
    ),
    "a day's total by a cent": (
        lambda v: changed(
            v.evidence,
            "dailyTotals",
            day_of(v),
            lambda d: d["by"]["c:music"].update(gross=d["by"]["c:music"].get("gross", 0) + 1),
        ),
        "totals.day",
    ),
    "a day's document that is gone": (
        lambda v: without(v.evidence, "dailyTotals", day_of(v)),
        "totals.day",
    ),
    "a failed payment that no day counts": (
        lambda v: added(
            v.evidence,
            "failedPayments",
            "evt_planted",
            {"currency": "USD", "category": "music", "createdAt": v.evidence.now},
        ),
        "totals.day",
    ),
    "a year's commission by a cent": (
        lambda v: changed(
            v.evidence,
            "yearlyTotals",
            year_of(v),
            lambda d: d.update(commission=d["commission"] - 1),
        ),
        "totals.year",
    ),
    "a year's document that is gone": (
        lambda v: without(v.evidence, "yearlyTotals", year_of(v)),
        "totals.year",
    ),
    "a booking's document that is none": (
        lambda v: changed(v.evidence, B, v.unpaid.id, lambda d: d.pop("money")),
        "booking.unreadable",
    ),
    "a price as a double": (
        lambda v: changed(v.evidence, B, v.paid_out.id, set_money("total", 200.0)),
        "booking.not_whole",
    ),
    "fee and earnings that miss the total": (
        lambda v: changed(v.evidence, B, v.paid_out.id, more_money("provider", 1)),
        "booking.split",
    ),
    "a fee that is not the rate's": (
        lambda v: changed(v.evidence, B, v.unpaid.id, set_money("rateBps", 900)),
        "booking.fee",
    ),
    "a status flipped": (
        lambda v: changed(v.evidence, B, v.paid_out.id, put(status="CANCELLED")),
        "booking.status",
    ),
    "a step that the table does not have": (
        lambda v: second_history(v, status="DECLINED"),
        "booking.transition",
    ),
    "a history that runs backwards": (lambda v: second_history(v, version=1), "booking.time"),
    "a booking that stands unpaid": (
        lambda v: changed(v.evidence, B, v.part_refunded.id, set_money("captured", 0)),
        "booking.unpaid",
    ),
    "a refund that the booking does not know": (
        lambda v: changed(v.evidence, B, v.part_refunded.id, set_money("refunded", 0)),
        "booking.refunds",
    ),
    "a refund without its part of the fee": (
        lambda v: changed(v.evidence, B, v.part_refunded.id, set_money("feeRefunded", 0)),
        "booking.fee_refunded",
    ),
    "a refund's ledger transaction gone": (
        lambda v: without(v.evidence, T, posting(v, "refund", v.part_refunded.id)),
        "refund.ledger",
    ),
    "a refund gone": (
        lambda v: without(v.evidence, "refunds", refund_of(v)),
        "refund.unrecorded",
    ),
    "a refund of another amount": (
        lambda v: changed(v.evidence, "refunds", refund_of(v), put(amount=1)),
        "refund.amount",
    ),
    "a refund's status flipped": (
        lambda v: changed(v.evidence, "refunds", refund_of(v), put(status="FAILED")),
        "refund.status",
    ),
    "a refund that Stripe does not know": (
        lambda v: changed(v.evidence, "refunds", refund_of(v), put(stripeRefundId="re_none")),
        "refund.missing",
    ),
    "a booking transferred twice in its own words": (
        lambda v: changed(v.evidence, B, v.paid_out.id, more_money("transferred", 18_400)),
        "booking.transferred",
    ),
    "earnings taken out twice": (
        lambda v: changed(v.evidence, B, v.paid_out.id, set_money("paid", 0)),
        "booking.paid",
    ),
    "a payout on its way that no payout carries": (
        lambda v: changed(v.evidence, B, v.paid_out.id, set_money("sent", 5)),
        "booking.sent",
    ),
    "a claim of a payout forgotten": (
        lambda v: changed(v.evidence, B, v.cancelled.id, more_money("claimed", 5)),
        "booking.claimed",
    ),
    "an orphan transfer": (orphan_transfer, "transfer.unrecorded"),
    "a transfer gone at Stripe": (
        lambda v: gone_at_stripe(
            v.evidence, "transfers", posting(v, "transfer", v.paid_out.id).removeprefix("transfer_")
        ),
        "transfer.missing",
    ),
    "a payout's status flipped": (
        lambda v: changed(v.evidence, "payouts", payout_of(v), put(status="PROCESSING")),
        "payout.status",
    ),
    "a payout gone": (
        lambda v: without(v.evidence, "payouts", payout_of(v)),
        "payout.unrecorded",
    ),
    "a payout whose lines do not make it up": (
        lambda v: changed(
            v.evidence, "payouts", payout_of(v), lambda d: d["lines"][0].update(amount=1)
        ),
        "payout.lines",
    ),
    "a running total one cent up": (
        lambda v: changed(
            v.evidence, "earnings", earnings_of(v), lambda d: d.update(paid=d["paid"] + 1)
        ),
        "earnings.paid",
    ),
    "money parked for nobody": (
        lambda v: changed(v.evidence, "earnings", earnings_of(v), put(parked=1)),
        "earnings.parked",
    ),
    "a debt out of nothing": (
        lambda v: changed(v.evidence, "earnings", earnings_of(v), put(debt=700)),
        "earnings.debt",
    ),
    "a place given away": (unclaimed, "place.claim_missing"),
    "a claim without a booking": (
        lambda v: without(v.evidence, B, v.unpaid.id),
        "place.claim_orphan",
    ),
    "a place sold twice": (overbooked, "place.crowded"),
    "an intent of no booking": (lambda v: without(v.evidence, B, v.unpaid.id), "intent.orphan"),
    "two live intents of one booking": (twin_intent, "intent.twice"),
    "an intent over another price": (
        lambda v: at_stripe(
            v.evidence, "payment_intents", intent_of(v, v.unpaid.id), put(amount=19_999)
        ),
        "intent.amount",
    ),
    "an intent that Stripe does not know": (
        lambda v: gone_at_stripe(v.evidence, "payment_intents", intent_of(v, v.unpaid.id)),
        "intent.missing",
    ),
    "a charge that Stripe does not know": (
        lambda v: gone_at_stripe(v.evidence, "charges", charge_of(v, v.paid_out.id)),
        "charge.missing",
    ),
    "an account that no provider has": (
        lambda v: without(v.evidence, "accounts", str(v.provider.account_id)),
        "account.unrecorded",
    ),
    "a dispute that nobody knows": (
        lambda v: replace(v.evidence, firestore={**v.evidence.firestore, "disputes": {}}),
        "dispute.unrecorded",
    ),
    "Stripe's balance one cent up": (
        lambda v: balance_off(v, "platform"),
        "balance.platform",
    ),
    "a cent more settled than Stripe says": (
        lambda v: changed(
            v.evidence,
            "transactions",
            posting(v, "settlement", v.exchanged.id),
            first_entry(1),
        ),
        "balance.platform",
    ),
    "a connected balance one cent up": (
        lambda v: balance_off(v, str(v.provider.account_id)),
        "balance.connected",
    ),
    "money held for longer than Stripe allows": (
        lambda v: changed(
            v.evidence,
            "bookings",
            v.part_refunded.id,
            lambda d: d["payment"].update(chargedAt=d["paidAt"] - timedelta(days=10_000)),
        ),
        "booking.hold_overdue",
    ),
    "an open refund dispute that holds nothing": (
        lambda v: refund_dispute(v, "OPEN", None),
        "hold.missing",
    ),
    "a hold that outlived its refund dispute": (
        lambda v: changed(
            refund_dispute(v, "REJECTED", {"amount": 0, "refundId": None}),
            B,
            v.part_refunded.id,
            put(holds={"refund_dispute": "dispute-1"}),
        ),
        "hold.left",
    ),
    "a hold of no refund dispute": (
        lambda v: changed(
            v.evidence, B, v.part_refunded.id, put(holds={"refund_dispute": "dispute-none"})
        ),
        "hold.left",
    ),
    "a decided refund that was not made": (
        lambda v: refund_dispute(v, "UPHELD", {"amount": 5000, "refundId": "refund-none"}),
        "dispute.refund",
    ),
    "a subscription gone": (
        lambda v: without(v.evidence, S, v.subscription.id),
        "subscription.unrecorded",
    ),
    "a subscription that Stripe does not know": (
        lambda v: gone_at_stripe(v.evidence, "subscriptions", v.subscription.id),
        "subscription.missing",
    ),
    "a subscription's status flipped": (
        lambda v: changed(v.evidence, S, v.subscription.id, put(status="PAUSED")),
        "subscription.status",
    ),
    "a customer subscribed twice": (twice_subscribed, "subscription.twice"),
    "a subscription's price that misses its rate": (
        lambda v: changed(v.evidence, S, v.subscription.id, more_money("fee", 1)),
        "subscription.price",
    ),
    "a paid period gone": (lambda v: without(v.evidence, B, v.period.id), "period.unrecorded"),
    "a paid period's charge gone from the ledger": (
        lambda v: without(v.evidence, T, posting(v, "charge", v.period.id)),
        "charge.unrecorded",
    ),
    "a paid period's charge gone at Stripe": (
        lambda v: gone_at_stripe(v.evidence, "charges", charge_of(v, v.period.id)),
        "charge.missing",
    ),
    "a period of another provider": (
        lambda v: changed(v.evidence, S, v.subscription.id, put(providerId="provider-nobody")),
        "period.orphan",
    ),
    "a period that names another invoice": (
        lambda v: changed(
            v.evidence, B, v.period.id, lambda d: d["payment"].update(invoiceId="in_none")
        ),
        "period.invoice",
    ),
    "an invoice paid to another subscription": (
        lambda v: at_stripe(v.evidence, "invoices", invoice_of(v), put(parent=None)),
        "period.invoice",
    ),
    "a paid period that earned nothing": (never_earned, "period.unearned"),
    "half of an exchange gone": (
        lambda v: without(v.evidence, "transactions", posting(v, "settlement", v.exchanged.id)),
        "exchange.half",
    ),
    "an exchange that nobody wrote": (unexchanged, "exchange.unrecorded"),
    "an exchange in another currency than it names": (
        lambda v: changed(
            v.evidence,
            "transactions",
            posting(v, "settlement", v.exchanged.id),
            put(currency="GBP"),
        ),
        "exchange.currency",
    ),
    "Stripe's fee in the currency that was not settled": (
        lambda v: changed(
            v.evidence,
            "transactions",
            posting(v, "stripe_fee", v.exchanged.id),
            put(currency="EUR"),
        ),
        "ledger.wrong_currency",
    ),
    "earnings that cannot be transferred": (
        lambda v: changed(v.evidence, B, v.exchanged.id, set_money("due", 184_00)),
        "booking.unpayable",
    ),
    "an operation left open": (stuck, "operation.stuck"),
    "an event that broke": (
        lambda v: added(
            v.evidence,
            "webhook_events",
            "evt_poison",
            {"type": "charge.updated", "outcome": "failed", "error": "KeyError"},
        ),
        "event.failed",
    ),
    "a transfer before the service was done": (
        lambda v: at_stripe(
            v.evidence,
            "transfers",
            transfer_of(v),
            lambda d: d.update(created=d["created"] - 400_000),
        ),
        "transfer.too_early",
    ),
    "a transfer of earnings that are not free": (
        lambda v: all_states(v, f"{B}/{v.paid_out.id}", eligibleAt=None),
        "transfer.too_early",
    ),
    "a transfer of another charge": (
        lambda v: at_stripe(
            v.evidence,
            "transfers",
            transfer_of(v),
            put(source_transaction=charge_of(v, v.part_refunded.id)),
        ),
        "transfer.unfunded",
    ),
    "a transfer of a booking under review": (
        lambda v: all_states(v, f"{B}/{v.paid_out.id}", holds=["review"]),
        "transfer.held",
    ),
    "a transfer to an account that may not be paid": (
        lambda v: all_states(v, f"profiles/{v.provider.uid}", stripePayoutsEnabled=False),
        "transfer.not_payable",
    ),
    "a fee of Stripe's that is in no ledger": (
        lambda v: without(v.evidence, T, posting(v, "stripe_fee", v.paid_out.id)),
        "books.incomplete",
    ),
    "a movement of our balance that is in no ledger": (
        lambda v: movement_more(v, "platform"),
        "books.incomplete",
    ),
    "a movement of a connected balance that is in no ledger": (
        lambda v: movement_more(v, str(v.provider.account_id)),
        "books.incomplete",
    ),
    "a dispute's loss of a dispute that is none": (
        lambda v: changed(
            v.evidence, T, posting(v, "dispute_lost", v.lost.id), put(stripeId="dp_none")
        ),
        "books.unexplained",
    ),
    "an earning of no booking": (
        lambda v: added(
            v.evidence,
            T,
            "earning_none",
            {**v.doc(T, posting(v, "earning", v.paid_out.id)), "stripeId": "none"},
        ),
        "books.unexplained",
    ),
    "a refund put to another booking": (
        lambda v: changed(
            v.evidence,
            T,
            posting(v, "refund", v.part_refunded.id),
            put(bookingId=v.cancelled.id),
        ),
        "books.unexplained",
    ),
    "a charge that moved nothing at Stripe": (
        lambda v: added(
            v.evidence,
            T,
            f"charge_{v.paid_out.id}",
            {
                **v.doc(T, posting(v, "charge", v.paid_out.id)),
                "stripeId": v.paid_out.id,
            },
        ),
        "books.unexplained",
    ),
    "a booking's change that nobody made": (
        lambda v: without(v.evidence, "audit", rows_of(v, f"{B}/{v.cancelled.id}")[-1]),
        "audit.missing",
    ),
    "a refund that nobody made": (
        lambda v: untold(v, f"refunds/{refund_of(v)}"),
        "audit.missing",
    ),
    "a change made twice": (row_again, "audit.twice"),
    "a refund made twice": (
        lambda v: changed(
            v.evidence,
            "audit",
            row_of(v, f"{B}/{v.cancelled.id}", "CANCEL_BOOKING"),
            lambda d: d["created"].append(f"refunds/{refund_of(v)}"),
        ),
        "audit.twice",
    ),
    "a stranger's cancellation": (
        lambda v: cancel_row(v, actor="somebody-else"),
        "audit.not_allowed",
    ),
    "a cancellation as something that may not": (
        lambda v: cancel_row(v, role="scheduler"),
        "audit.not_allowed",
    ),
    "the provider's act under the customer's name": (
        lambda v: cancel_row(v, role="provider"),
        "audit.not_allowed",
    ),
    "an act by nobody under an operator's role": (
        lambda v: cancel_row(v, role="operator", actor="system"),
        "audit.not_allowed",
    ),
    "an action that does not exist": (
        lambda v: cancel_row(v, action="PRINT_MONEY"),
        "audit.not_allowed",
    ),
    "an event that Stripe does not have": (
        lambda v: event_row(v, action="payment_intent.invented"),
        "audit.not_allowed",
    ),
    "an event of another kind": (
        lambda v: event_row(v, action="transfer.created"),
        "audit.not_allowed",
    ),
    "Stripe's word from somebody else": (
        lambda v: event_row(v, actor=v.provider.uid),
        "audit.not_allowed",
    ),
    "a history that names another": (
        lambda v: second_history(v, by="somebody-else"),
        "audit.differs",
    ),
    "a refund that names another": (
        lambda v: changed(v.evidence, "refunds", refund_of(v), put(requestedBy="somebody-else")),
        "audit.differs",
    ),
    "an operation that names another": (
        lambda v: changed(v.evidence, "operations", refund_of(v), put(actor="somebody-else")),
        "audit.differs",
    ),
    "a payout that names another": (
        lambda v: changed(v.evidence, "payouts", payout_of(v), put(requestedBy="somebody-else")),
        "audit.differs",
    ),
}


def named(evidence: Evidence) -> set[tuple[str, tuple[str, ...]]]:
    return {(mismatch.kind, mismatch.objects) for mismatch in judge(evidence)}


def test_the_books_of_the_life_itself_are_right(life: Life) -> None:
    about = {
        life.provider.uid,
        str(life.provider.account_id),
        life.subscription.id,
        *(
            one.id
            for one in (
                life.paid_out,
                life.part_refunded,
                life.cancelled,
                life.lost,
                life.period,
            )
        ),
        life.exchanged.id,
    }
    wrong = [one for one in judge(life.evidence) if about & set(one.objects)]
    assert not wrong
    assert not [one for one in judge(life.evidence) if one.kind.startswith("totals.")]


def test_every_change_of_the_life_is_told_of_and_every_movement_in_the_books(life: Life) -> None:
    ours = {"audit", "books", "transfer"}
    wrong = [one for one in judge(life.evidence) if one.kind.partition(".")[0] in ours]
    assert not wrong


def test_there_are_at_least_25_kinds_of_planted_corruption() -> None:
    assert len({kind for _, kind in PLANTED.values()}) >= 25


@pytest.mark.parametrize("what", PLANTED)
def test_planted_corruption_is_found_and_named(life: Life, what: str) -> None:
    plant, kind = PLANTED[what]
    found = named(plant(life)) - named(life.evidence)
    assert kind in {name for name, _ in found}, f"{what}: found {sorted(found)}"
