"""RECONCILE: the ledger against Stripe, and what planted corruption it finds."""

from __future__ import annotations

from google.cloud.firestore import Increment

from tests.functions.acts import (
    a_completed_booking,
    a_paid_booking,
    arrive,
    payout,
    refund,
)
from tests.functions.books import about, books_balance, reconcile, rows_of
from tests.support.market import Market


def test_a_whole_life_leaves_every_currency_balanced_to_the_cent(market: Market) -> None:
    dollars = a_completed_booking(market)
    provider = dollars.service.provider
    yen = a_paid_booking(market, provider, price=1500, currency="JPY")
    refund(market, yen, 700).ok()
    payout(market, provider).ok()
    arrive(market)
    told = reconcile(market)
    for code in ("USD", "JPY"):
        one = told["byCurrency"][code]
        assert one["entriesSum"] == 0
        assert one["ledgerStripeBalance"] - one["stripeBalance"] == one["difference"]
        assert one["difference"] == 0
    assert about(reconcile(market), dollars.id, yen.id, provider.uid) == []
    books_balance(market, dollars, yen)


def test_only_operators_and_the_scheduler_reconcile(market: Market) -> None:
    provider = market.a_provider()
    market.api.as_user(provider.uid).post("reporting", "RECONCILE").refused(403)


def test_events_that_were_lost_are_made_good(market: Market) -> None:
    booking = market.a_booking()
    market.control.webhooks("drop")
    market.pay(booking)
    market.control.webhooks("normal")
    assert market.booking(booking.id)["status"] == "PENDING"
    told = reconcile(market)
    assert told["repaired"]
    assert market.booking(booking.id)["status"] == "CONFIRMED"
    books_balance(market, booking)


def test_a_changed_amount_on_a_booking_is_found(market: Market) -> None:
    booking = a_completed_booking(market)
    document = market.db.collection("bookings").document(booking.id)
    document.update({"money.fee": Increment(1)})
    try:
        assert about(reconcile(market), booking.id) != []
    finally:
        document.update({"money.fee": Increment(-1)})
    books_balance(market, booking)


def test_a_running_total_that_is_off_is_found(market: Market) -> None:
    booking = a_completed_booking(market)
    provider = booking.service.provider
    document = market.db.collection("earnings").document(f"{provider.uid}_USD")
    document.update({"available": Increment(100)})
    try:
        assert about(reconcile(market), provider.uid) != []
    finally:
        document.update({"available": Increment(-100)})
    books_balance(market, booking)


def test_a_missing_ledger_transaction_is_found(market: Market) -> None:
    booking = a_paid_booking(market)
    [row] = [row for row in rows_of(market, "bookingId", booking.id) if row["kind"] == "charge"]
    document = market.db.collection("transactions").document(row["id"])
    kept = document.get().to_dict() or {}
    document.delete()
    try:
        told = reconcile(market)
        assert told["byCurrency"]["USD"]["difference"] != 0
        assert told["mismatches"] != []
    finally:
        document.set(kept)
    books_balance(market, booking)


def test_an_entry_that_does_not_balance_is_found(market: Market) -> None:
    booking = a_paid_booking(market)
    row = rows_of(market, "bookingId", booking.id)[0]
    document = market.db.collection("transactions").document(row["id"])
    kept = document.get().to_dict() or {}
    first, *others = kept["entries"]
    document.update({"entries": [{**first, "amount": first["amount"] + 1}, *others]})
    try:
        told = reconcile(market)
        assert told["byCurrency"]["USD"]["entriesSum"] != 0
        assert about(told, row["id"]) != []
    finally:
        document.set(kept)
    books_balance(market, booking)
