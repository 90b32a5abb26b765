"""Long random histories, of which each step finds what it can act upon."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

from tests.emulator.stripe.histories import CARDS, PAYING, PERCENTS, Books


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
            (
                "",
                lambda: books.the_same_request_twice_changes_nothing_the_second_time(
                    self.random.randint(50, 100_00),
                    choose(CARDS),
                    UUID(int=self.random.getrandbits(128)),
                ),
            ),
            ("intent", lambda: self.keep("charge", books.look_up_charge(self.one("intent")))),
        ]
        _, action = choose([entry for entry in actions if not entry[0] or self.held[entry[0]]])
        action()
        books.judge()
