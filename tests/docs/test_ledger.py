"""docs/ledger.md against the ledger: each flow is played, each figure compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from emulator.stack.up import ROOT
from tests.support.market import Booking, Market
from tests.support.subscriptions import a_recurring_service, a_subscription

DOCUMENT = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
FLOWS: dict[str, str] = dict(
    re.findall(
        r"^## ([^\n]+)\n(?:(?!^## ).)*?^```ledger\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE
    )
)
Line = tuple[str, frozenset[tuple[str, int]]]
PAID = {"charge", "stripe_fee"}
SOON = timedelta(hours=1)


def written(block: str) -> list[Line]:
    """A block of the document: (kind, {(account, minor units)}) a line."""
    lines = []
    for words in map(str.split, block.splitlines()):
        pairs = zip(words[1::2], words[2::2], strict=True)
        lines.append(
            (words[0], frozenset((name, int(Decimal(text) * 100)) for name, text in pairs))
        )
    return lines


def booked(market: Market, booking: Booking, without: set[str]) -> list[Line]:
    """What the ledger says of the booking's provider, who is `ada` in the document."""
    uid = booking.service.provider.uid
    of_provider = FieldFilter("providerId", "==", uid)
    found = market.db.collection("transactions").where(filter=of_provider).stream()
    rows = sorted((one.to_dict() or {} for one in found), key=lambda row: row["createdAt"])
    return [
        (
            row["kind"],
            frozenset((e["account"].replace(uid, "ada"), e["amount"]) for e in row["entries"]),
        )
        for row in rows
        if row["kind"] not in without
    ]


def refunds(market: Market, booking: Booking, amount: int, **more: Any) -> None:
    market.api.as_operator().post(
        "refund-processor", "PROCESS_REFUND", bookingId=booking.id, refundAmount=amount, **more
    ).ok()


def transfers(market: Market, booking: Booking) -> None:
    """Ask for the payout: the charge's funds are pending still, so only the transfer is made."""
    uid = booking.service.provider.uid
    market.api.as_user(uid).post("payout-manager", "SCHEDULE_PAYOUT", providerId=uid).ok()
    market.control.idle()


def pays_out(market: Market, booking: Booking) -> None:
    transfers(market, booking)
    market.control.advance(3 * 86400)


def only_paid(market: Market, booking: Booking) -> set[str]:
    return set()


def completed(market: Market, booking: Booking) -> set[str]:
    market.complete(booking)
    return PAID


def paid_out(market: Market, booking: Booking) -> set[str]:
    market.complete(booking)
    pays_out(market, booking)
    return PAID | {"earning"}


def refunded_then_completed(market: Market, booking: Booking) -> set[str]:
    refunds(market, booking, 50)
    market.complete(booking)
    return PAID


def cancelled_with_half_back(market: Market, booking: Booking) -> set[str]:
    answer = market.api.as_user(booking.customer).post(
        "booking-processor", "CANCEL_BOOKING", bookingId=booking.id
    )
    answer.ok()  # FLEXIBLE, an hour before the start: 50 %
    return PAID


def given_back_by_decision(market: Market, booking: Booking) -> set[str]:
    caller = market.api.as_user(booking.customer)
    caller.post("booking-processor", "CANCEL_BOOKING", bookingId=booking.id).ok()
    opened = caller.post(
        "refund-processor",
        "DISPUTE_REFUND",
        bookingId=booking.id,
        reason="nobody came",
        requestedAmount=50,
    ).ok()
    market.api.as_operator().post(
        "refund-processor",
        "RESOLVE_REFUND_DISPUTE",
        disputeId=opened["disputeId"],
        decision="UPHELD",
        note="nobody came",
    ).ok()
    return PAID


def compensated(market: Market, booking: Booking) -> set[str]:
    refunds(market, booking, 150, providerCompensation=50)
    return PAID


def refunded_after_completion(market: Market, booking: Booking) -> set[str]:
    market.complete(booking)
    refunds(market, booking, 50)
    return PAID | {"earning"}


def refunded_after_the_transfer(market: Market, booking: Booking) -> set[str]:
    market.complete(booking)
    transfers(market, booking)
    refunds(market, booking, 50)
    return PAID | {"earning", "transfer"}


def refunded_after_the_payout(market: Market, booking: Booking) -> set[str]:
    paid_out(market, booking)
    refunds(market, booking, 50)
    return PAID | {"earning", "transfer", "payout"}


def debt_recovered(market: Market, booking: Booking) -> set[str]:
    refunded_after_the_payout(market, booking)
    market.complete(market.a_booking(booking.service, paid=True, starts_in=SOON))
    pays_out(market, booking)
    return PAID | {"earning", "refund", "debt"}


def compensated_after_completion(market: Market, booking: Booking) -> set[str]:
    market.complete(booking)
    refunds(market, booking, 0, providerCompensation=100)
    return PAID | {"earning"}


def refund_fails(market: Market, booking: Booking) -> set[str]:
    refunds(market, booking, 50)
    return PAID


