"""Random histories of one emulator, and what must hold after each of their steps."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from emulator.stripe.errors import StripeError
from emulator.stripe.onboarding import finish
from emulator.stripe.resources import disputes, payment_attempts
from emulator.stripe.state import balances
from tests.emulator.stripe.direct import ACCOUNT, Direct

CARDS = (
    "visa", "bypassPending", "chargeDeclined", "authenticationRequired", "createDispute",
    "createDisputeInquiry", "refundFail", "pendingRefund", "riskLevelElevated",
    "createIssuerFraudRecord",
)  # fmt: skip
PAYING = ("visa", "bypassPending", "bypassPending", "refundFail", "pendingRefund")
PERCENTS = (1, 30, 50, 70, 92, 100, 100, 101)
PAYMENT_INTENT = {
    "requires_payment_method": {"requires_confirmation", "requires_action", "succeeded",
                                "requires_capture", "canceled"},
    "requires_confirmation": {"requires_payment_method", "requires_action", "succeeded",
                              "requires_capture", "canceled"},
    "requires_action": {"requires_payment_method", "requires_confirmation", "succeeded",
                        "requires_capture", "canceled"},
    "requires_capture": {"succeeded", "canceled"},
    "succeeded": set(),
    "canceled": set(),
}  # fmt: skip
PAYOUT = {
    "pending": {"in_transit", "paid", "failed", "canceled"},
    "in_transit": {"paid", "failed"},
    "paid": {"failed"},
    "failed": set(),
    "canceled": set(),
}
REFUND = {
    "pending": {"succeeded", "failed"},
    "succeeded": {"failed", "pending"},
    "failed": set(),
}
DISPUTE = {
    "warning_needs_response": {"warning_under_review", "warning_closed", "needs_response", "lost"},
    "warning_under_review": {"warning_closed", "needs_response", "lost"},
    "needs_response": {"under_review", "won", "lost"},
    "under_review": {"won", "lost"},
    "won": set(),
    "lost": set(),
    "warning_closed": set(),
}
TABLES = {
    "payment_intent": PAYMENT_INTENT, "payout": PAYOUT, "refund": REFUND, "dispute": DISPUTE,
}  # fmt: skip


class Books(RuleBasedStateMachine):
    """Payments, transfers, refunds, disputes and payouts in any order, with the clock moving."""

    charges = Bundle("charges")
    intents = Bundle("intents")
    accounts = Bundle("accounts")
    transfers = Bundle("transfers")

    def __init__(self) -> None:
        super().__init__()
        self.direct = Direct()
        self.statuses: dict[str, str] = {}

    @initialize(target=accounts)
    def first_account(self) -> str:
        return self._account("000123456789")

    @initialize(target=accounts)
    def an_account_that_cannot_be_paid_out(self) -> str:
        return self._account("000111111116")

    def _account(self, bank: str) -> str:
        _, account = self.direct.call("POST", "/v1/accounts", ACCOUNT)
        with self.direct.world.transaction():
            finish(self.direct.world, account["id"], "complete", bank)
        return str(account["id"])

    @rule(
        target=intents,
        amount=st.integers(50, 500_00),
        card=st.sampled_from(CARDS),
        manual=st.booleans(),
    )
    def pay(self, amount: int, card: str, manual: bool) -> Any:
        body = (
            f"amount={amount}&currency=usd&confirm=true&payment_method=pm_card_{card}"
            f"&capture_method={'manual' if manual else 'automatic_async'}"
        )
        status, answer = self.direct.call("POST", "/v1/payment_intents", body)
        assert status in (200, 402)
        intent = answer if status == 200 else answer["error"]["payment_intent"]
        return str(intent["id"])

    @rule(intent=intents, outcome=st.sampled_from(["succeeded", "failed"]))
    def authenticate(self, intent: str, outcome: str) -> None:
        self._try(payment_attempts.authenticate, intent, outcome)

    @rule(intent=intents, part=st.integers(1, 100))
    def capture(self, intent: str, part: int) -> None:
        _, found = self.direct.call("GET", f"/v1/payment_intents/{intent}")
        amount = max(1, found["amount"] * part // 100)
        self._post(f"/v1/payment_intents/{intent}/capture", f"amount_to_capture={amount}")

    @rule(intent=intents)
    def cancel(self, intent: str) -> None:
        self._post(f"/v1/payment_intents/{intent}/cancel")

    @rule(intent=intents, card=st.sampled_from(CARDS))
    def confirm(self, intent: str, card: str) -> None:
        path = f"/v1/payment_intents/{intent}/confirm"
        self._post(path, f"payment_method=pm_card_{card}", {200, 400, 402})

    @rule(target=charges, amount=st.integers(50, 500_00), card=st.sampled_from(PAYING))
    def charge(self, amount: int, card: str) -> str:
        body = f"amount={amount}&currency=usd&confirm=true&payment_method=pm_card_{card}"
        status, intent = self.direct.call("POST", "/v1/payment_intents", body)
        assert status == 200
        return str(intent["latest_charge"])

    @rule(target=charges, intent=intents)
    def look_up_charge(self, intent: str) -> Any:
        _, found = self.direct.call("GET", f"/v1/payment_intents/{intent}")
        return found["latest_charge"] if found["latest_charge"] else multiple()

    @rule(charge=charges, percent=st.sampled_from(PERCENTS))
    def refund(self, charge: str, percent: int) -> None:
        self._post("/v1/refunds", f"charge={charge}&amount={self._part('charge', charge, percent)}")

    def _part(self, kind: str, id: str, percent: int) -> int:
        """A share of an object's amount, more than all of it included."""
        return max(1, int(self.direct.world.store.get(kind, id)["amount"]) * percent // 100)

    @rule(
        target=transfers,
        charge=charges,
        account=accounts,
        percent=st.sampled_from(PERCENTS),
        sourced=st.booleans(),
    )
    def transfer(self, charge: str, account: str, percent: int, sourced: bool) -> Any:
        amount = self._part("charge", charge, percent)
        body = f"amount={amount}&currency=usd&destination={account}"
        body += f"&source_transaction={charge}" if sourced else ""
        made = self._post("/v1/transfers", body)
        return str(made["id"]) if made else multiple()

    @rule(transfer=transfers, percent=st.sampled_from(PERCENTS))
    def reverse(self, transfer: str, percent: int) -> None:
        amount = self._part("transfer", transfer, percent)
        self._post(f"/v1/transfers/{transfer}/reversals", f"amount={amount}")

    @rule(
        transfer=transfers,
        percent=st.sampled_from(PERCENTS),
        method=st.sampled_from(["standard", "instant"]),
        cancelled=st.booleans(),
    )
    def pay_out(self, transfer: str, percent: int, method: str, cancelled: bool) -> None:
        account = str(self.direct.world.store.get("transfer", transfer)["destination"])
        amount = self._part("transfer", transfer, percent)
        body = f"amount={amount}&currency=usd&method={method}"
        status, made = self.direct.call("POST", "/v1/payouts", body, account)
        assert status in (200, 400)
        if status == 200 and cancelled:
            self.direct.call("POST", f"/v1/payouts/{made['id']}/cancel", "", account)

    @rule(charge=charges, inquiry=st.booleans())
    def dispute(self, charge: str, inquiry: bool) -> None:
        self._try(disputes.open_dispute, charge, "fraudulent", inquiry)

    @rule(charge=charges, outcome=st.sampled_from(["won", "lost"]))
    def decide(self, charge: str, outcome: str) -> None:
        found = disputes.latest_open(self.direct.world, charge)
        if found is not None:
            self._try(disputes.decide, found["id"], outcome)

    @rule(hours=st.sampled_from([0.001, 0.001, 0.001, 1, 48, 24 * 10]))
    def wait(self, hours: float) -> None:
        self.direct.advance(hours * 3600)

    @rule(amount=st.integers(50, 100_00), card=st.sampled_from(CARDS), key=st.uuids())
    def the_same_request_twice_changes_nothing_the_second_time(
        self, amount: int, card: str, key: UUID
    ) -> None:
        body = f"amount={amount}&currency=usd&confirm=true&payment_method=pm_card_{card}"
        path = "/v1/payment_intents"
        first = self.direct.answer("POST", path, body, key=key.hex)
        before = self.direct.objects()
        again = self.direct.answer("POST", path, body, key=key.hex)
        assert (again.status, again.body) == (first.status, first.body)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert self.direct.objects() == before

    def _post(
        self, path: str, body: str = "", allowed: set[int] | None = None
    ) -> dict[str, Any] | None:
        """A request that may be refused, but then it must have changed nothing."""
        before = self.direct.objects()
        status, answer = self.direct.call("POST", path, body)
        assert status in (allowed or {200, 400}), answer
        if status == 400:
            after = self.direct.objects()
            assert after == before
        return answer if status == 200 else None

    def _try(self, change: Any, *args: Any) -> None:
        try:
            with self.direct.world.transaction():
                change(self.direct.world, *args)
        except StripeError as refusal:
            if refusal.status != 400:
                raise

    @invariant()
    def nothing_failed(self) -> None:
        assert self.direct.world.failures == []

    @invariant()
    def balances_are_the_sums_of_their_transactions(self) -> None:
        sums: dict[tuple[str, str, str], int] = defaultdict(int)
        for txn in self.direct.objects().get("balance_transaction", []):
            assert txn["net"] == txn["amount"] - txn["fee"]
            assert txn["fee"] == sum(detail["amount"] for detail in txn["fee_details"])
            sums[txn["account"], txn["currency"], txn["status"]] += txn["net"]
        shown = {
            (account, currency, status): amount
            for account, currencies in balances(self.direct.world).items()
            for currency, amounts in currencies.items()
            for status, amount in amounts.items()
        }
        assert {key: value for key, value in sums.items() if value} == {
            key: value for key, value in shown.items() if value
        }

    @invariant()
    def no_payment_gives_out_more_than_came_in(self) -> None:
        objects = self.direct.objects()
        given: dict[str, int] = defaultdict(int)
        for refund in objects.get("refund", []):
            if refund["status"] not in ("failed", "canceled"):
                given[refund["charge"]] += refund["amount"]
        refunded = dict(given)
        for dispute in objects.get("dispute", []):
            if dispute["status"] == "lost":
                given[dispute["charge"]] += dispute["amount"]
        moved: dict[str, int] = defaultdict(int)
        for transfer in objects.get("transfer", []):
            assert 0 <= transfer["amount_reversed"] <= transfer["amount"]
            moved[transfer["source_transaction"]] += transfer["amount"]
        for charge in objects.get("charge", []):
            if charge["captured"]:
                assert charge["amount_refunded"] == refunded.get(charge["id"], 0)
                assert given[charge["id"]] <= charge["amount_captured"]
            assert moved[charge["id"]] <= charge["amount"]
        for account, currencies in balances(self.direct.world).items():
            if account != self.direct.world.platform:
                assert all(sum(amounts.values()) >= 0 for amounts in currencies.values())

    @invariant()
    def states_only_move_along_their_table(self) -> None:
        objects = self.direct.objects()
        for kind, table in TABLES.items():
            for obj in objects.get(kind, []):
                before = self.statuses.get(obj["id"], obj["status"])
                now = obj["status"]
                assert now == before or self._reachable(table, before, now), (kind, before, now)
                self.statuses[obj["id"]] = now

    @invariant()
    def every_object_has_moved_what_it_says(self) -> None:
        objects = self.direct.objects()
        moved: dict[str, int] = defaultdict(int)
        for txn in objects.get("balance_transaction", []):
            moved[txn["source"]] += txn["amount"]
        for charge in objects.get("charge", []):
            came = charge["amount_captured"] if charge["balance_transaction"] else 0
            assert moved[charge["id"]] == came, charge
        for payout in objects.get("payout", []):
            left = 0 if payout["status"] in ("failed", "canceled") else -payout["amount"]
            assert moved[payout["id"]] == left, payout
        for refund in objects.get("refund", []):
            went = {"failed": (0,), "pending": (0, -refund["amount"])}
            assert moved[refund["id"]] in went.get(refund["status"], (-refund["amount"],)), refund
        for dispute in objects.get("dispute", []):
            taken = dispute["status"] in ("needs_response", "under_review", "lost")
            assert moved[dispute["id"]] == (-dispute["amount"] if taken else 0), dispute

    def judge(self) -> None:
        """Every invariant, for those who walk without hypothesis."""
        self.nothing_failed()
        self.balances_are_the_sums_of_their_transactions()
        self.no_payment_gives_out_more_than_came_in()
        self.states_only_move_along_their_table()
        self.every_object_has_moved_what_it_says()

    @staticmethod
    def _reachable(table: dict[str, set[str]], begin: str, end: str) -> bool:
        """Whether a path leads there: the clock may have passed several steps at once."""
        seen, open_ends = {begin}, [begin]
        while open_ends:
            for following in table[open_ends.pop()] - seen:
                seen.add(following)
                open_ends.append(following)
        return end in seen
