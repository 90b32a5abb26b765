"""The changing actions, each with what must be there before it and what must hold after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from stripe import CardError

from tests.functions.acts import charge_of
from tests.support.market import Booking, Market, Provider, fresh, payment_intent_of
from tests.support.subscriptions import (
    a_recurring_service,
    a_subscription,
    period_of,
    record_of,
)

DAY = int(timedelta(days=1).total_seconds())


@dataclass(frozen=True)
class Request:
    """One request, to be sent again as it is."""

    processor: str
    uid: str
    body: dict[str, Any]
    admin: bool = False


@dataclass(frozen=True)
class Scene:
    """A request, and what must hold once it has been healed: the answer is the request's own."""

    request: Request
    holds: Callable[[dict[str, Any]], None]


class Sets:
    """Sets the scenes, with one provider for all that can share one."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.provider = market.a_provider()
        self.service = market.a_service(self.provider, capacityMode="SEATS", capacity=1000)

    def paid(self, provider: Provider | None = None) -> Booking:
        service = self.service if provider is None else self.market.a_service(provider)
        return self.market.a_booking(service, paid=True)

    def completed(self) -> Booking:
        """A booking of a provider of its own, whose earnings are free to go."""
        booking = self.paid(self.market.a_provider())
        self.market.complete(booking)
        return booking

    def transferred(self) -> Booking:
        """The same, with a payout that failed: the money lies at the connected account."""
        provider = self.market.a_provider(ready=False)
        caller = self.market.api.as_user(provider.uid)
        made = caller.post("stripe-connect", "CREATE_ACCOUNT", providerId=provider.uid).ok()
        account = str(made["accountId"])
        self.market.control.onboard(account, bank_account_number="000111111116")
        self.market.control.idle()
        booking = self.paid(Provider(provider.uid, account))
        self.market.complete(booking)
        caller.post("payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid).ok()
        self.market.control.advance(4 * DAY)
        return booking

    # One scene an action.

    def create_booking(self) -> Scene:
        customer = fresh("customer")
        start = self.market.control.now() + timedelta(days=3)
        body = {
            "action": "CREATE_BOOKING",
            "serviceId": self.service.id,
            "customerEmail": f"{customer}@example.com",
            "startDateTime": start.isoformat(),
            "endDateTime": (start + timedelta(hours=1)).isoformat(),
        }

        def holds(answer: dict[str, Any]) -> None:
            assert answer["clientSecret"].startswith("pi_")
            listed = self.market.api.as_user(customer).post("booking-processor", "LIST_BOOKINGS")
            assert [one["id"] for one in listed.ok()["bookings"]] == [answer["bookingId"]]

        return Scene(Request("booking-processor", customer, body), holds)

    def confirm_booking(self) -> Scene:
        booking = self.market.a_booking(self.service)
        self.market.control.webhooks("drop")
        self.market.pay(booking)
        self.market.control.webhooks("normal")
        body = {"action": "CONFIRM_BOOKING", "bookingId": booking.id}
        return Scene(
            Request("booking-processor", booking.customer, body),
            _status(self, booking, "CONFIRMED"),
        )

    def requested(self) -> Booking:
        """A request to book that waits for its provider."""
        service = self.market.a_service(
            self.provider, capacityMode="SEATS", capacity=1000, bookingMode="REQUEST"
        )
        return self.market.a_booking(service, paid=True)

    def accept_request(self) -> Scene:
        booking = self.requested()
        body = {"action": "CONFIRM_BOOKING", "bookingId": booking.id}

        def holds(answer: dict[str, Any]) -> None:
            assert answer["status"] == "CONFIRMED"
            kinds = [row["kind"] for row in self.market.ledger(booking.id)]
            assert kinds.count("charge") == 1

        return Scene(Request("booking-processor", self.provider.uid, body), holds)

    def far(self, *, saved: bool = True) -> Booking:
        """A request weeks ahead, whose customer has saved a card."""
        service = self.market.a_service(
            self.provider, capacityMode="SEATS", capacity=1000, bookingMode="REQUEST"
        )
        booking = self.market.a_booking(service, starts_in=timedelta(days=20))
        if saved:
            self.market.save(booking)
        return booking

    def create_far_booking(self) -> Scene:
        service = self.market.a_service(self.provider, bookingMode="REQUEST")
        customer = fresh("customer")
        start = self.market.control.now() + timedelta(days=20)
        body = {
            "action": "CREATE_BOOKING",
            "serviceId": service.id,
            "customerEmail": f"{customer}@example.com",
            "startDateTime": start.isoformat(),
            "endDateTime": (start + timedelta(hours=1)).isoformat(),
        }

        def holds(answer: dict[str, Any]) -> None:
            setup = payment_intent_of(answer["clientSecret"])
            payer = str(self.market.stripe.v1.setup_intents.retrieve(setup).customer)
            made = self.market.stripe.v1.setup_intents.list({"customer": payer}).data
            assert [one.id for one in made] == [setup]

        return Scene(Request("booking-processor", customer, body), holds)

    def accept_far_request(self) -> Scene:
        booking = self.far()
        body = {"action": "CONFIRM_BOOKING", "bookingId": booking.id}

        def holds(answer: dict[str, Any]) -> None:
            assert answer["status"] == "CONFIRMED"
            kinds = [row["kind"] for row in self.market.ledger(booking.id)]
            assert kinds.count("charge") == 1

        return Scene(Request("booking-processor", self.provider.uid, body), holds)

    def saved_event(self) -> Scene:
        booking = self.far(saved=False)

        def holds() -> None:
            _status(self, booking, "REQUESTED")({})

        return self._told("setup_intent.succeeded", lambda: self.market.save(booking), holds)

    def accept_without_place(self) -> Scene:
        service = self.market.a_service(self.provider, bookingMode="REQUEST", requestsBlock=False)
        booking = self.market.a_booking(service, paid=True)
        body = {"action": "CONFIRM_BOOKING", "bookingId": booking.id}
        return Scene(
            Request("booking-processor", self.provider.uid, body),
            _status(self, booking, "CONFIRMED"),
        )

    def decline_request(self) -> Scene:
        booking = self.requested()
        body = {"action": "DECLINE_BOOKING", "bookingId": booking.id}

        def holds(answer: dict[str, Any]) -> None:
            assert answer["status"] == "DECLINED"
            intent = self.market.stripe.v1.payment_intents.retrieve(booking.payment_intent)
            assert intent.status == "canceled"

        return Scene(Request("booking-processor", self.provider.uid, body), holds)

    def check_in(self) -> Scene:
        booking = self.paid()
        self._come_to(booking)
        shown = (
            self.market.api.as_user(booking.customer)
            .post("booking-processor", "GET_BOOKING", bookingId=booking.id)
            .ok()
        )
        token = shown["booking"]["checkIn"]["token"]
        body = {"action": "CHECK_IN", "bookingId": booking.id, "token": token}

        def holds(answer: dict[str, Any]) -> None:
            told = self.market.booking(booking.id)["attendance"]["checkedInAt"]
            assert told == answer["checkedInAt"]

        return Scene(Request("booking-processor", self.provider.uid, body), holds)

    def no_show(self) -> Scene:
        service = self.market.a_service(self.provider, noShowRefundPercent=50)
        booking = self.market.a_booking(service, paid=True)
        self._come_to(booking)
        body = {"action": "MARK_NO_SHOW", "bookingId": booking.id}
        return Scene(
            Request("booking-processor", self.provider.uid, body),
            _refunded(self, booking, "CANCELLED", 1),
        )

    def _come_to(self, booking: Booking) -> None:
        """To twenty minutes after the booking's start."""
        left = (booking.start - self.market.control.now()).total_seconds()
        self.market.control.advance(int(left) + 20 * 60)

    def cancel_paid(self) -> Scene:
        booking = self.paid()
        body = {"action": "CANCEL_BOOKING", "bookingId": booking.id}
        return Scene(
            Request("booking-processor", booking.customer, body),
            _refunded(self, booking, "CANCELLED", 1),
        )

    def cancel_unpaid(self) -> Scene:
        booking = self.market.a_booking(self.service)
        body = {"action": "CANCEL_BOOKING", "bookingId": booking.id}

        def holds(_: dict[str, Any]) -> None:
            _status(self, booking, "CANCELLED")({})
            intent = self.market.stripe.v1.payment_intents.retrieve(booking.payment_intent)
            assert intent.status == "canceled"

        return Scene(Request("booking-processor", booking.customer, body), holds)

    def complete_booking(self) -> Scene:
        booking = self.paid()
        left = (booking.end - self.market.control.now()).total_seconds()
        self.market.control.advance(max(0, int(left) + 1))
        body = {"action": "COMPLETE_BOOKING", "bookingId": booking.id}
        return Scene(
            Request("booking-processor", self.provider.uid, body),
            _status(self, booking, "COMPLETED"),
        )

    def refund_in_part(self) -> Scene:
        booking = self.paid()
        body = {
            "action": "PROCESS_REFUND",
            "bookingId": booking.id,
            "refundAmount": 50,
            "reason": "late",
        }
        return Scene(
            Request("refund-processor", self.provider.uid, body),
            _refunded(self, booking, "CONFIRMED", 1),
        )

    def refund_after_transfer(self) -> Scene:
        booking = self.transferred()
        body = {"action": "PROCESS_REFUND", "bookingId": booking.id, "refundAmount": 100}

        def holds(answer: dict[str, Any]) -> None:
            _refunded(self, booking, "COMPLETED", 1)(answer)
            found = self.market.stripe.v1.transfers.list({"transfer_group": booking.id})
            assert [one.amount_reversed for one in found.data] == [9_200]

        return Scene(Request("refund-processor", "operator", body, admin=True), holds)

    def schedule_payout(self) -> Scene:
        return self._payout("SCHEDULE_PAYOUT")

    def instant_payout(self) -> Scene:
        return self._payout("INSTANT_PAYOUT")

    def _payout(self, action: str) -> Scene:
        booking = self.completed()
        provider = booking.service.provider
        body = {"action": action, "providerId": provider.uid}

        def holds(answer: dict[str, Any]) -> None:
            assert answer["amount"] == 184, answer
            found = self.market.stripe.v1.transfers.list({"transfer_group": booking.id})
            assert [one.amount for one in found.data] == [18_400]
            options: Any = {"stripe_account": provider.account_id}
            payouts = self.market.stripe.v1.payouts.list({}, options)
            assert len(payouts.data) == 1

        return Scene(Request("payout-manager", provider.uid, body), holds)

    def create_payout(self) -> Scene:
        booking = self.transferred()
        provider = booking.service.provider
        account = str(provider.account_id)
        works: Any = {
            "external_account": {
                "object": "bank_account",
                "country": "US",
                "currency": "usd",
                "routing_number": "110000000",
                "account_number": "000123456789",
            },
            "default_for_currency": True,
        }
        self.market.stripe.v1.accounts.external_accounts.create(account, works)
        self.market.control.idle()
        body = {"action": "CREATE_PAYOUT", "providerId": provider.uid, "amount": 184}

        def holds(answer: dict[str, Any]) -> None:
            options: Any = {"stripe_account": account}
            payouts = self.market.stripe.v1.payouts.list({}, options)
            assert sorted(one.status == "failed" for one in payouts.data) == [False, True]

        return Scene(Request("stripe-connect", provider.uid, body), holds)

    def create_account(self) -> Scene:
        provider = self.market.a_provider(ready=False)
        body = {"action": "CREATE_ACCOUNT", "providerId": provider.uid}

        def holds(answer: dict[str, Any]) -> None:
            again = self.market.api.as_user(provider.uid).post(
                "stripe-connect", "CREATE_ACCOUNT", providerId=provider.uid
            )
            assert again.ok()["accountId"] == answer["accountId"]

        return Scene(Request("stripe-connect", provider.uid, body), holds)

    def cancel_payout(self) -> Scene:
        booking = self.completed()
        provider = booking.service.provider
        later = (self.market.control.now() + timedelta(days=30)).isoformat()
        caller = self.market.api.as_user(provider.uid)
        payout = caller.post(
            "payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid, scheduledDate=later
        ).ok()
        body = {"action": "CANCEL_PAYOUT", "payoutId": payout["payoutId"]}

        def holds(answer: dict[str, Any]) -> None:
            assert answer["status"] == "CANCELLED"
            earned = caller.post("payout-manager", "CALCULATE_EARNINGS", providerId=provider.uid)
            assert earned.ok()["totalEarnings"] == 184

        return Scene(Request("payout-manager", provider.uid, body), holds)

    def dispute_refund(self) -> Scene:
        booking = self.paid()
        body = {"action": "DISPUTE_REFUND", "bookingId": booking.id, "reason": "not as described"}

        def holds(answer: dict[str, Any]) -> None:
            assert answer["status"] == "OPEN"
            assert self.market.booking(booking.id)["payment"]["holds"] == ["refund_dispute"]

        return Scene(Request("refund-processor", booking.customer, body), holds)

    def reject_dispute(self) -> Scene:
        booking = self.completed()
        body = self._decision(booking, "REJECTED")

        def holds(answer: dict[str, Any]) -> None:
            assert (answer["status"], answer["refund"]) == ("REJECTED", None)
            assert self.market.booking(booking.id)["payment"]["holds"] == []
            provider = booking.service.provider.uid
            earned = self.market.api.as_user(provider).post(
                "payout-manager", "CALCULATE_EARNINGS", providerId=provider
            )
            assert earned.ok()["totalEarnings"] == 184

        return Scene(Request("refund-processor", "operator", body, admin=True), holds)

    def uphold_dispute_after_transfer(self) -> Scene:
        booking = self.transferred()
        body = self._decision(booking, "UPHELD", requested=100)

        def holds(answer: dict[str, Any]) -> None:
            assert (answer["status"], answer["refund"]["refundAmount"]) == ("UPHELD", 100)
            _refunded(self, booking, "COMPLETED", 1)(answer)
            assert self.market.booking(booking.id)["payment"]["holds"] == []
            found = self.market.stripe.v1.transfers.list({"transfer_group": booking.id})
            assert [one.amount_reversed for one in found.data] == [9_200]

        return Scene(Request("refund-processor", "operator", body, admin=True), holds)

    def release_hold(self) -> Scene:
        booking = self.completed()
        charge = charge_of(self.market, booking)
        self.market.control.call("POST", "early_fraud_warnings", {"charge": charge})
        body = {
            "action": "RELEASE_HOLD",
            "bookingId": booking.id,
            "kind": "fraud_warning",
            "note": "the cardholder was asked",
        }

        def holds(answer: dict[str, Any]) -> None:
            assert answer["holds"] == []
            kept = self.market.db.collection("holdReleases").stream()
            of_booking = [one for one in kept if (one.to_dict() or {})["bookingId"] == booking.id]
            assert len(of_booking) == 1

        return Scene(Request("booking-processor", "operator", body, admin=True), holds)

    def pause_payouts(self) -> Scene:
        body = {"action": "PAUSE_PAYOUTS", "reason": "a drill"}

        def holds(answer: dict[str, Any]) -> None:
            assert (answer["paused"], answer["reason"]) == (True, "a drill")
            self._turn("RESUME_PAYOUTS")

        return Scene(Request("payout-manager", "operator", body, admin=True), holds)

    def resume_payouts(self) -> Scene:
        self._turn("PAUSE_PAYOUTS")
        body = {"action": "RESUME_PAYOUTS", "reason": "over"}

        def holds(answer: dict[str, Any]) -> None:
            assert (answer["paused"], answer["reason"]) == (False, "over")
            kept = self.market.db.collection("payoutPauses").stream()
            turns = [(one.to_dict() or {})["paused"] for one in kept]
            assert turns == [number % 2 == 0 for number in range(len(turns))]

        return Scene(Request("payout-manager", "operator", body, admin=True), holds)

    def _turn(self, action: str) -> None:
        operator = self.market.api.as_operator()
        operator.post("payout-manager", action, reason="a drill").ok()

    def _decision(self, booking: Booking, decision: str, requested: Any = None) -> dict[str, Any]:
        caller = self.market.api.as_user(booking.customer)
        opened = caller.post(
            "refund-processor",
            "DISPUTE_REFUND",
            bookingId=booking.id,
            reason="half of it",
            requestedAmount=requested,
        ).ok()
        return {
            "action": "RESOLVE_REFUND_DISPUTE",
            "disputeId": opened["disputeId"],
            "decision": decision,
            "note": "both were heard",
        }

    def create_subscription(self) -> Scene:
        """The first one of a service and of its customer: everything has to be made."""
        service, customer = a_recurring_service(self.market, provider=self.provider), fresh("ben")
        body = {
            "action": "CREATE_SUBSCRIPTION",
            "serviceId": service.id,
            "customerEmail": f"{customer}@example.com",
        }

        def holds(answer: dict[str, Any]) -> None:
            assert answer["clientSecret"].startswith("pi_")
            v1 = self.market.stripe.v1
            [payer] = v1.customers.list({"email": f"{customer}@example.com"}).data
            [made] = v1.subscriptions.list({"customer": payer.id}).data
            assert made.id == answer["subscriptionId"]
            price = made["items"].data[0].price
            assert len(v1.prices.list({"product": str(price.product)}).data) == 1
            mine = self.market.api.as_user(customer).post("stripe-connect", "LIST_SUBSCRIPTIONS")
            assert [one["id"] for one in mine.ok()["subscriptions"]] == [made.id]

        return Scene(Request("stripe-connect", customer, body), holds)

    def cancel_subscription(self) -> Scene:
        return self._ending(at_period_end=True)

    def cancel_subscription_now(self) -> Scene:
        return self._ending(at_period_end=False)

    def _ending(self, *, at_period_end: bool) -> Scene:
        service = a_recurring_service(self.market, provider=self.provider)
        subscription = a_subscription(self.market, service, paid=True)
        body = {
            "action": "CANCEL_SUBSCRIPTION",
            "subscriptionId": subscription.id,
            "atPeriodEnd": at_period_end,
        }

        def holds(answer: dict[str, Any]) -> None:
            there = self.market.stripe.v1.subscriptions.retrieve(subscription.id)
            assert there.cancel_at_period_end is at_period_end
            assert there.status == ("active" if at_period_end else "canceled")
            assert answer["status"] == ("ACTIVE" if at_period_end else "CANCELLED")
            assert record_of(self.market, subscription)["endsAt"] == answer["endsAt"]

        return Scene(Request("stripe-connect", subscription.customer, body), holds)

    def pause_subscription(self) -> Scene:
        service = a_recurring_service(self.market, provider=self.provider)
        subscription = a_subscription(self.market, service, paid=True)
        body = {"action": "PAUSE_SUBSCRIPTION", "subscriptionId": subscription.id}

        def holds(answer: dict[str, Any]) -> None:
            assert answer["status"] == "PAUSED"
            there = self.market.stripe.v1.subscriptions.retrieve(subscription.id)
            assert there.pause_collection is not None
            assert record_of(self.market, subscription)["status"] == "PAUSED"

        return Scene(Request("stripe-connect", self.provider.uid, body), holds)

    def submit_evidence(self) -> Scene:
        return self._evidence(submit=True)

    def stage_evidence(self) -> Scene:
        return self._evidence(submit=False)

    def _evidence(self, *, submit: bool) -> Scene:
        booking = self.paid()
        dispute = str(self.market.control.dispute(charge_of(self.market, booking))["id"])
        self.market.control.idle()
        body = {
            "action": "SUBMIT_DISPUTE_EVIDENCE",
            "disputeId": dispute,
            "evidence": {"uncategorized_text": "They came."},
            "submit": submit,
        }

        def holds(answer: dict[str, Any]) -> None:
            assert answer["submitted"] is submit
            there = self.market.stripe.v1.disputes.retrieve(dispute)
            assert there.evidence.uncategorized_text == "They came."
            assert there.evidence_details.submission_count == int(submit)

        return Scene(Request("refund-processor", self.provider.uid, body), holds)

    # One scene an event whose handler writes or calls.

    def _told(
        self, type: str, cause: Callable[[], Any], holds: Callable[[], None], account: str = ""
    ) -> Scene:
        """An event that nobody was told of when it happened."""
        self.market.control.idle()
        self.market.control.webhooks("drop")
        cause()
        self.market.control.idle()
        self.market.control.webhooks("normal")
        options: Any = {"stripe_account": account} if account else {}
        listed = self.market.stripe.v1.events.list({"type": type, "limit": 1}, options)
        event: dict[str, Any] = json.loads(str(listed.data[0]))
        if account:
            event["account"] = account
        return Scene(Request("stripe-webhook", "stripe", event), lambda _: holds())

    def paid_event(self) -> Scene:
        booking = self.market.a_booking(self.service)

        def holds() -> None:
            _status(self, booking, "CONFIRMED")({})

        return self._told("payment_intent.succeeded", lambda: self.market.pay(booking), holds)

    def declined_event(self) -> Scene:
        booking = self.market.a_booking(self.service)

        def decline() -> None:
            with suppress(CardError):
                self.market.pay(booking, "pm_card_chargeDeclined")

        def holds() -> None:
            found = self.market.db.collection("bookings").document(booking.id).get().to_dict()
            assert found is not None
            assert found["payment"]["failedAttempts"] == 1

        return self._told("payment_intent.payment_failed", decline, holds)

    def authorised_event(self) -> Scene:
        service = self.market.a_service(self.provider, bookingMode="REQUEST")
        booking = self.market.a_booking(service)

        def holds() -> None:
            _status(self, booking, "REQUESTED")({})

        return self._told(
            "payment_intent.amount_capturable_updated", lambda: self.market.pay(booking), holds
        )

    def lapsed_event(self) -> Scene:
        booking = self.requested()

        def holds() -> None:
            _status(self, booking, "EXPIRED")({})

        return self._told(
            "payment_intent.canceled",
            lambda: self.market.stripe.v1.payment_intents.cancel(booking.payment_intent),
            holds,
        )

    def refund_event(self) -> Scene:
        booking = self.paid()

        def by_hand() -> None:
            params: Any = {"payment_intent": booking.payment_intent, "amount": 50_00}
            self.market.stripe.v1.refunds.create(params)

        def holds() -> None:
            assert self.market.booking(booking.id)["refund"]["refundAmount"] == 50

        return self._told("refund.created", by_hand, holds)

    def disputed_event(self) -> Scene:
        booking = self.transferred()

        def holds() -> None:
            _status(self, booking, "DISPUTED")({})

        return self._told(
            "charge.dispute.created",
            lambda: self.market.control.dispute(charge_of(self.market, booking)),
            holds,
        )

    def lost_dispute_event(self) -> Scene:
        booking = self.transferred()
        charge = charge_of(self.market, booking)
        self.market.control.dispute(charge)

        def holds() -> None:
            _status(self, booking, "REFUNDED")({})
            found = self.market.stripe.v1.transfers.list({"transfer_group": booking.id})
            assert [one.amount_reversed for one in found.data] == [18_400]

        return self._told(
            "charge.dispute.closed",
            lambda: self.market.control.dispute(charge, outcome="lost"),
            holds,
        )

    def fraud_warning_event(self) -> Scene:
        """A warning of a small payment whose money lies at the connected account."""
        booking = self.transferred()
        self.market.api.as_operator().post(
            "refund-processor", "PROCESS_REFUND", bookingId=booking.id, refundAmount=190
        ).ok()
        charge = charge_of(self.market, booking)

        def holds() -> None:
            _refunded(self, booking, "REFUNDED", 2)({})
            found = self.market.stripe.v1.transfers.list({"transfer_group": booking.id})
            assert [one.amount_reversed for one in found.data] == [18_400]

        return self._told(
            "radar.early_fraud_warning.created",
            lambda: self.market.control.call("POST", "early_fraud_warnings", {"charge": charge}),
            holds,
        )

    def invoice_event(self) -> Scene:
        return self._period_event("invoice.paid")

    def charge_event(self) -> Scene:
        """Of an invoice: the first that is heard of the period."""
        return self._period_event("charge.succeeded")

    def _period_event(self, type: str) -> Scene:
        service = a_recurring_service(self.market, provider=self.provider)
        subscription = a_subscription(self.market, service)

        def holds() -> None:
            period = period_of(self.market, subscription)
            assert self.market.booking(period.id)["status"] == "COMPLETED"
            rows = [row["kind"] for row in self.market.ledger(period.id)]
            assert sorted(rows) == ["charge", "earning", "stripe_fee"]

        return self._told(type, lambda: self.market.pay(str(subscription.client_secret)), holds)

    def subscription_event(self) -> Scene:
        service = a_recurring_service(self.market, provider=self.provider)
        subscription = a_subscription(self.market, service, paid=True)

        def holds() -> None:
            assert record_of(self.market, subscription)["status"] == "CANCELLED"

        return self._told(
            "customer.subscription.deleted",
            lambda: self.market.stripe.v1.subscriptions.cancel(subscription.id),
            holds,
        )

    def arrived_event(self) -> Scene:
        booking = self.completed()
        provider = booking.service.provider
        caller = self.market.api.as_user(provider.uid)
        caller.post("payout-manager", "SCHEDULE_PAYOUT", providerId=provider.uid).ok()

        def holds() -> None:
            history = caller.post(
                "payout-manager", "GET_PAYOUT_HISTORY", providerId=provider.uid
            ).ok()
            assert [one["status"] for one in history["payouts"]] == ["PAID"]

        return self._told(
            "payout.paid",
            lambda: self.market.control.advance(4 * DAY),
            holds,
            str(provider.account_id),
        )


