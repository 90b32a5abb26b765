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
    assert about(told, dollars.id, yen.id, provider.uid) == []
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


def test_each_planted_corruption_is_named(market: Market) -> None:
    booking, unbalanced, lost = (a_completed_booking(market) for _ in range(3))
    provider = booking.service.provider
    row = rows_of(market, "bookingId", unbalanced.id)[0]
    gone = next(one for one in rows_of(market, "bookingId", lost.id) if one["kind"] == "charge")
    changes = {
        f"bookings/{booking.id}": {"money.fee": Increment(1)},
        f"earnings/{provider.uid}_USD": {"available": Increment(100)},
        f"transactions/{row['id']}": {"entries": [{**row["entries"][0], "amount": 1}]},
    }
    paths = [*changes, f"transactions/{gone['id']}"]
    before = {path: market.db.document(path).get().to_dict() or {} for path in paths}
    for path, change in changes.items():
        market.db.document(path).update(change)
    market.db.document(paths[-1]).delete()
    try:
        told = reconcile(market)
        assert told["byCurrency"]["USD"]["difference"] != 0
        assert told["byCurrency"]["USD"]["entriesSum"] != 0
        for planted in (booking.id, provider.uid, row["id"], lost.id):
            assert about(told, planted) != [], planted
    finally:
        for path, kept in before.items():
            market.db.document(path).set(kept)
    books_balance(market, booking, unbalanced, lost)
