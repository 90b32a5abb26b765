"""The checker is worth what it catches: each planted corruption is found under its invariant."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.simulation import checker
from tests.simulation.evidence import Evidence, gather
from tests.simulation.town import Stack
from tests.support.market import Booking, Market
from tests.support.subscriptions import a_recurring_service, a_subscription

Doc = dict[str, Any]
Plant = Callable[[Evidence], None]


@pytest.fixture(scope="module")
def sound(town_stack: Stack) -> Evidence:
    """Bookings paid out, refunded after that, cancelled, disputed and unpaid: all in order."""
    market = Market(town_stack.api, town_stack.control, town_stack.stripe, town_stack.db)
    provider = market.a_provider()
    service = market.a_service(provider)
    paid_out = _paid(market, service, 2)
    market.complete(paid_out)
    _as(market, provider.uid, "payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid)
    town_stack.control.advance(3 * 86_400)
    _operator(market, "refund-processor", "PROCESS_REFUND", bookingId=paid_out.id, refundAmount=50)
    cancelled = _paid(market, service, 3)
    _as(market, cancelled.customer, "booking-processor", "CANCEL_BOOKING", bookingId=cancelled.id)
    contested = _paid(market, service, 25)
    _as(
        market,
        contested.customer,
        "refund-processor",
        "DISPUTE_REFUND",
        bookingId=contested.id,
        reason="too short",
    )
    disputed = _paid(market, service, 30)
    charge = market.stripe.v1.payment_intents.retrieve(disputed.payment_intent).latest_charge
    town_stack.control.dispute(str(charge))
    _paid(market, service, 60)
    market.a_booking(service, starts_in=timedelta(hours=70))
    a_subscription(market, a_recurring_service(market, provider=provider), paid=True)
    town_stack.control.idle()
    return gather(town_stack.db, town_stack.control.state())


def _paid(market: Market, service: Any, hours: int) -> Booking:
    booking = market.a_booking(service, starts_in=timedelta(hours=hours))
    market.pay(booking, "pm_card_bypassPending")
    return booking


def _as(market: Market, uid: str, processor: str, action: str, **fields: Any) -> None:
    market.api.as_user(uid).post(processor, action, **fields).ok()


def _operator(market: Market, processor: str, action: str, **fields: Any) -> None:
    market.api.as_operator().post(processor, action, **fields).ok()


def _findings(seen: Evidence, earlier: dict[str, str]) -> list[str]:
    return [*checker.always(seen, earlier), *checker.at_rest(seen)]


def test_books_in_order_have_no_findings(sound: Evidence) -> None:
    assert _findings(sound, checker.remembered(sound)) == []


def _first(docs: dict[str, Doc], **wanted: Any) -> tuple[str, Doc]:
    for id_, doc in docs.items():
        if all(doc.get(name) == value for name, value in wanted.items()):
            return id_, doc
    raise AssertionError(f"none with {wanted}")


def _booking(seen: Evidence, status: str) -> Doc:
    return _first(seen.all("bookings"), status=status)[1]


def _posting(seen: Evidence, kind: str) -> tuple[str, Doc]:
    return _first(seen.all("transactions"), kind=kind)


def _entry_up(seen: Evidence) -> None:
    _posting(seen, "charge")[1]["entries"][0]["amount"] += 1


def _entry_gone(seen: Evidence) -> None:
    _posting(seen, "refund")[1]["entries"].pop()


def _posting_gone(kind: str) -> Plant:
    def plant(seen: Evidence) -> None:
        del seen.all("transactions")[_posting(seen, kind)[0]]

    return plant


def _posting_twice(seen: Evidence) -> None:
    id_, doc = _posting(seen, "transfer")
    seen.all("transactions")[f"{id_}-again"] = copy.deepcopy(doc)


def _fraction(seen: Evidence) -> None:
    _booking(seen, "CONFIRMED")["money"]["captured"] = 20_000.0


def _money(status: str, name: str, by: int) -> Plant:
    def plant(seen: Evidence) -> None:
        _booking(seen, status)["money"][name] += by

    return plant


def _status(was: str, then: str) -> Plant:
    def plant(seen: Evidence) -> None:
        _booking(seen, was)["status"] = then

    return plant


def _illegal_step(seen: Evidence) -> None:
    steps = _booking(seen, "CANCELLED")["history"]
    steps.append({**steps[-1], "status": "CONFIRMED", "version": steps[-1]["version"] + 1})


def _refund_gone(seen: Evidence) -> None:
    docs = seen.all("refunds")
    del docs[next(iter(docs))]


def _claim_gone(seen: Evidence) -> None:
    for doc in seen.all("calendars").values():
        doc["claims"].clear()


def _double_booked(seen: Evidence) -> None:
    bookings = seen.all("bookings")
    id_, doc = _first(bookings, status="CONFIRMED")
    bookings[f"{id_}-again"] = copy.deepcopy(doc)


def _debt_forgiven(seen: Evidence) -> None:
    next(doc for doc in seen.all("earnings").values() if doc.get("debt"))["debt"] = 0


def _day_off(seen: Evidence) -> None:
    doc = next(iter(seen.all("dailyTotals").values()))
    sums = next(iter(doc["by"].values()))
    sums["gross"] = sums.get("gross", 0) + 1


def _year_gone(seen: Evidence) -> None:
    docs = seen.all("yearlyTotals")
    del docs[next(iter(docs))]


def _stripe(kind: str, name: str, value: Any) -> Plant:
    def plant(seen: Evidence) -> None:
        ours = [o for o in seen.objects(kind) if o.get("metadata")]
        (ours or seen.objects(kind))[-1][name] = value

    return plant


def _orphan_transfer(seen: Evidence) -> None:
    known = seen.objects("transfer")[0]
    seen.objects("transfer").append({**copy.deepcopy(known), "id": "tr_orphan"})


def _event_unheard(seen: Evidence) -> None:
    events = seen.all("webhookEvents")
    del events[_first(events, type="payment_intent.succeeded")[0]]


def _event_broken(seen: Evidence) -> None:
    next(iter(seen.all("webhookEvents").values()))["outcome"] = "failed"


def _operation_open(seen: Evidence) -> None:
    next(iter(seen.all("operations").values()))["state"] = "OPEN"


def _hold_lost(seen: Evidence) -> None:
    _booking(seen, "DISPUTED")["holds"] = {}


def _open_dispute(seen: Evidence) -> Doc:
    return _first(seen.all("disputes"), kind="REFUND")[1]


def _contest_unheld(seen: Evidence) -> None:
    seen.all("bookings")[_open_dispute(seen)["bookingId"]]["holds"] = {}


def _decided_and_held(seen: Evidence) -> None:
    _open_dispute(seen).update(status="REJECTED", decided={"amount": 0, "refundId": None})


def _decided_and_unpaid(seen: Evidence) -> None:
    _open_dispute(seen)["decided"] = {"amount": 100, "refundId": "refund-none"}


def _payout(name: str, value: Any) -> Plant:
    def plant(seen: Evidence) -> None:
        _first(seen.all("payouts"), status="PAID")[1][name] = value

    return plant


def _secret_kept(seen: Evidence) -> None:
    _booking(seen, "PENDING")["payment"]["kept"] = "pi_1_secret_" + "x1"


def _subscription(name: str, value: Any) -> Plant:
    def plant(seen: Evidence) -> None:
        next(iter(seen.all("subscriptions").values()))[name] = value

    return plant


def _row(**wanted: Any) -> Callable[[Evidence], Doc]:
    return lambda seen: _first(seen.all("auditLog"), **wanted)[1]


def _row_says(name: str, value: Any, **wanted: Any) -> Plant:
    def plant(seen: Evidence) -> None:
        _row(**wanted)(seen)[name] = value

    return plant


def _subscribed_twice(seen: Evidence) -> None:
    known = next(iter(seen.all("subscriptions").values()))
    seen.all("subscriptions")["sub_twin"] = copy.deepcopy(known)


def _period_gone(seen: Evidence) -> None:
    bookings = seen.all("bookings")
    del bookings[_first(bookings, mode="SUBSCRIPTION")[0]]


def _period_unearned(seen: Evidence) -> None:
    _first(seen.all("bookings"), mode="SUBSCRIPTION")[1]["earnedAt"] = None


def _row_gone(seen: Evidence) -> None:
    rows = seen.all("auditLog")
    del rows[_first(rows, action="CANCEL_BOOKING")[0]]


def _row_twice(seen: Evidence) -> None:
    rows = seen.all("auditLog")
    rows["audit-again"] = copy.deepcopy(_first(rows, action="COMPLETE_BOOKING")[1])


def _by_another(seen: Evidence) -> None:
    _booking(seen, "CANCELLED")["history"][-1]["by"] = "somebody-else"


def _when(name: str, value: Any) -> Plant:
    """Every row says that this stood."""

    def plant(seen: Evidence) -> None:
        for row in seen.all("auditLog").values():
            for state in row["states"].values():
                if name in state:
                    state[name] = value

    return plant


def _other_booking(seen: Evidence) -> None:
    _posting(seen, "transfer")[1]["bookingId"] = _first(seen.all("bookings"), status="PENDING")[0]


def _earning_of_nothing(seen: Evidence) -> None:
    earning = _posting(seen, "earning")[1]
    seen.all("transactions")["earning_b"] = {**copy.deepcopy(earning), "stripeId": "b"}


def _movement(seen: Evidence) -> None:
    of_ours = [o for o in seen.objects("balance_transaction") if o["account"] == seen.platform]
    seen.objects("balance_transaction").append({**of_ours[0], "id": "txn_more", "source": "ch_x"})


PLANTED: dict[str, tuple[str, Plant]] = {
    "a subscription in another status": ("I8", _subscription("status", "PAST_DUE")),
    "a subscription of another rate": ("I4", _subscription("money", {"rateBps": 900})),
    "a customer subscribed twice": ("I8", _subscribed_twice),
    "an invoice paid for no period": ("I13", _period_gone),
    "a paid period not earned": ("I13", _period_unearned),
    "an entry a cent up": ("I1", _entry_up),
    "an entry gone": ("I1", _entry_gone),
    "a charge's posting gone": ("I14", _posting_gone("charge")),
    "a transfer's posting gone": ("I9", _posting_gone("transfer")),
    "a payout's posting gone": ("I9", _posting_gone("payout")),
    "Stripe's fee not booked": ("I9", _posting_gone("stripe_fee")),
    "a posting doubled": ("I2", _posting_twice),
    "a fraction of a cent": ("I3", _fraction),
    "an amount below nothing": ("I3", _money("COMPLETED", "due", -99_999)),
    "another fee than the rate's": ("I4", _money("CONFIRMED", "fee", 1)),
    "another price than agreed": ("I4", _money("CONFIRMED", "total", 100)),
    "more refunded than the refunds": ("I5", _money("CANCELLED", "refunded", 1)),
    "another part of the fee given back": ("I5", _money("CANCELLED", "feeRefunded", -1)),
    "a refund gone": ("I5", _refund_gone),
    "more due than the rate gives": ("I6", _money("COMPLETED", "due", 1)),
    "a transfer not known of": ("I8", _orphan_transfer),
    "a payment not known of": ("I13", _money("CONFIRMED", "captured", -1)),
    "a status without its step": ("I12", _status("CONFIRMED", "COMPLETED")),
    "a step that does not exist": ("I12", _illegal_step),
    "claims gone": ("I11", _claim_gone),
    "a place sold twice": ("I11", _double_booked),
    "a debt forgotten": ("I16", _debt_forgiven),
    "a day's total a cent up": ("I16", _day_off),
    "a provider's year gone": ("I16", _year_gone),
    "a refund that failed at Stripe": ("I5", _stripe("refund", "status", "failed")),
    "an intent over another amount": ("I3", _stripe("payment_intent", "amount", 1)),
    "an event never heard of": ("I10", _event_unheard),
    "an event left broken": ("I10", _event_broken),
    "an operation left open": ("I15", _operation_open),
    "a disputed booking not held": ("I17", _hold_lost),
    "an open refund dispute without its hold": ("I7", _contest_unheld),
    "a hold after the decision": ("I7", _decided_and_held),
    "a decision that nobody paid": ("I5", _decided_and_unpaid),
    "a payout of another amount": ("I21", _payout("amount", 1)),
    "a payout that did not arrive": ("I21", _payout("status", "PROCESSING")),
    "a payout under another id": ("I8", _payout("stripePayoutId", "po_other")),
    "an act of a stranger's": ("I19", _row_says("actor", "somebody-else", action="CANCEL_BOOKING")),
    "a customer who completes": ("I19", _row_says("role", "customer", action="COMPLETE_BOOKING")),
    "an event that is none": ("I19", _row_says("eventId", None, action="payment_intent.succeeded")),
    "a change that nobody made": ("I19", _row_gone),
    "a change made twice": ("I19", _row_twice),
    "a step in another's name": ("I19", _by_another),
    "a document that no row tells of": (
        "I19",
        _row_says("created", [], action="PROCESS_REFUND", role="operator", step=1),
    ),
    "an audit row rewritten": ("I19", _row_says("reason", "never", action="CANCEL_BOOKING")),
    "a transfer before the service": (
        "I7",
        lambda seen: seen.objects("transfer")[0].update(created=1),
    ),
    "a transfer of earnings that are not free": ("I7", _when("eligibleAt", None)),
    "a transfer under a hold": ("I7", _when("holds", ["review"])),
    "a transfer to a closed account": ("I7", _when("stripePayoutsEnabled", False)),
    "a transfer of another's charge": (
        "I7",
        lambda seen: seen.objects("transfer")[0].update(
            source_transaction=seen.objects("charge")[-1]["id"]
        ),
    ),
    "a transfer put to another booking": ("I22", _other_booking),
    "a movement that is in no ledger": ("I22", _movement),
    "a fee that is in no ledger": ("I22", _posting_gone("stripe_fee")),
    "an earning of nothing": ("I22", _earning_of_nothing),
    "a posting of what Stripe never moved": ("I22", _posting_twice),
    "a secret in a document": ("I20", _secret_kept),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_corruption_is_found_under_its_invariant(sound: Evidence, name: str) -> None:
    invariant, plant = PLANTED[name]
    earlier, spoiled = checker.remembered(sound), copy.deepcopy(sound)
    plant(spoiled)
    found = _findings(spoiled, earlier)
    assert any(one.startswith(f"{invariant} ") for one in found), found