SCENES: dict[str, Callable[[Sets], Scene]] = {
    "CREATE_BOOKING": Sets.create_booking,
    "CONFIRM_BOOKING": Sets.confirm_booking,
    "CONFIRM_BOOKING, a request": Sets.accept_request,
    "CREATE_BOOKING, a far request": Sets.create_far_booking,
    "CONFIRM_BOOKING, a far request": Sets.accept_far_request,
    "event setup_intent.succeeded, of a far request": Sets.saved_event,
    "CONFIRM_BOOKING, a request without a place": Sets.accept_without_place,
    "DECLINE_BOOKING": Sets.decline_request,
    "CHECK_IN": Sets.check_in,
    "MARK_NO_SHOW": Sets.no_show,
    "CANCEL_BOOKING, paid": Sets.cancel_paid,
    "CANCEL_BOOKING, unpaid": Sets.cancel_unpaid,
    "COMPLETE_BOOKING": Sets.complete_booking,
    "PROCESS_REFUND, in part": Sets.refund_in_part,
    "PROCESS_REFUND, after the transfer": Sets.refund_after_transfer,
    "SCHEDULE_PAYOUT": Sets.schedule_payout,
    "INSTANT_PAYOUT": Sets.instant_payout,
    "CREATE_PAYOUT": Sets.create_payout,
    "CANCEL_PAYOUT": Sets.cancel_payout,
    "CREATE_ACCOUNT": Sets.create_account,
    "DISPUTE_REFUND": Sets.dispute_refund,
    "RESOLVE_REFUND_DISPUTE, rejected": Sets.reject_dispute,
    "RESOLVE_REFUND_DISPUTE, upheld after the transfer": Sets.uphold_dispute_after_transfer,
    "RELEASE_HOLD": Sets.release_hold,
    "PAUSE_PAYOUTS": Sets.pause_payouts,
    "RESUME_PAYOUTS": Sets.resume_payouts,
    "SUBMIT_DISPUTE_EVIDENCE": Sets.submit_evidence,
    "SUBMIT_DISPUTE_EVIDENCE, staged": Sets.stage_evidence,
    "CREATE_SUBSCRIPTION": Sets.create_subscription,
    "PAUSE_SUBSCRIPTION": Sets.pause_subscription,
    "CANCEL_SUBSCRIPTION, with the period": Sets.cancel_subscription,
    "CANCEL_SUBSCRIPTION, at once": Sets.cancel_subscription_now,
    "event payment_intent.succeeded": Sets.paid_event,
    "event payment_intent.payment_failed": Sets.declined_event,
    "event payment_intent.amount_capturable_updated": Sets.authorised_event,
    "event payment_intent.canceled, of a request": Sets.lapsed_event,
    "event refund.created, made by hand": Sets.refund_event,
    "event charge.dispute.created": Sets.disputed_event,
    "event charge.dispute.closed, lost": Sets.lost_dispute_event,
    "event radar.early_fraud_warning.created, a small payment": Sets.fraud_warning_event,
    "event payout.paid": Sets.arrived_event,
    "event charge.succeeded, of an invoice": Sets.charge_event,
    "event invoice.paid": Sets.invoice_event,
    "event customer.subscription.deleted": Sets.subscription_event,
}


def _status(sets: Sets, booking: Booking, status: str) -> Callable[[dict[str, Any]], None]:
    def holds(_: dict[str, Any]) -> None:
        assert sets.market.booking(booking.id)["status"] == status

    return holds


def _refunded(
    sets: Sets, booking: Booking, status: str, refunds: int
) -> Callable[[dict[str, Any]], None]:
    """The status, and exactly so many refunds at Stripe."""

    def holds(_: dict[str, Any]) -> None:
        assert sets.market.booking(booking.id)["status"] == status
        found = sets.market.stripe.v1.refunds.list({"payment_intent": booking.payment_intent})
        assert len(found.data) == refunds

    return holds
