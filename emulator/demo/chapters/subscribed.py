"""A customer subscribes by the month: each paid invoice earns the provider 92 % at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from emulator.demo.marketplace import DAY, HOUR, Booking, Marketplace
from emulator.demo.screen import Screen

MONTH = 31 * DAY


def play(market: Marketplace, screen: Screen) -> None:
    """CREATE_SUBSCRIPTION, invoice.paid, a renewal, CANCEL_SUBSCRIPTION."""
    ada, hugo = market.functions.sign_in("ada"), market.functions.sign_in("hugo")
    market.offers(ada, "choir", title="Choir", category="music", price=40, billingInterval="MONTH")
    made = hugo.post(
        "stripe-connect",
        "CREATE_SUBSCRIPTION",
        serviceId="choir",
        customerEmail="hugo@example.com",
    )
    screen.tell("Hugo joins Ada's choir for 40.00 a month", made["subscriptionId"])
    screen.expect("until he has paid it is", made["status"], "INCOMPLETE")
    before = market.earnings(ada)["totalEarnings"]
    _confirm(market, str(made["clientSecret"]))
    shown = _shown(market, made["subscriptionId"])
    screen.expect("he pays, and it is", shown["subscription"]["status"], "ACTIVE")
    earned = market.earnings(ada)["totalEarnings"] - before
    screen.expect("Ada has earned 92 % of the month", earned, Decimal("36.80"))
    market.outside.waits(MONTH)
    market.outside.waits(HOUR + timedelta(minutes=1))
    renewed = _shown(market, made["subscriptionId"])
    screen.tell("a month passes", renewed["subscription"]["lastInvoice"]["invoiceId"])
    screen.expect("Stripe has taken the next one; paid months", len(renewed["periods"]), 2)
    for number, period in enumerate(reversed(renewed["periods"]), start=1):
        name = f"Hugo, {number}"
        market.bookings[name] = _as_booking(market, period, name)
    ends = hugo.post("stripe-connect", "CANCEL_SUBSCRIPTION", subscriptionId=made["subscriptionId"])
    until = renewed["subscription"]["currentPeriod"]["end"]
    screen.expect("he cancels, and sings until the month's end", ends["endsAt"], until)


def _confirm(market: Marketplace, secret: str) -> None:
    """The customer's browser confirms the first invoice's payment."""
    params: Any = {"client_secret": secret, "payment_method": "pm_card_visa"}
    market.browser.v1.payment_intents.confirm(secret.partition("_secret_")[0], params)
    market.outside.post_arrives()


def _shown(market: Marketplace, subscription_id: str) -> dict[str, Any]:
    return market.operator.post(
        "stripe-connect", "GET_SUBSCRIPTION", subscriptionId=subscription_id
    )


def _as_booking(market: Marketplace, period: dict[str, Any], name: str) -> Booking:
    """A paid month among the other bookings, for the books."""
    intent = str(period["payment"]["paymentIntentId"])
    customer = market.functions.sign_in("hugo")
    return Booking(period["id"], customer, name, "a month of choir", market.outside.now(), intent)