def refund_of_everything_fails(market: Market, booking: Booking) -> set[str]:
    market.complete(booking)
    market.control.webhooks("hold")  # it fails after it was taken
    refunds(market, booking, 200)
    told_late(market)
    return PAID | {"earning"}


def debt_cancelled(market: Market, booking: Booking) -> set[str]:
    paid_out(market, booking)
    market.control.webhooks("hold")
    refunds(market, booking, 50)
    told_late(market)
    return PAID | {"earning", "transfer", "payout"}


def told_late(market: Market) -> None:
    market.control.webhooks("normal")
    market.control.release_webhooks()
    market.control.idle()


def dispute(market: Market, booking: Booking, outcome: str) -> None:
    charge = market.booking(booking.id)["payment"]["chargeId"]
    market.control.dispute(charge)
    market.control.idle()
    market.control.dispute(charge, outcome=outcome)
    market.control.idle()


def won(market: Market, booking: Booking) -> set[str]:
    dispute(market, booking, "won")
    return PAID


def lost(market: Market, booking: Booking) -> set[str]:
    dispute(market, booking, "lost")
    return PAID


def lost_after_completion(market: Market, booking: Booking) -> set[str]:
    market.complete(booking)
    dispute(market, booking, "lost")
    return PAID | {"earning"}


def subscribed(market: Market, booking: Booking) -> set[str]:
    service = a_recurring_service(market, provider=booking.service.provider)
    a_subscription(market, service, paid=True)
    return set()


def refunded_in_part(market: Market, booking: Booking) -> set[str]:
    refunds(market, booking, 50)
    return PAID


PLAYED: dict[str, Callable[[Market, Booking], set[str]]] = {
    "Paid": only_paid,
    "Completed": completed,
    "Paid out": paid_out,
    "Refunded in part, then completed": refunded_then_completed,
    "Cancelled with half back": cancelled_with_half_back,
    "Refunded with a compensation": compensated,
    "Refunded after completion": refunded_after_completion,
    "Given back by an operator's decision": given_back_by_decision,
    "Refunded after the transfer": refunded_after_the_transfer,
    "Refunded after the payout": refunded_after_the_payout,
    "A debt recovered": debt_recovered,
    "A compensation after completion": compensated_after_completion,
    "A refund that fails": refund_fails,
    "A refund of everything that fails": refund_of_everything_fails,
    "A debt cancelled": debt_cancelled,
    "A dispute, won": won,
    "A dispute, lost before completion": lost,
    "A dispute, lost after completion": lost_after_completion,
    "A subscription's period": subscribed,
    "Settled in another currency": only_paid,
    "Refunded in another currency": refunded_in_part,
    "Disputed and won in another currency": won,
}
#: Flows of a booking in euros while Stripe settles in dollars.
ELSEWHERE = {title for title in PLAYED if title.endswith("another currency")}
#: The card that pays where the usual one would not do.
CARDS = {
    "A refund that fails": "pm_card_refundFail",
    "A refund of everything that fails": "pm_card_refundFail",
    "A debt cancelled": "pm_card_refundFail",
}


SETTLED = "Settled in another currency"


def settles(market: Market, in_dollars: bool) -> None:
    """Whether Stripe settles every charge in dollars, or each in its own currency."""
    currencies = ["usd"] if in_dollars else []
    market.control.call("POST", "settlement", {"currencies": currencies})


def test_every_flow_of_the_document_is_played() -> None:
    assert list(FLOWS) == list(PLAYED)


@pytest.mark.parametrize("title", FLOWS)
def test_each_transaction_in_the_document_sums_to_zero(title: str) -> None:
    for kind, entries in written(FLOWS[title]):
        assert sum(amount for _, amount in entries) == 0, kind


@pytest.mark.parametrize("title", PLAYED)
def test_the_ledger_says_what_the_document_says(market: Market, title: str) -> None:
    settles(market, title in ELSEWHERE)
    code = "EUR" if title in ELSEWHERE else "USD"
    booking = market.a_booking(market.a_service(market.a_provider(), currency=code), starts_in=SOON)
    market.pay(booking, CARDS.get(title, "pm_card_visa"))
    flow = PLAYED[title]
    left_out = flow(market, booking)
    market.control.idle()
    settles(market, False)
    expected = written(FLOWS[title])
    if title in ELSEWHERE and flow is not only_paid:  # the charge's exchange is told above
        expected += [one for one in written(FLOWS[SETTLED]) if one[0] not in PAID]
    if flow is debt_recovered:  # the first booking's transfer and payout are told above
        expected += written(FLOWS["Paid out"])
    if flow is subscribed:  # the booking itself
        expected += written(FLOWS["Paid"])
    assert sorted(booked(market, booking, left_out), key=str) == sorted(expected, key=str)


def test_every_account_of_the_ledger_is_explained() -> None:
    source = (ROOT / "common" / "ledger" / "accounts.py").read_text(encoding="utf-8")
    named = re.findall(r"^\| ``([^`]+)`` \|", source, re.MULTILINE)
    assert named
    for account in named:
        assert f"| `{account}` |" in DOCUMENT
