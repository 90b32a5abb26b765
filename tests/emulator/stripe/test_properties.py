"""Books that always add up, states that stay in their tables, and a refusal for every nonsense."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

from hypothesis import HealthCheck, settings

from emulator.stripe.onboarding import finish
from emulator.stripe.params import Param, Params
from tests.emulator.stripe import openapi
from tests.emulator.stripe.direct import ACCOUNT, API, Direct
from tests.emulator.stripe.histories import Books
from tests.emulator.stripe.walk import Walk

TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


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
        operation = random_.choice(API[0].operations)
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
