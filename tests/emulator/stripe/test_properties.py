"""Random histories: books that always add up, states that stay in their tables, honest replays."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from emulator.stripe.api import Answer, Api, Request
from emulator.stripe.clock import Clock
from emulator.stripe.errors import StripeError
from emulator.stripe.known import KnownOperations
from emulator.stripe.onboarding import finish
from emulator.stripe.params import Param, Params
from emulator.stripe.registry import kinds, operations
from emulator.stripe.resources import disputes, payment_attempts
from emulator.stripe.routes import Router
from emulator.stripe.state import balances
from emulator.stripe.world import Config, World
from tests.emulator.stripe import openapi

KEY = "_".join(("sk", "test", "properties"))
ACCOUNT = "type=express&capabilities[transfers][requested]=true"
_API = (Router(operations()), KnownOperations())
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


class StandingClock(Clock):
    """Time passes only when a test says so: the same history gives the same objects."""

    def main_time(self) -> float:
        return 1_900_000_000.0 + self.offset_seconds if self._frozen is None else self._frozen


class Direct:
    """The API without a network: requests go straight to it."""

    def __init__(self) -> None:
        config = Config(KEY, KEY.replace("sk", "pk"), "http://127.0.0.1:1", "seed")
        self.world = World(config, StandingClock(), kinds())
        self.api = Api(self.world, *_API)

    def call(
        self,
        method: str,
        path: str,
        body: str = "",
        account: str | None = None,
        key: str | None = None,
    ) -> tuple[int, Any]:
        answer = self.answer(method, path, body, account, key)
        return answer.status, json.loads(answer.body)

    def answer(
        self, method: str, path: str, body: str = "", account: str | None = None,
        key: str | None = None,
    ) -> Answer:  # fmt: skip
        headers = {"authorization": f"Bearer {KEY}"}
        if account:
            headers["stripe-account"] = account
        if key:
            headers["idempotency-key"] = key
        path, _, query = path.partition("?")
        sent = body.encode() if method == "POST" else b""
        return self.api.handle(Request(method, path, query, headers, sent))

    def objects(self) -> dict[str, list[dict[str, Any]]]:
        """Everything but the events, each object with its account."""
        return {
            kind: [{**self.world.show(row.obj), "account": row.account} for row in table.values()]
            for kind, table in self.world.store.tables.items()
            if kind[0] != "_" and kind != "event" and table
        }

    def advance(self, seconds: float) -> None:
        self.world.run_due(self.world.clock.time() + seconds)
        self.world.clock.offset_seconds += max(1, int(seconds))


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

    @rule(amount=st.integers(50, 100_00), card=st.sampled_from(CARDS), data=st.data())
    def the_same_request_twice_changes_nothing_the_second_time(
        self, amount: int, card: str, data: st.DataObject
    ) -> None:
        body = f"amount={amount}&currency=usd&confirm=true&payment_method=pm_card_{card}"
        key = data.draw(st.uuids()).hex
        first = self.direct.answer("POST", "/v1/payment_intents", body, key=key)
        before = self.direct.objects()
        again = self.direct.answer("POST", "/v1/payment_intents", body, key=key)
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

    @staticmethod
    def _reachable(table: dict[str, set[str]], begin: str, end: str) -> bool:
        """Whether a path leads there: the clock may have passed several steps at once."""
        seen, open_ends = {begin}, [begin]
        while open_ends:
            for following in table[open_ends.pop()] - seen:
                seen.add(following)
                open_ends.append(following)
        return end in seen


TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Walk:
    """A long random history with the rules above, of which each finds what it can act upon."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.books = Books()
        self.held: dict[str, list[str]] = {
            "account": [
                self.books.first_account(),
                self.books.an_account_that_cannot_be_paid_out(),
            ],
            "charge": [],
            "intent": [],
            "transfer": [],
        }

    def one(self, kind: str) -> str:
        """One of the latest few, so that histories hang together."""
        return self.random.choice(self.held[kind][-4:])

    def percent(self) -> int:
        return self.random.choice(PERCENTS)

    def keep(self, kind: str, made: Any) -> None:
        if isinstance(made, str):
            self.held[kind].append(made)

    def step(self) -> None:
        books, choose = self.books, self.random.choice
        wait = choose([0.001, 0.001, 0.001, 1, 48, 240])
        actions: list[tuple[str, Any]] = [
            (
                "",
                lambda: self.keep(
                    "charge", books.charge(self.random.randint(50, 500_00), choose(PAYING))
                ),
            ),
            (
                "",
                lambda: self.keep(
                    "intent",
                    books.pay(
                        self.random.randint(50, 500_00), choose(CARDS), choose([True, False])
                    ),
                ),
            ),
            ("", lambda: books.wait(wait)),
            ("", lambda: books.wait(wait)),
            (
                "charge",
                lambda: self.keep(
                    "transfer",
                    books.transfer(
                        self.one("charge"),
                        self.one("account"),
                        self.percent(),
                        choose([True, False]),
                    ),
                ),
            ),
            (
                "charge",
                lambda: self.keep(
                    "transfer",
                    books.transfer(self.one("charge"), self.one("account"), self.percent(), True),
                ),
            ),
            ("charge", lambda: books.refund(self.one("charge"), self.percent())),
            ("charge", lambda: books.dispute(self.one("charge"), choose([True, False]))),
            ("charge", lambda: books.decide(self.one("charge"), choose(["won", "lost"]))),
            ("transfer", lambda: books.reverse(self.one("transfer"), self.percent())),
            (
                "transfer",
                lambda: books.pay_out(
                    self.one("transfer"),
                    self.percent(),
                    choose(["standard", "instant"]),
                    self.random.random() < 0.2,
                ),
            ),
            ("intent", lambda: books.capture(self.one("intent"), choose([50, 100]))),
            (
                "intent",
                lambda: books.authenticate(self.one("intent"), choose(["succeeded", "failed"])),
            ),
            ("intent", lambda: books.confirm(self.one("intent"), choose(CARDS))),
            ("intent", lambda: books.cancel(self.one("intent"))),
            ("intent", lambda: self.keep("charge", books.look_up_charge(self.one("intent")))),
        ]
        _, action = choose([entry for entry in actions if not entry[0] or self.held[entry[0]]])
        action()
        books.nothing_failed()
        books.balances_are_the_sums_of_their_transactions()
        books.no_payment_gives_out_more_than_came_in()
        books.states_only_move_along_their_table()


