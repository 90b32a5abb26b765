"""One event, one effect: however often, in whatever order and from whomever it comes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from common.webhooks.events import CONNECT_EVENTS, PLATFORM_EVENTS
from emulator.stack.handle import RunningStack
from tests.functions.acts import together
from tests.functions.deliveries import Endpoint, an_event, events_of, remembered
from tests.support.api import Api
from tests.support.market import Booking, Market, fresh
from tests.support.stripe_control import StripeControl

TIMES = 20


@pytest.fixture
def endpoint(stack: RunningStack, api: Api) -> Endpoint:
    return Endpoint.of(stack, api)


def facts(market: Market, booking: Booking) -> dict[str, Any]:
    """All that a second effect would change: the stored booking with its version, the ledger,
    and the provider's running totals."""
    stored = market.db.collection("bookings").document(booking.id).get().to_dict()
    totals = market.db.collection("earnings").document(f"{booking.service.provider.uid}_USD")
    return {
        "booking": stored,
        "ledger": market.ledger(booking.id),
        "totals": totals.get().to_dict(),
    }


def paid_but_untold(market: Market, control: StripeControl) -> tuple[Booking, dict[str, Any]]:
    """A booking that was paid, its webhooks kept back; and the event of its success."""
    booking = market.a_booking()
    control.webhooks("hold")
    market.pay(booking)
    [event] = events_of(market, "payment_intent.succeeded", booking.payment_intent)
    return booking, event


def test_twenty_deliveries_at_once_and_twenty_in_sequence_have_one_effect(
    market: Market, control: StripeControl, endpoint: Endpoint
) -> None:
    booking, event = paid_but_untold(market, control)
    answers = together(*[lambda: endpoint.deliver(event)] * TIMES)
    outcomes = Counter(answer.ok()["outcome"] for answer in answers)
    assert outcomes == {"processed": 1, "duplicate": TIMES - 1}
    once = facts(market, booking)
    assert once["booking"]["status"] == "CONFIRMED"
    assert [row["kind"] for row in once["ledger"]].count("charge") == 1
    for _ in range(TIMES):
        assert endpoint.deliver(event).ok()["outcome"] == "duplicate"
    assert facts(market, booking) == once


def test_every_event_of_a_payment_delivered_twice_leaves_what_once_leaves(
    market: Market, control: StripeControl
) -> None:
    control.webhooks("duplicate")
    booking = market.a_booking(paid=True)
    shown = facts(market, booking)
    assert shown["booking"]["status"] == "CONFIRMED"
    assert sorted(row["kind"] for row in shown["ledger"]) == ["charge", "stripe_fee"]
    assert shown["totals"]["held"] == 184_00


def test_two_events_about_one_success_confirm_once(
    market: Market, control: StripeControl, endpoint: Endpoint
) -> None:
    booking, event = paid_but_untold(market, control)
    twin = {**event, "id": fresh("evt").replace("-", "_")}
    answers = together(lambda: endpoint.deliver(event), lambda: endpoint.deliver(twin))
    assert [answer.ok()["received"] for answer in answers] == [True, True]
    shown = facts(market, booking)
    assert [row["kind"] for row in shown["ledger"]].count("charge") == 1
    assert [step["status"] for step in shown["booking"]["history"]] == ["PENDING", "CONFIRMED"]


def test_an_event_that_met_a_broken_stripe_is_not_taken_for_handled(
    market: Market, control: StripeControl, endpoint: Endpoint
) -> None:
    provider = market.a_provider()
    thing = {"id": provider.account_id, "object": "account"}
    event = an_event("account.updated", thing, account=provider.account_id)
    control.fault("GET", f"/v1/accounts/{provider.account_id}", "error_before", times=9)
    answer = endpoint.deliver(event)
    control.clear_faults()
    answer.refused(503)
    assert remembered(market, event["id"]) is None
    assert endpoint.deliver(event).ok()["outcome"] == "processed"


def test_a_success_over_another_amount_or_currency_confirms_nothing(
    market: Market, control: StripeControl, endpoint: Endpoint
) -> None:
    booking, event = paid_but_untold(market, control)
    for change in ({"amount_received": 199_99}, {"amount_received": 1}, {"currency": "jpy"}):
        thing = {**event["data"]["object"], **change}
        forged = an_event("payment_intent.succeeded", thing)
        assert endpoint.deliver(forged).ok()["outcome"] == "ignored"
    shown = facts(market, booking)
    assert (shown["booking"]["status"], shown["ledger"]) == ("PENDING", [])


def test_a_connected_account_cannot_pay_for_a_booking_of_the_platform(
    market: Market, control: StripeControl, endpoint: Endpoint
) -> None:
    booking, event = paid_but_untold(market, control)
    provider = booking.service.provider
    forged = an_event(
        "payment_intent.succeeded", event["data"]["object"], account=provider.account_id
    )
    assert endpoint.deliver(forged).ok()["outcome"] == "ignored"
    shown = facts(market, booking)
    assert (shown["booking"]["status"], shown["ledger"]) == ("PENDING", [])


