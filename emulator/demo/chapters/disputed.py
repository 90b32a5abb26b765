"""Two cardholders go to their banks. One claim fails; the other takes back what was paid out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from emulator.demo.functions import Caller
from emulator.demo.marketplace import DAY, Marketplace
from emulator.demo.screen import Screen


def play(market: Marketplace, screen: Screen) -> None:
    """charge.dispute.created and .closed, won and lost; the debt and how it is paid."""
    ada = market.functions.sign_in("ada")
    _won(market, screen, ada)
    _lost(market, screen, ada)
    _owing(market, screen, ada)


def _won(market: Marketplace, screen: Screen, ada: Caller) -> None:
    booking = market.bookings["Dara"]
    charge = market.charge(booking)
    dispute = market.outside.disputes(charge, "unrecognized")
    screen.tell("Dara does not recognise her payment", dispute)
    screen.expect("nothing of it can be paid out; it is", market.status(booking), "DISPUTED")
    shown = ada.post("refund-processor", "GET_DISPUTE", disputeId=dispute)["dispute"]
    screen.tell("Ada may answer the bank until", shown["evidenceDueBy"])
    screen.tell("drafted for her are", ", ".join(sorted(shown["draft"])))
    staged = _answers(ada, dispute, "She had booked with me before")
    screen.expect("she adds a word, which may still be changed", staged["submitted"], False)
    sent = _answers(ada, dispute, "winning_evidence", submit=True)  # Stripe's test bank likes this
    screen.expect("and submits, which is final; it is", sent["status"], "under_review")
    market.outside.post_arrives()
    screen.expect("the bank finds it was hers; it is again", market.status(booking), "CONFIRMED")


def _answers(ada: Caller, dispute: str, text: str, *, submit: bool = False) -> dict[str, Any]:
    return ada.post(
        "refund-processor",
        "SUBMIT_DISPUTE_EVIDENCE",
        disputeId=dispute,
        evidence={"uncategorizedText": text},
        submit=submit,
    )


def _lost(market: Marketplace, screen: Screen, ada: Caller) -> None:
    booking = market.bookings["Ben"]
    charge = market.charge(booking)
    dispute = market.outside.disputes(charge, "fraudulent")
    screen.tell("Ben's card was stolen, says its owner", dispute)
    market.outside.bank_decides(charge, "lost")
    screen.expect("the bank agrees; his booking is", market.status(booking), "REFUNDED")
    known = market.earnings(ada)
    screen.expect("Ada was paid for it and owes that", known["debt"], Decimal("184.00"))
    screen.expect("so the 92.00 wait", known["totalEarnings"], Decimal("0.00"))


def _owing(market: Marketplace, screen: Screen, ada: Caller) -> None:
    """A month later her next lessons pay the debt."""
    market.outside.waits_until(market.bookings["Dara"].end)
    run = market.operator.post("booking-processor", "RUN_MAINTENANCE")
    screen.expect("a month later lessons complete by themselves", run["completed"], 2)
    payout = ada.post("payout-manager", "SCHEDULE_PAYOUT", providerId=ada.uid)
    screen.tell("Ada asks for what she has earned since", str(payout["stripePayoutId"]))
    screen.expect("92 + 138 + 184, less her debt of", payout["debtRecovered"], Decimal("184.00"))
    screen.expect("is what goes to her bank", payout["amount"], Decimal("230.00"))
    market.outside.waits(3 * DAY)
    known = market.earnings(ada)
    screen.expect("nothing is owed any more", known["debt"], Decimal("0.00"))
