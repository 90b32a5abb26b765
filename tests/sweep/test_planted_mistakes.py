"""The sweep can fail: mistakes planted in the product's own code, each of which is found.

A mistake is put in the place of the product's code for one test, in this process, which then does
all the work: it plays an action, meets a fault, hears Stripe's events and heals by the same request
and the maintenance run. What the books were accused of before does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client as FirestoreClient
from stripe import StripeClient

from common.bookings import claims
from common.bookings.model import Booking
from common.bootstrap import build
from common.operations import runner
from common.operations.model import Result
from common.reconciliation.gathering import gather
from common.reconciliation.program import judge
from common.refunds import amounts, refund_operation
from common.webhooks.dispatch import process
from common.webhooks.marker import Marker
from emulator.stack.handle import running_stack
from emulator.stack.ports import free_base
from functions.payout_manager import payouts
from tests.functions.acts import charge_of
from tests.support.api import Api
from tests.support.market import Market
from tests.support.stripe_control import StripeControl
from tests.sweep.actions import Request, Scene, Sets
from tests.sweep.faults import Crash, FaultyGateway
from tests.sweep.sweeping import AFTER_THE_LEASE_SECONDS, Lost, Sweep

Plant = Callable[[pytest.MonkeyPatch], None]
MAINTENANCE = Request("booking-processor", "operator", {"action": "RUN_MAINTENANCE"}, admin=True)


class Alone(Sweep):
    """Does everything in this process; what Stripe tells reaches no other."""

    def trouble(self, scene: Scene, at: int | None = None, mode: str = "") -> list[str]:
        """What is wrong once a scene was played with a fault and healed."""
        before, begun = self._accusations(), self._event_ids()
        with self._unheard():
            problems = self._play(scene, at, mode, begun)
        return problems + sorted(self._accusations() - before)

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        """No webhook reaches the stack's own functions."""
        self.market.control.idle()
        self.market.control.webhooks("drop")
        try:
            yield
        finally:
            self.market.control.webhooks("normal")

    def _play(self, scene: Scene, at: int | None, mode: str, begun: set[str]) -> list[str]:
        key = uuid4().hex
        self.faults.at, self.faults.mode, self.faults.calls = at, mode, []
        problems: list[str] = []
        with suppress(Crash, Lost, AssertionError):  # the second time is the one that counts
            self._here(scene.request, key)
        self.faults.at = None
        self._hear(begun)
        self.market.control.advance(AFTER_THE_LEASE_SECONDS)
        for request, under in ((scene.request, key), (MAINTENANCE, uuid4().hex)):
            try:
                answer = self._here(request, under)
            except (Lost, AssertionError) as problem:
                problems.append(str(problem))
                continue
            if request is scene.request:
                problems += self._held(scene, answer)
        self._hear(begun)
        return problems

    def _held(self, scene: Scene, answer: dict[str, Any]) -> list[str]:
        try:
            scene.holds(answer)
        except AssertionError as problem:
            return [f"the scene does not hold: {problem}"]
        return []

    def _accusations(self) -> set[str]:
        return {f"{one.invariant} {one.kind} {one.objects}" for one in judge(self._evidence())}

    def _evidence(self) -> Any:
        return gather(build(self.settings))

    def _event_ids(self) -> set[str]:
        return {event.id for event in self._events()}

    def _events(self) -> list[Any]:
        return list(self.market.stripe.v1.events.list({"limit": 100}).auto_paging_iter())

    def _hear(self, known: set[str]) -> None:
        """Every event of the platform since then, the oldest first."""
        self.market.control.idle()
        for event in reversed(self._events()):
            if event.id not in known:
                with suppress(
                    Exception
                ):  # a mistake may break a handler; the judge sees what of it
                    process(self.services, event.to_dict(), f"req-{event.id}", {})


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """A stack of these mistakes' own: they spoil its books."""
    logs = tmp_path_factory.mktemp("mistakes")
    options = ["--port-base", str(free_base()), "--logs", str(logs)]
    with (
        (logs / "up.log").open("wb") as progress,
        running_stack(options, progress=progress) as up,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("FIRESTORE_EMULATOR_HOST", up.firestore)
        patch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099")
        db = FirestoreClient(project=up.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
        stripe = StripeClient(up.stripe_key, base_addresses={"api": up.stripe})
        market = Market(Api(up.functions, up.project), StripeControl(up.stripe), stripe, db)
        yield Alone(up, market)


# The mistakes.


def _a_fresh_key_each_time(patch: pytest.MonkeyPatch) -> None:
    perform = FaultyGateway.perform
    patch.setattr(
        FaultyGateway,
        "perform",
        lambda self, call: perform(self, replace(call, idempotency_key=uuid4().hex)),
    )
    patch.setattr(runner, "_found", lambda *_: None)


def _a_lost_answer_is_a_no(patch: pytest.MonkeyPatch) -> None:
    made = runner._made

    def hasty(*args: Any, **more: Any) -> Result:
        try:
            return made(*args, **more)
        except runner.Unavailable:
            return Result(None, "timeout", "no answer")

    patch.setattr(runner, "_made", hasty)


def _fee_rounded_per_part(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        amounts,
        "_fee_given_back",
        lambda held, refund: min(refund, amounts.half_up(held.fee * refund, held.total)),
    )


def _nothing_is_reversed(patch: pytest.MonkeyPatch) -> None:
    opened = refund_operation._operation

    def first_stage_only(*args: Any) -> Any:
        operation = opened(*args)
        return replace(operation, stages=operation.stages[:1])

    patch.setattr(refund_operation, "_operation", first_stage_only)


def _a_place_stays_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claims, "release", lambda booking: [])


def _an_event_counts_each_time(patch: pytest.MonkeyPatch) -> None:
    """Deduplicated before and marked after the effect, in a commit of its own."""
    patch.setattr(Marker, "opening", lambda self, writes=(): None)


def _holds_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    def available(self: Booking) -> int:
        if self.earned_at is None or self.eligible_at is None:
            return 0
        return max(0, self.money.due - self.money.claimed - self.money.paid)

    patch.setattr(Booking, "available", property(available))


def _debts_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    allocate = payouts.execution.allocate
    patch.setattr(
        payouts.execution, "allocate", lambda bookings, debt, amount: allocate(bookings, 0, amount)
    )


# What each is played with: it must be found with the mistake, and nothing without.


def _a_refund_whose_answer_is_lost(alone: Alone) -> list[str]:
    return alone.trouble(Sets.refund_in_part(alone.sets), 1, "lost after")


def _a_refund_after_the_transfer(alone: Alone) -> list[str]:
    return alone.trouble(Sets.refund_after_transfer(alone.sets))


def _a_cancellation(alone: Alone) -> list[str]:
    return alone.trouble(Sets.cancel_paid(alone.sets))


def _three_refunds_that_make_one(alone: Alone) -> list[str]:
    market = alone.market
    booking = market.a_booking(market.a_service(alone.sets.provider, price="1.05"), paid=True)
    found: list[str] = []
    for reason in ("late", "cold", "loud"):
        body = {
            "action": "PROCESS_REFUND",
            "bookingId": booking.id,
            "refundAmount": "0.35",
            "reason": reason,
        }
        request = Request("refund-processor", alone.sets.provider.uid, body)
        found += alone.trouble(Scene(request, lambda answer: None))
    return found


def _a_warning_that_is_told_again_after_its_release(alone: Alone) -> list[str]:
    market, booking = alone.market, alone.sets.completed()
    begun = alone._event_ids()
    with alone._unheard():
        market.control.call("POST", "early_fraud_warnings", {"charge": charge_of(market, booking)})
        alone._hear(begun)
        market.api.as_operator().post(
            "booking-processor",
            "RELEASE_HOLD",
            bookingId=booking.id,
            kind="fraud_warning",
            note="the cardholder was asked",
        ).ok()
        alone._hear(begun)
    return [f"{hold} is back" for hold in market.booking(booking.id)["payment"]["holds"]]


def _a_payout_of_what_is_contested(alone: Alone) -> list[str]:
    booking = alone.sets.completed()
    contest = {"action": "DISPUTE_REFUND", "bookingId": booking.id, "reason": "not as described"}
    found = alone.trouble(
        Scene(Request("refund-processor", booking.customer, contest), lambda answer: None)
    )
    provider = booking.service.provider.uid
    asked = {"action": "SCHEDULE_PAYOUT", "providerId": provider}
    with suppress(Lost, AssertionError):  # refused, as it should be
        alone._here(Request("payout-manager", provider, asked), uuid4().hex)
    sent = alone.market.stripe.v1.transfers.list({"transfer_group": booking.id}).data
    return found + [f"{one.id} was transferred" for one in sent]


def _a_payout_of_one_who_owes(alone: Alone) -> list[str]:
    market, first = alone.market, alone.sets.completed()
    provider = first.service.provider
    asked = {"action": "SCHEDULE_PAYOUT", "providerId": provider.uid}
    market.api.as_user(provider.uid).post("payout-manager", **asked).ok()
    market.control.advance(4 * 86_400)
    back = {"action": "PROCESS_REFUND", "bookingId": first.id, "refundAmount": 100}
    market.api.as_operator().post("refund-processor", **back).ok()
    market.control.idle()
    market.complete(market.a_booking(first.service, paid=True))

    def holds(answer: dict[str, Any]) -> None:
        assert (answer["amount"], answer["debtRecovered"]) == (92, 92)

    return alone.trouble(Scene(Request("payout-manager", provider.uid, asked), holds))


MISTAKES: dict[str, tuple[Plant, Callable[[Alone], list[str]]]] = {
    "a fresh key for each attempt": (_a_fresh_key_each_time, _a_refund_whose_answer_is_lost),
    "a lost answer is taken for a no": (_a_lost_answer_is_a_no, _a_refund_whose_answer_is_lost),
    "the fee is rounded per part": (_fee_rounded_per_part, _three_refunds_that_make_one),
    "nothing is reversed": (_nothing_is_reversed, _a_refund_after_the_transfer),
    "a place stays taken": (_a_place_stays_taken, _a_cancellation),
    "an event counts each time": (
        _an_event_counts_each_time,
        _a_warning_that_is_told_again_after_its_release,
    ),
    "holds are forgotten": (_holds_are_forgotten, _a_payout_of_what_is_contested),
    "debts are forgotten": (_debts_are_forgotten, _a_payout_of_one_who_owes),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_found(
    alone: Alone, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, play = MISTAKES[name]
    plant(monkeypatch)
    assert play(alone) != []


@pytest.mark.parametrize("play", dict.fromkeys(play for _, play in MISTAKES.values()))
def test_without_the_mistake_nothing_is_found(
    alone: Alone, play: Callable[[Alone], list[str]]
) -> None:
    assert play(alone) == []
