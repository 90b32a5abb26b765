"""A provider gets a Stripe account, fills in Stripe's page, and may then take payments."""

from __future__ import annotations

from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """CREATE_ACCOUNT, the hosted page, account.updated."""
    ada = market.signs_up("Ada")
    market.offers(
        ada,
        "piano",
        title="Piano lesson",
        category="music",
        price=200,
        cancellationPolicy="MODERATE",
    )
    screen.tell("Ada signs up and offers piano lessons at 200.00")
    answer = ada.refusal("payout-manager", "SCHEDULE_PAYOUT", providerId=ada.uid, amount=10)
    screen.expect(
        "without an account she cannot be paid",
        answer.get("error"),
        "Provider payment processing not set up",
    )
    account = market.opens_account(ada)
    screen.tell("she is given an account at Stripe", account["accountId"])
    screen.expect(
        "its onboarding page answers", market.outside.visits(account["onboardingUrl"]), 200
    )
    market.outside.finishes_onboarding(account["accountId"])
    screen.tell("she fills it in; account.updated arrives")
    status = ada.post("stripe-connect", "CHECK_ACCOUNT_STATUS", providerId=ada.uid)
    screen.expect("her account is", status["status"], "ACTIVE")
    profile = market.firestore.collection("userProfiles").document(ada.uid).get().to_dict() or {}
    screen.expect("and her profile says so, too", profile.get("stripeAccountStatus"), "ACTIVE")