def test_an_account_speaks_for_itself_only(market: Market, endpoint: Endpoint) -> None:
    honest, other = market.a_provider(), market.a_provider()
    before = market.db.collection("userProfiles").document(honest.uid).get().to_dict()
    thing = {
        "id": honest.account_id,
        "object": "account",
        "charges_enabled": False,
        "payouts_enabled": False,
        "details_submitted": True,
        "requirements": {"disabled_reason": "rejected.fraud"},
        "metadata": {"providerId": honest.uid},
    }
    forged = an_event("account.updated", thing, account=other.account_id)
    endpoint.deliver(forged).ok()
    assert market.db.collection("userProfiles").document(honest.uid).get().to_dict() == before
    gone = an_event(
        "account.application.deauthorized",
        {"id": "ca_1", "object": "application"},
        account=other.account_id,
    )
    endpoint.deliver(gone).ok()
    assert market.db.collection("userProfiles").document(honest.uid).get().to_dict() == before


@pytest.mark.parametrize("type", ["person.created", "charge.captured", "v1.charge.succeeded", "x"])
def test_an_event_of_no_interest_is_ignored_with_a_200_and_remembered_as_such(
    market: Market, endpoint: Endpoint, type: str
) -> None:
    event = an_event(type, {"id": "obj_1"})
    assert endpoint.deliver(event).ok()["outcome"] == "ignored"
    assert endpoint.deliver(event).ok()["outcome"] == "duplicate"
    kept = remembered(market, event["id"])
    assert kept is not None
    assert kept["outcome"] == "ignored"


#: What Stripe's object of each event holds at the very least, about nothing that is ours.
STRANGERS: dict[str, dict[str, Any]] = {
    "payment_intent": {"id": "pi_x", "status": "processing", "metadata": {}},
    "setup_intent": {"id": "seti_x", "status": "succeeded", "metadata": {}},
    "charge": {"id": "ch_x", "status": "succeeded", "payment_intent": "pi_x", "metadata": {}},
    "dispute": {"id": "dp_x", "charge": "ch_x", "payment_intent": "pi_x", "metadata": {}},
    "refund": {"id": "re_x", "payment_intent": "pi_x", "status": "succeeded", "amount": 1},
    "radar": {"id": "issfr_x", "charge": "ch_x", "payment_intent": "pi_x"},
    "review": {"id": "prv_x", "charge": "ch_x", "payment_intent": "pi_x", "reason": "approved"},
    "account": {"id": "acct_x", "object": "account"},
    "capability": {"id": "transfers", "account": "acct_x"},
    "payout": {"id": "po_x", "amount": 1, "currency": "usd", "status": "paid", "metadata": {}},
    "balance": {"object": "balance", "available": []},
}
#: Transfers, payouts and invoices of the platform are ours whoever made them, and the ledger
#: follows them: they are tested with real ones.
NEVER_STRANGE = ("transfer", "payout", "invoice", "customer")


def a_strangers(type: str) -> dict[str, Any]:
    family = "dispute" if type.startswith("charge.dispute.") else type.partition(".")[0]
    thing = {**STRANGERS[family]}
    if "id" in thing:
        thing["id"] = fresh(thing["id"].partition("_")[0]).replace("-", "_")
    return thing


@pytest.mark.parametrize(
    "type", [type for type in PLATFORM_EVENTS if type.partition(".")[0] not in NEVER_STRANGE]
)
def test_an_event_about_something_that_is_not_ours_is_a_200_and_happens_once(
    endpoint: Endpoint, type: str
) -> None:
    event = an_event(type, a_strangers(type))
    assert endpoint.deliver(event).ok()["outcome"] in ("ignored", "processed")
    assert endpoint.deliver(event).ok()["outcome"] == "duplicate"


@pytest.mark.parametrize("type", CONNECT_EVENTS)
def test_an_event_of_an_account_that_is_not_ours_is_a_200_and_is_ignored(
    endpoint: Endpoint, type: str
) -> None:
    event = an_event(type, a_strangers(type), account=f"acct_{fresh('x').replace('-', '')}")
    assert endpoint.deliver(event).ok()["outcome"] == "ignored"
    assert endpoint.deliver(event).ok()["outcome"] == "duplicate"


def test_a_payout_event_about_somebody_elses_payout_changes_nothing(
    market: Market, endpoint: Endpoint
) -> None:
    """Metadata may say anything: the account of the event decides."""
    other = market.a_provider()
    thing = {
        "id": "po_forged",
        "amount": 1,
        "currency": "usd",
        "status": "paid",
        "metadata": {"payoutId": fresh("payout")},
    }
    event = an_event("payout.paid", thing, account=other.account_id)
    assert endpoint.deliver(event).ok()["outcome"] == "ignored"