def test_long_histories_keep_the_books_and_reach_every_kind_of_movement() -> None:
    reached: set[tuple[str, str]] = set()
    for seed in range(12):
        walk = Walk(seed)
        for _ in range(80):
            walk.step()
        for txn in walk.books.direct.objects()["balance_transaction"]:
            reached.add((txn["type"], txn["reporting_category"]))
    assert reached >= {
        ("charge", "charge"),
        ("refund", "refund"),
        ("refund_failure", "refund_failure"),
        ("transfer", "transfer"),
        ("payment", "charge"),
        ("transfer_refund", "transfer_reversal"),
        ("payment_refund", "refund"),
        ("adjustment", "dispute"),
        ("adjustment", "dispute_reversal"),
        ("payout", "payout"),
        ("payout_cancel", "payout_cancel"),
        ("payout_failure", "payout_failure"),
    }


TEXTS = (
    "", "0", "-1", "99999999999999999999", "true", "x" * 300, "usd", "\u0000", "é", "pm_card_visa",
    "[]", "ch_1", "{}", "1.5", "2030-01-01", "acct_1", " ", "null", "%",
)  # fmt: skip


def _nonsense(random_: random.Random, param: Param | None) -> list[tuple[str, str]]:
    """Suffixes and values for one parameter, mostly wrong, sometimes right."""
    value = random_.choice(TEXTS)
    shapes = [("", value), ("[]", value), ("[0]", value), ("[a]", value), ("[0][a]", value)]
    if param is not None and param.kind == "hash" and param.children and random_.random() < 0.7:
        name = random_.choice(list(param.children))
        inner = random_.choice(_nonsense(random_, param.children[name]))
        return [(f"[{name}]{inner[0]}", inner[1])]
    if param is not None and param.kind == "enum" and random_.random() < 0.6:
        return [("", random_.choice(param.values))]
    if param is not None and param.kind == "integer" and random_.random() < 0.6:
        return [("", str(random_.randint(-5, 100_000)))]
    return [random_.choice(shapes)]


def _body(random_: random.Random, params: Params) -> str:
    names = [name for name in params if params[name].required or random_.random() < 0.3]
    pairs = []
    for name in [*names, *(["surprise"] if random_.random() < 0.1 else [])]:
        for suffix, value in _nonsense(random_, params.get(name)):
            pairs.append(f"{quote(name)}{suffix}={quote(value)}")
    return "&".join(pairs)


def test_nonsense_gets_a_stripe_shaped_refusal_and_never_a_500() -> None:
    random_ = random.Random(7)
    direct = Direct()
    world = direct.world
    _, account = direct.call("POST", "/v1/accounts", ACCOUNT)
    with world.transaction():
        finish(world, account["id"], "complete")
    for card in ("visa", "bypassPending", "createDispute"):
        direct.call(
            "POST",
            "/v1/payment_intents",
            f"amount=5000&currency=usd&confirm=true&payment_method=pm_card_{card}",
        )
    statuses: dict[int, int] = defaultdict(int)
    for _ in range(12_000):
        operation = random_.choice(_API[0].operations)
        ids = [id for id, row in world.store.rows.items() if row.kind.name[0] != "_"]
        fitting = [
            id for id in ids if world.store.rows[id].kind.name in operation.path.replace("/", "_")
        ]
        path = operation.path
        while "{" in path:
            begin, _, rest = path.partition("{")
            chosen = random_.choice(fitting or ids) if random_.random() < 0.8 else "no_such"
            path = f"{begin}{chosen}{rest.partition('}')[2]}"
        body = _body(random_, operation.params)
        if operation.method != "POST":
            path += f"?{body}"
        status, answer = direct.call(
            operation.method, path, body, account["id"] if random_.random() < 0.2 else None
        )
        statuses[status] += 1
        assert status in (200, 400, 402, 403, 404, 501), (operation, body, answer)
        if status == 200:
            schema = openapi.response_schema(operation.method, path.partition("?")[0])
            found = openapi.problems(answer, schema) if schema is not None else []
            assert found == [], (operation.method, path, body)
        else:
            assert set(answer) == {"error"}
            assert answer["error"]["message"]
            assert answer["error"]["type"] in (
                "invalid_request_error", "card_error", "api_error", "idempotency_error",
            )  # fmt: skip
    assert world.failures == []
    assert statuses[200] > 300
    assert statuses[400] > 300


def test_raw_bytes_never_break_the_parser() -> None:
    random_ = random.Random(11)
    direct = Direct()
    for _ in range(3000):
        alphabet = "ab[]=&%0\x00+é;"
        body = "".join(random_.choice(alphabet) for _ in range(random_.randint(0, 40)))
        status, _ = direct.call("POST", "/v1/customers", body)
        assert status in (200, 400), body


def test_the_modules_of_the_emulator_stay_small() -> None:
    root = Path(__file__).parents[3] / "emulator" / "stripe"
    long = {
        str(file.relative_to(root)): lines
        for file in root.rglob("*.py")
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 350
    }
    assert long == {}
