"""What people do, each act chosen by the seed's random numbers and carried out over HTTP.

An act is planned first (who, what, how much: random numbers only, in a fixed order) and run later,
perhaps beside others, so that a seed plans the same acts each time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import requests
from stripe import StripeError

from tests.simulation.inside import drawn
from tests.simulation.town import BAD_BANK, GOOD_BANK, Stay, Town
from tests.simulation.trouble import Trouble
from tests.simulation.wire import Request, Wire

Act = Callable[[], Any]
CARDS = (
    "pm_card_bypassPending", "pm_card_visa", "pm_card_mastercard", "pm_card_chargeDeclined",
    "pm_card_authenticationRequired", "pm_card_createDispute", "pm_card_createIssuerFraudRecord",
    "pm_card_riskLevelElevated", "pm_card_refundFail", "pm_card_pendingRefund",
)  # fmt: skip
_CARD_WEIGHTS = (14, 3, 2, 2, 3, 1, 1, 1, 2, 2)
_PATIENCE_SECONDS = 12 * 3600
_PAUSE_REQUESTS = 4
_AHEAD_HOURS = (1, 1, 1, 1, 2, 2, 3, 3, 6, 30, 60, 130, 200, 400)
_PARTIES = ("customer", "provider", "operator")


class Acts:
    """Plans acts in one town."""

    def __init__(self, town: Town, wire: Wire, trouble: Trouble) -> None:
        self.town, self.wire, self.trouble = town, wire, trouble
        self.random = town.random
        self._count = 0
        self._paused_at: int | None = None

    def plan(self) -> tuple[str, Act] | None:
        """One act, or None where nothing fits what was drawn."""
        if self._paused_at is not None and self._count > self._paused_at + _PAUSE_REQUESTS:
            return "pause", self._pause()
        names = list(_WEIGHTS)
        name = self.random.choices(names, [_WEIGHTS[one] for one in names])[0]
        planned: Act | None = getattr(self, f"_{name}")()
        return None if planned is None else (name, planned)

    # -- help ---------------------------------------------------------------------------------

    def _request(
        self, caller: str, processor: str, action: str, *, keyed: bool = True, **fields: Any
    ) -> Request:
        self._count += 1
        key = f"{self.town.prefix}-{self._count}" if keyed else None
        faults = None if self.wire.inside is None else drawn(self.random)
        return Request(caller, processor, action, fields, key, faults)

    def _ask(self, *args: Any, **fields: Any) -> Act:
        request = self._request(*args, **fields)
        return lambda: self.wire.send(request)

    def _stay(self, *fitting: str) -> Stay | None:
        """One of the last bookings; mostly one whose status fits the act, sometimes any."""
        recent = self.town.stays[-16:]
        known = self.town.statuses
        fit = [stay for stay in recent if known.get(stay.id) in fitting]
        if fit and self.random.random() < 0.85:
            return self.random.choice(fit)
        return self.random.choice(recent) if recent else None

    def _party(self, stay: Stay, weights: tuple[int, int, int]) -> str:
        who = self.random.choices(_PARTIES, weights)[0]
        return {
            "customer": stay.customer, "provider": stay.offer.provider, "operator": "operator"
        }[who]  # fmt: skip

    def _amount(self, most: str, code: str = "USD") -> Decimal:
        drawn = (Decimal(most) * self.random.randrange(1, 100) / 100).quantize(Decimal("0.01"))
        return Decimal(int(drawn * 100)) if code == "JPY" else drawn

    # -- bookings and payments ----------------------------------------------------------------

    def _book(self) -> Act:
        town, offer = self.town, self.random.choice(self.town.offers)
        hours, customer = self.random.choice(_AHEAD_HOURS), town.customer()
        size = self.random.randint(1, offer.seats)
        lasts = timedelta(minutes=self.random.choice((30, 60, 90)))
        pays = self.random.random() < 0.8
        card = self.random.choices(CARDS, _CARD_WEIGHTS)[0]
        request = self._request(customer, "booking-processor", "CREATE_BOOKING")

        def act() -> None:
            full = town.now().replace(minute=0, second=0, microsecond=0)
            start = full + timedelta(hours=hours)
            request.fields.update(
                serviceId=offer.id,
                customerEmail=f"{customer}@example.com",
                startDateTime=start.isoformat(),
                endDateTime=(start + lasts).isoformat(),
                groupSize=size,
            )
            told = self.wire.send(request)
            if told is None or told.status != 200:
                return
            secret = str(told.json["clientSecret"])
            stay = Stay(
                told.json["bookingId"], customer, offer, start, start + lasts,
                secret.split("_secret_")[0],
            )  # fmt: skip
            town.stays.append(stay)
            if pays:
                self._confirm_payment(stay, card, "succeeded")

        return act

    def _pay(self) -> Act | None:
        stay = self._stay("PENDING")
        card = self.random.choices(CARDS, _CARD_WEIGHTS)[0]
        proof = self.random.choice(("succeeded", "succeeded", "failed", "left"))
        if stay is None:
            return None
        return lambda: self._confirm_payment(stay, card, proof)

    def _confirm_payment(self, stay: Stay, card: str, proof: str) -> None:
        stack = self.town.stack
        try:
            how: Any = {"payment_method": card, "return_url": "https://example.com/paid"}
            v1 = stack.stripe.v1
            saves = stay.intent.startswith("seti_")  # a request far ahead: charged when accepted
            confirm = v1.setup_intents.confirm if saves else v1.payment_intents.confirm
            status = str(confirm(stay.intent, how).status)
            if status == "requires_action" and proof != "left":
                stack.control.authenticate(stay.intent, proof)
        except (StripeError, requests.HTTPError) as refused:
            status = type(refused).__name__
        self.wire.say(f"customer pays {stay.id} with {card} -> {status}")

    def _confirm(self) -> Act | None:
        stay = self._stay("PENDING", "EXPIRED")
        return (
            None
            if stay is None
            else self._ask(
                self._party(stay, (3, 2, 1)),
                "booking-processor",
                "CONFIRM_BOOKING",
                bookingId=stay.id,
            )
        )

    def _answer(self) -> Act | None:
        """A provider accepts a request to book, or does not."""
        stay = self._stay("REQUESTED")
        action = self.random.choice(("CONFIRM_BOOKING", "CONFIRM_BOOKING", "DECLINE_BOOKING"))
        return (
            None
            if stay is None
            else self._ask(
                self._party(stay, (0, 4, 1)), "booking-processor", action, bookingId=stay.id
            )
        )

    def _cancel(self) -> Act | None:
        stay = self._stay("CONFIRMED", "PENDING", "REQUESTED")
        return None if stay is None else self._ask(
            self._party(stay, (4, 2, 1)), "booking-processor", "CANCEL_BOOKING",
            keyed=self.random.random() < 0.7, bookingId=stay.id, reason="changed plans",
        )  # fmt: skip

    def _complete(self) -> Act | None:
        known = self.town.statuses
        confirmed = [one for one in self.town.stays if known.get(one.id) == "CONFIRMED"]
        likely = min(confirmed, key=lambda one: one.end) if confirmed else None
        stay = likely if self.random.random() < 0.8 else self._stay("CONFIRMED")
        if stay is None:
            return None
        waits = self.random.random() < 0.7
        request = self._request(
            self._party(stay, (0, 3, 1)),
            "booking-processor",
            "COMPLETE_BOOKING",
            bookingId=stay.id,
        )

        def act() -> None:
            left = (stay.end - self.town.now()).total_seconds()
            if waits and 0 < left < _PATIENCE_SECONDS:
                self.town.stack.control.advance(int(left) + 1)
            self.wire.send(request)

        return act

    def _intent(self) -> Act | None:
        stay = self._stay("PENDING")
        return (
            None
            if stay is None
            else self._ask(
                stay.customer, "stripe-connect", "CREATE_PAYMENT_INTENT", bookingId=stay.id
            )
        )

    # -- refunds ------------------------------------------------------------------------------

    def _refund(self) -> Act | None:
        stay = self._stay("CONFIRMED", "COMPLETED")
        if stay is None:
            return None
        caller = self._party(stay, (2, 3, 4))
        fields: dict[str, Any] = {"bookingId": stay.id, "reason": self.random.choice("ab")}
        if self.random.random() < 0.75:
            fields["refundAmount"] = self._amount("90", stay.offer.currency)
        if caller == "operator" and self.random.random() < 0.3:
            fields["providerCompensation"] = self._amount("40", stay.offer.currency)
        keyed = self.random.random() < 0.8
        return self._ask(caller, "refund-processor", "PROCESS_REFUND", keyed=keyed, **fields)

    def _claim_back(self) -> Act | None:
        """An operator refunds what was earned, and perhaps paid out, already."""
        stay = self._stay("COMPLETED")
        amount = self._amount("90", stay.offer.currency if stay else "USD")
        return (
            None
            if stay is None
            else self._ask(
                "operator",
                "refund-processor",
                "PROCESS_REFUND",
                bookingId=stay.id,
                refundAmount=amount,
            )
        )

    def _contest(self) -> Act | None:
        stay = self._stay("COMPLETED", "CANCELLED")
        return None if stay is None else self._ask(
            self._party(stay, (3, 1, 0)), "refund-processor", "DISPUTE_REFUND",
            bookingId=stay.id, reason="not what was promised",
        )  # fmt: skip

    def _held(self, kind: str) -> list[tuple[str, str]]:
        """The last bookings that are held for such a reason: booking id and what holds it."""
        found = []
        for stay in self.town.stays[-16:]:
            booking = self.town.stack.db.collection("bookings").document(stay.id).get().to_dict()
            what = ((booking or {}).get("holds") or {}).get(kind)
            found += [(stay.id, what)] if what else []
        return found

    def _resolve(self) -> Act:
        decision = self.random.choice(("UPHELD", "REJECTED", "PARTIAL"))
        amount, which = self._amount("30"), self.random.random()
        request = self._request("operator", "refund-processor", "RESOLVE_REFUND_DISPUTE")

        def act() -> None:
            held = self._held("refund_dispute")
            if not held:
                return
            _, dispute = held[int(which * len(held))]
            request.fields.update(disputeId=dispute, decision=decision, note="decided")
            if decision == "PARTIAL":
                request.fields["refundAmount"] = amount
            self.wire.send(request)

        return act

    # -- payouts ------------------------------------------------------------------------------

    def _schedule(self) -> Act:
        provider = self.random.choice(self.town.providers)
        fields: dict[str, Any] = {"providerId": provider}
        if self.random.random() < 0.4:
            fields["amount"] = self._amount("70")
        days = self.random.choice((0, 0, 0, 1, 2))
        caller = self.random.choice((provider, provider, "operator"))
        request = self._request(caller, "payout-manager", "SCHEDULE_PAYOUT", **fields)

        def act() -> None:
            if days and "scheduledDate" not in request.fields:
                date = self.town.now() + timedelta(days=days)
                request.fields["scheduledDate"] = date.isoformat()
            told = self.wire.send(request)
            if told is not None and told.status == 200:
                self.town.payouts.append((provider, told.json["payoutId"]))

        return act

    def _instant(self) -> Act:
        provider = self.random.choice(self.town.providers)
        fields: dict[str, Any] = {"providerId": provider}
        if self.random.random() < 0.5:
            fields["amount"] = self._amount("50")
        return self._ask(provider, "payout-manager", "INSTANT_PAYOUT", **fields)

    def _call_off(self) -> Act | None:
        if not self.town.payouts:
            return None
        provider, payout = self.random.choice(self.town.payouts[-6:])
        return self._ask(provider, "payout-manager", "CANCEL_PAYOUT", payoutId=payout)

    def _withdraw(self) -> Act:
        provider = self.random.choice(self.town.providers)
        return self._ask(
            provider, "stripe-connect", "CREATE_PAYOUT",
            providerId=provider, amount=self._amount("40"),
        )  # fmt: skip

    def _pause(self) -> Act:
        """Paused for a few requests, then on again: others are to be paid, too."""
        on = self._paused_at is None
        self._paused_at = self._count if on else None
        action = "PAUSE_PAYOUTS" if on else "RESUME_PAYOUTS"
        return self._ask("operator", "payout-manager", action, reason="a drill")

    def _payout_run(self) -> Act:
        return self._ask("operator", "payout-manager", "RUN_SCHEDULED_PAYOUTS", keyed=False)

    def _maintenance(self) -> Act:
        return self._ask("operator", "booking-processor", "RUN_MAINTENANCE", keyed=False)

    # -- banks and fraud ----------------------------------------------------------------------

    def _charge_of(self, stay: Stay) -> str | None:
        """From the document: no request of this process may meet a planted kill."""
        booking = self.town.stack.db.collection("bookings").document(stay.id).get().to_dict()
        charge = ((booking or {}).get("payment") or {}).get("chargeId")
        return None if charge is None else str(charge)

    def _at_bank(self, path: str, **more: Any) -> Act | None:
        stay = self._stay("CONFIRMED", "COMPLETED", "DISPUTED")

        def act() -> None:
            assert stay is not None
            charge = self._charge_of(stay)
            if charge is None:
                return
            told = self._bank_says(path, {"charge": charge, **more})
            if told is not None and path == "reviews":
                self.town.reviews.append(told["id"])

        return act if stay else None

    def _bank_says(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """None where Stripe says that this cannot be (disputed already, closed already)."""
        try:
            told = self.town.stack.control.call("POST", path, body)
        except requests.HTTPError as refused:
            self.wire.say(f"bank {path} {body} refused {refused}"[:200])
            return None
        self.wire.say(f"bank {path} {body} -> {told.get('id')}")
        return told

    def _card_dispute(self) -> Act | None:
        return self._at_bank("disputes")

    def _verdict(self) -> Act | None:
        return self._at_bank("disputes", outcome=self.random.choice(("won", "lost")))

    def _evidence(self) -> Act | None:
        """The provider (or an operator) answers a dispute, for good or not yet."""
        stay = self._stay("DISPUTED")
        words = self.random.choice(
            ("winning_evidence", "losing_evidence", "they came", "they paid")
        )
        final = self.random.random() < 0.6
        if stay is None:
            return None
        caller = self._party(stay, (0, 4, 1))
        request = self._request(caller, "refund-processor", "SUBMIT_DISPUTE_EVIDENCE")

        def act() -> None:
            booking = self.town.stack.db.collection("bookings").document(stay.id).get().to_dict()
            dispute = ((booking or {}).get("holds") or {}).get("dispute")
            if dispute is not None:
                said = {"uncategorizedText": words}
                request.fields.update(disputeId=dispute, evidence=said, submit=final)
                self.wire.send(request)

        return act

    def _warning(self) -> Act | None:
        return self._at_bank("early_fraud_warnings")

    def _review(self) -> Act | None:
        return self._at_bank("reviews")

    def _new_bank(self) -> Act:
        """A provider names another bank account; it may be as bad as the one before."""
        provider = self.random.choice(self.town.providers)
        number = self.random.choice((GOOD_BANK, GOOD_BANK, BAD_BANK))

        def act() -> None:
            profile = self.town.stack.db.collection("userProfiles").document(provider).get()
            account = (profile.to_dict() or {})["stripeAccountId"]
            self.town.stack.control.onboard(account, bank_account_number=number)
            self.wire.say(f"{provider} has the bank account {number}")

        return act

    def _release(self) -> Act:
        """An operator has looked into a warning or a review."""
        kind = self.random.choice(("fraud_warning", "review"))
        which = self.random.random()
        request = self._request("operator", "booking-processor", "RELEASE_HOLD")

        def act() -> None:
            held = self._held(kind)
            if not held:
                return
            booking, _ = held[int(which * len(held))]
            request.fields.update(bookingId=booking, kind=kind, note="looked into")
            self.wire.send(request)

        return act

    def _approve(self) -> Act | None:
        reviews = self.town.reviews
        if not reviews:
            return None
        review = reviews.pop(self.random.randrange(len(reviews)))
        reason = self.random.choice(("approved", "approved", "refunded_as_fraud"))
        path = f"reviews/{review}/close"
        return lambda: self._bank_says(path, {"reason": reason})

    # -- again, later, and trouble ------------------------------------------------------------

    def _again(self) -> Act | None:
        keyed = [one for one in self.wire.requests if one.key is not None and one.sent]
        if not keyed:
            return None
        request = self.random.choice(keyed[-15:])
        return lambda: self.wire.send(request)

    def _fault(self) -> Act:
        self.wire.say(self.trouble.fault(self.random))
        return lambda: None

    def _webhooks(self) -> Act:
        self.wire.say(self.trouble.webhooks(self.random))
        return lambda: None

    def _deliver(self) -> Act:
        def act() -> None:
            self.town.stack.control.release_webhooks()
            self.town.stack.control.webhooks("normal")

        return act

    def _kill(self) -> Act:
        own = Random(self.random.random())  # the act runs beside others: it must not draw
        return lambda: self.wire.say(self.trouble.kill(own))


_WEIGHTS = {
    "book": 18, "pay": 6, "confirm": 4, "answer": 7, "cancel": 6, "complete": 14, "intent": 2,
    "refund": 7, "claim_back": 6, "contest": 3, "resolve": 4,
    "schedule": 9, "instant": 4, "call_off": 2, "withdraw": 3, "payout_run": 3, "maintenance": 3,
    "pause": 1, "release": 2,
    "card_dispute": 3, "verdict": 3, "evidence": 3, "warning": 2, "review": 1, "approve": 2,
    "new_bank": 2,
    "again": 5, "fault": 11, "webhooks": 3, "deliver": 3, "kill": 1,
}  # fmt: skip
