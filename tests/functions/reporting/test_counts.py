"""What a report costs is the same after fifteen times as many transactions; these are the counts.

The transactions are written into a database of their own as the service writes them, in batches;
docs/reporting.md shows the counts and what they make of a million.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client as FirestoreClient
from stripe import StripeClient

from common.bookings import documents
from common.bootstrap import Services
from common.context import Answer, Context
from common.ledger.posting import Posting
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Filter, Snapshot, Store, Write, rpc_count
from emulator.stack.handle import RunningStack
from functions.reporting import export_transactions, get_metrics, get_statement, get_tax_summary
from tests.functions.inside import a_context, services_on
from tests.support.api import Api
from tests.support.market import Market, fresh
from tests.support.stripe_control import StripeControl
from tests.unit.common.bookings.builders import a_booking

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 3
FEW, MANY = 120, 1_800
WRITES_A_COMMIT = 60


@dataclass(frozen=True)
class Cost:
    """Of one request: RPCs, and documents that came back."""

    rpcs: int
    documents: int


class Counting(Store):
    """The store itself, counting the documents that it hands out."""

    documents = 0

    def read(self, keys: Iterable[Key]) -> dict[Key, Snapshot]:
        found = super().read(keys)
        self.documents += len(found)
        return found

    def query(
        self,
        collection: str,
        where: Sequence[Filter],
        *,
        order: Sequence[tuple[str, str]] = (),
        limit: int = 100,
        after: Sequence[Any] | None = None,
    ) -> list[Snapshot]:
        found = super().query(collection, where, order=order, limit=limit, after=after)
        self.documents += len(found)
        return found


@dataclass(frozen=True)
class Ledger:
    """A database with so many bookings' transactions."""

    services: Services
    store: Counting
    bookings: int

    def cost(self, ask: Callable[[Context], Answer]) -> tuple[Cost, Answer]:
        """What an operator's request costs, and its answer."""
        counter = [0]
        token = rpc_count.set(counter)
        self.store.documents = 0
        try:
            answer = ask(a_context(self.services, "GET_STATEMENT"))
        finally:
            rpc_count.reset(token)
        return Cost(counter[0], self.store.documents), answer


def postings(number: int, about: Mapping[str, str]) -> list[Posting]:
    """A payment of 100.00; of every third booking half goes back, the rest is earned."""
    refund = 50_00 if number % 3 == 0 else 0
    left = 100_00 - refund
    owed, kept = f"provider:{about['providerId']}", left * 8 // 100
    charge = (("platform:stripe", 100_00), ("bookings:held", -100_00))
    back = (("platform:stripe", -refund), ("bookings:held", refund))
    earned = (("bookings:held", left), (owed, kept - left), ("platform:commission", -kept))
    return [
        Posting("charge", f"ch_{number}", "USD", charge, about),
        *([Posting("refund", f"re_{number}", "USD", back, about)] if refund else []),
        Posting("earning", f"booking-{number}", "USD", earned, about),
    ]


def write(store: Store, bookings: int) -> None:
    """So many bookings' transactions, evenly over the days, four providers, two categories."""
    writes: list[Write] = [
        Create(collections.profile(f"provider-{n}"), {"role": "PROVIDER"}) for n in range(4)
    ]
    writes += documents.create(replace(a_booking(booking_id="booking-0"), provider_id="provider-0"))
    for number in range(bookings):
        about = {
            "bookingId": f"booking-{number}",
            "providerId": f"provider-{number % 4}",
            "category": ("music", "sport")[number // 4 % 2],
        }
        for posting in postings(number, about):
            writes += posting.writes(BEGINS + number * timedelta(days=DAYS) / bookings)
        if len(writes) >= WRITES_A_COMMIT:
            store.commit(writes)
            writes = []
    store.commit(writes)


@pytest.fixture(scope="module")
def ledgers(
    stack: RunningStack, api: Api, stripe: StripeClient, db: FirestoreClient
) -> Iterator[tuple[Ledger, Ledger]]:
    """A small ledger and a large one."""
    market = Market(api, StripeControl(stack.stripe), stripe, db)
    with services_on(stack, market) as services:

        def ledger(bookings: int) -> Ledger:
            store = Counting(fresh("counts"), services.settings.collections)
            write(store, bookings)
            own = Services(
                settings=services.settings,
                store=store,
                stripe=services.stripe,
                tokens=services.tokens,
                clock=services.clock,
            )
            return Ledger(own, store, bookings)

        yield ledger(FEW), ledger(MANY)


def asked(handle: Any, model: Any, **fields: Any) -> Callable[[Context], Answer]:
    """A request as its handler gets it."""
    command = model.model_validate(fields)
    return lambda context: dict(handle(command, context))


def metrics(start: datetime, end: datetime, **more: Any) -> Callable[[Context], Answer]:
    times = {"from": start.isoformat(), "to": end.isoformat()}
    return asked(get_metrics.handle, get_metrics.Request, **times, **more)


def test_metrics_of_whole_days_read_the_days_documents(ledgers: tuple[Ledger, Ledger]) -> None:
    for more in ({}, {"groupBy": "day"}, {"groupBy": "category"}):
        ask = metrics(BEGINS, BEGINS + timedelta(days=DAYS), **more)
        costs = []
        for ledger in ledgers:
            cost, told = ledger.cost(ask)
            costs.append(cost)
            figures = told["byCurrency"]["USD"]
            assert figures["paymentCount"] == ledger.bookings
            assert figures["refundCount"] == ledger.bookings // 3
            assert figures["commissionRevenue"] == 8 * ledger.bookings - 4 * (ledger.bookings // 3)
        # the days' documents, two counts of accounts, two of disputes
        assert costs[0] == costs[1] == Cost(rpcs=3 + 2, documents=DAYS * 8)


def test_metrics_of_partial_days_ask_firestore_for_sums(ledgers: tuple[Ledger, Ledger]) -> None:
    start, end = BEGINS + timedelta(hours=5), BEGINS + timedelta(days=DAYS, hours=-7)
    costs = []
    for ledger in ledgers:
        cost, told = ledger.cost(metrics(start, end))
        costs.append(cost)
        assert told["byCurrency"]["USD"]["paymentCount"] == ledger.bookings * 60 // 72
    # the same, and a sum for each category of the two partial days
    assert costs[0] == costs[1] == Cost(rpcs=3 + 2 + 2 * 2, documents=DAYS * 8)


def test_a_provider_s_year_is_one_document_a_currency(ledgers: tuple[Ledger, Ledger]) -> None:
    ask = asked(get_tax_summary.handle, get_tax_summary.Request, year=2026, providerId="provider-1")
    costs = []
    for ledger in ledgers:
        cost, told = ledger.cost(ask)
        costs.append(cost)
        assert told["byCurrency"]["USD"]["transactionCount"] == ledger.bookings // 4
    assert costs[0] == costs[1] == Cost(rpcs=2, documents=2)


def test_everybody_s_year_reads_what_it_shows(ledgers: tuple[Ledger, Ledger]) -> None:
    ask = asked(get_tax_summary.handle, get_tax_summary.Request, year=2026)
    costs = []
    for ledger in ledgers:
        cost, told = ledger.cost(ask)
        costs.append(cost)
        assert [one["providerId"] for one in told["providers"]] == [
            f"provider-{n}" for n in range(4)
        ]
    assert costs[0] == costs[1] == Cost(rpcs=1, documents=4)


def test_a_statement_reads_its_own_booking(ledgers: tuple[Ledger, Ledger]) -> None:
    ask = asked(get_statement.handle, get_statement.Request, bookingId="booking-0")
    costs = []
    for ledger in ledgers:
        cost, told = ledger.cost(ask)
        costs.append(cost)
        assert [line["kind"] for line in told["transactions"]] == ["charge", "refund", "earning"]
    assert costs[0] == costs[1] == Cost(rpcs=2, documents=4)


def test_a_page_of_an_export_reads_one_document_beyond_itself(
    ledgers: tuple[Ledger, Ledger],
) -> None:
    times = {"from": BEGINS.isoformat(), "to": (BEGINS + timedelta(days=DAYS)).isoformat()}
    for who, rpcs in (({}, 1), ({"providerId": "provider-1"}, 2)):
        ask = asked(
            export_transactions.handle,
            export_transactions.Request,
            **times,
            **who,
            format="csv",
            limit=25,
        )
        costs = []
        for ledger in ledgers:
            cost, told = ledger.cost(ask)
            costs.append(cost)
            assert len(told["rows"]) == 26
            assert told["nextCursor"]
        assert costs[0] == costs[1] == Cost(rpcs=rpcs, documents=26 + (rpcs - 1))
