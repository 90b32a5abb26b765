"""Changes within a period: prorations, credit, paused collection."""

from __future__ import annotations

from typing import Any

import pytest
import stripe as sdk
from hypothesis import given
from hypothesis import strategies as st
from stripe import StripeClient

from emulator.stripe.resources.customer_balances import due
from emulator.stripe.resources.invoice_items import unit_amount
from emulator.stripe.resources.prorations import share
from tests.emulator.stripe.driver import Emulator
from tests.emulator.stripe.test_billing import DAY, Billing

START = 1_900_000_000
MONTH = 31 * DAY  # 17 March 2030 to 17 April 2030


class Lessons(Billing):
    """Customers on a test clock, so that every amount is known to the cent."""

    def __init__(self, client: StripeClient, emulator: Emulator) -> None:
        super().__init__(client)
        self.emulator = emulator
        self.clock = client.v1.test_helpers.test_clocks.create({"frozen_time": START})

    def subscribed(self, card: str = "pm_card_visa", **params: Any) -> Any:
        return self.subscribe(self.customer(card, test_clock=self.clock.id), **params)

    def at(self, time: int) -> None:
        self.client.v1.test_helpers.test_clocks.advance(self.clock.id, {"frozen_time": time})
        self.emulator.idle()

    def change(self, subscription: Any, quantity: int, **params: Any) -> Any:
        item = subscription["items"].data[0].id
        return self.client.v1.subscriptions.update(
            subscription.id,
            {"items": [{"id": item, "quantity": quantity}], "expand": ["latest_invoice"], **params},
        )

    def monthly(self, name: str, unit_amount: int, interval: Any = "month") -> Any:
        return self.client.v1.prices.create(
            {
                "product_data": {"name": name},
                "currency": "usd",
                "unit_amount": unit_amount,
                "recurring": {"interval": interval},
            }
        )

    def balance(self, subscription: Any) -> int:
        return int(self.client.v1.customers.retrieve(subscription.customer).balance)

    def waiting(self, subscription: Any) -> list[tuple[int, str]]:
        found = self.client.v1.invoice_items.list(
            {"customer": subscription.customer, "pending": True}
        )
        return [(item.amount, item.description or "") for item in found.data][::-1]

    def amounts(self, subscription: Any) -> list[int]:
        return [amount for amount, _ in self.waiting(subscription)]


@pytest.fixture
def lessons(stripe: StripeClient, emulator: Emulator) -> Lessons:
    return Lessons(stripe, emulator)


def test_a_larger_quantity_is_billed_with_the_next_invoice(
    lessons: Lessons, stripe: StripeClient
) -> None:
    subscription = lessons.subscribed()
    lessons.at(START + MONTH // 2)
    lessons.change(subscription, 3)
    assert lessons.waiting(subscription) == [
        (-10_00, "Unused time on Lessons after 02 Apr 2030"),
        (30_00, "Remaining time on 3 × Lessons after 02 Apr 2030"),
    ]
    lessons.at(START + MONTH + 2 * 3600)
    renewal = lessons.get(subscription).latest_invoice
    assert [line.amount for line in renewal.lines.data] == [-10_00, 30_00, 60_00]
    assert (renewal.status, renewal.amount_paid) == ("paid", 80_00)
    credit = renewal.lines.data[0].parent.invoice_item_details
    assert (credit.proration, credit.subscription) == (True, subscription.id)
    first = subscription.latest_invoice
    assert credit.proration_details.credited_items.to_dict() == {
        "invoice": first.id,
        "invoice_line_items": [first.lines.data[0].id],
    }
    assert lessons.waiting(subscription) == []
    assert stripe.v1.invoice_items.retrieve(credit.invoice_item).invoice == renewal.id


def test_always_invoice_bills_and_collects_the_difference_now(lessons: Lessons) -> None:
    subscription = lessons.subscribed()
    lessons.at(START + MONTH // 4)
    changed = lessons.change(subscription, 2, proration_behavior="always_invoice")
    invoice = changed.latest_invoice
    assert (invoice.billing_reason, invoice.status) == ("subscription_update", "paid")
    assert [line.amount for line in invoice.lines.data] == [-15_00, 30_00]
    assert (invoice.amount_paid, changed.status) == (15_00, "active")
    assert changed["items"].data[0].quantity == 2
    told = lessons.client.v1.events.list({"type": "customer.subscription.updated"}).data[0]
    before: Any = told.data.previous_attributes
    assert [item["quantity"] for item in before["items"]["data"]] == [1]
    assert before["latest_invoice"] == subscription.latest_invoice.id


def test_a_smaller_quantity_becomes_credit_that_pays_for_the_next_invoices(
    lessons: Lessons, stripe: StripeClient
) -> None:
    subscription = lessons.subscribed(items=[{"price": lessons.price.id, "quantity": 5}])
    lessons.at(START + MONTH // 2)
    changed = lessons.change(subscription, 1, proration_behavior="always_invoice")
    invoice = changed.latest_invoice
    assert (invoice.total, invoice.amount_due, invoice.status) == (-40_00, 0, "paid")
    assert (invoice.starting_balance, invoice.ending_balance) == (0, -40_00)
    assert lessons.balance(subscription) == -40_00
    lessons.at(START + MONTH + 2 * 3600)
    renewal = lessons.get(subscription).latest_invoice
    assert (renewal.total, renewal.amount_due, renewal.status) == (20_00, 0, "paid")
    assert lessons.balance(subscription) == -20_00
    moves = stripe.v1.customers.balance_transactions.list(subscription.customer).data
    assert [(move.type, move.amount) for move in moves] == [
        ("applied_to_invoice", 20_00),
        ("applied_to_invoice", -40_00),
    ]


def test_without_prorations_only_the_next_period_changes_and_no_unbilled_time_is_credited(
    lessons: Lessons,
) -> None:
    subscription = lessons.subscribed()
    lessons.at(START + MONTH // 4)
    lessons.change(subscription, 9, proration_behavior="none")
    assert lessons.waiting(subscription) == []
    lessons.at(START + MONTH // 2)
    lessons.change(subscription, 1)
    assert lessons.amounts(subscription) == [-10_00, 10_00]


def test_a_change_back_takes_back_exactly_what_the_change_had_charged(lessons: Lessons) -> None:
    subscription = lessons.subscribed()
    lessons.at(START + 1_234_567)
    lessons.change(subscription, 7)
    lessons.change(subscription, 1)
    assert len(lessons.amounts(subscription)) == 4
    assert sum(lessons.amounts(subscription)) == 0


def test_items_come_and_go_with_their_share_of_the_period(
    lessons: Lessons, stripe: StripeClient
) -> None:
    subscription = lessons.subscribed()
    books = lessons.monthly("Books", 8_00)
    lessons.at(START + MONTH // 2)
    added = stripe.v1.subscriptions.update(subscription.id, {"items": [{"price": books.id}]})
    assert [item.price.id for item in added["items"].data] == [lessons.price.id, books.id]
    first, second = (item.id for item in added["items"].data)
    stripe.v1.subscriptions.update(subscription.id, {"items": [{"id": first, "deleted": True}]})
    assert lessons.amounts(subscription) == [4_00, -10_00]
    with pytest.raises(sdk.InvalidRequestError, match="at least one item"):
        stripe.v1.subscriptions.update(
            subscription.id, {"items": [{"id": second, "deleted": True}]}
        )
    with pytest.raises(sdk.InvalidRequestError, match="same plan"):
        stripe.v1.subscriptions.update(subscription.id, {"items": [{"price": books.id}]})
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.subscriptions.update(subscription.id, {"items": [{"id": "si_1", "quantity": 1}]})
    assert caught.value.param == "items[0][id]"
    assert lessons.amounts(subscription) == [4_00, -10_00]


def test_another_price_changes_the_item_and_its_plan(
    lessons: Lessons, stripe: StripeClient
) -> None:
    subscription = lessons.subscribed()
    dear = lessons.monthly("Lessons", 50_00)
    item = subscription["items"].data[0].id
    changed = stripe.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item, "price": dear.id}]}
    )["items"].data[0]
    assert (changed.price.id, changed.plan.id, changed.plan.amount) == (dear.id, dear.id, 50_00)
    listed = stripe.v1.subscriptions.list({"price": dear.id}).data
    assert [found.id for found in listed] == [subscription.id]
    assert stripe.v1.subscriptions.list({"price": lessons.price.id}).data == []


def test_a_difference_that_is_not_paid_makes_the_subscription_past_due_or_is_undone(
    lessons: Lessons, stripe: StripeClient
) -> None:
    subscription = lessons.subscribed()
    failing = stripe.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": subscription.customer}
    )
    stripe.v1.subscriptions.update(subscription.id, {"default_payment_method": failing.id})
    lessons.at(START + MONTH // 2)
    now = {"proration_behavior": "always_invoice"}
    with pytest.raises(sdk.CardError):
        lessons.change(subscription, 2, **now, payment_behavior="error_if_incomplete")
    before = lessons.get(subscription)
    assert (before.status, before["items"].data[0].quantity) == ("active", 1)
    assert lessons.waiting(subscription) == []
    late = lessons.change(subscription, 2, **now)
    assert (late.status, late.latest_invoice.status) == ("past_due", "open")
    good = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": subscription.customer})
    stripe.v1.invoices.pay(late.latest_invoice.id, {"payment_method": good.id})
    assert lessons.get(subscription).status == "active"


def test_a_difference_may_wait_for_its_customer(lessons: Lessons, stripe: StripeClient) -> None:
    subscription = lessons.subscribed()
    lessons.at(START + MONTH // 2)
    changed = lessons.change(
        subscription,
        2,
        proration_behavior="always_invoice",
        payment_behavior="default_incomplete",
        expand=["latest_invoice.payments"],
    )
    assert (changed.status, changed.latest_invoice.attempt_count) == ("past_due", 0)
    intent = changed.latest_invoice.payments.data[0].payment.payment_intent
    stripe.v1.payment_intents.confirm(intent)
    assert lessons.get(subscription).status == "active"


def test_a_cancellation_credits_what_is_left_and_may_settle_it_at_once(
    lessons: Lessons, stripe: StripeClient
) -> None:
    settled, kept = lessons.subscribed(), lessons.subscribed()
    lessons.at(START + MONTH // 2)
    stripe.v1.subscriptions.cancel(settled.id, {"prorate": True, "invoice_now": True})
    last = lessons.get(settled).latest_invoice
    assert (last.total, last.status, lessons.balance(settled)) == (-10_00, "paid", -10_00)
    stripe.v1.subscriptions.cancel(kept.id, {"prorate": True})
    assert lessons.amounts(kept) == [-10_00]
    assert lessons.balance(kept) == 0


def test_prorations_that_wait_are_collected_when_the_subscription_ends_with_its_period(
    lessons: Lessons, stripe: StripeClient
) -> None:
    subscription = lessons.subscribed()
    lessons.at(START + MONTH // 2)
    lessons.change(subscription, 3)
    stripe.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    lessons.at(START + MONTH + 2 * 3600)
    ended = lessons.get(subscription)
    assert (ended.status, ended.latest_invoice.status) == ("canceled", "paid")
    assert ended.latest_invoice.amount_paid == 20_00


def test_nothing_is_prorated_in_a_trial(lessons: Lessons) -> None:
    subscription = lessons.subscribed(trial_period_days=10)
    lessons.at(START + DAY)
    lessons.change(subscription, 4, proration_behavior="always_invoice")
    assert lessons.waiting(subscription) == []
    assert lessons.get(subscription).latest_invoice.billing_reason == "subscription_create"


def test_the_change_may_be_reckoned_from_another_moment_of_the_period(lessons: Lessons) -> None:
    subscription = lessons.subscribed()
    lessons.at(START + MONTH // 2)
    lessons.change(subscription, 2, proration_date=START + MONTH // 4)
    assert lessons.amounts(subscription) == [-15_00, 30_00]
    with pytest.raises(sdk.InvalidRequestError) as caught:
        lessons.change(subscription, 3, proration_date=START - 1)
    assert caught.value.param == "proration_date"


@pytest.mark.parametrize(
    ("behavior", "left"),
    [
        ("keep_as_draft", "draft"),
        ("mark_uncollectible", "uncollectible"),
        ("void", "void"),
    ],
)
def test_a_pause_leaves_new_invoices_uncollected_until_it_is_over(
    lessons: Lessons, stripe: StripeClient, behavior: Any, left: str
) -> None:
    subscription = lessons.subscribed()
    paused = stripe.v1.subscriptions.update(
        subscription.id,
        {"pause_collection": {"behavior": behavior, "resumes_at": START + MONTH + 5 * DAY}},
    )
    assert paused.status == "active"
    assert paused.pause_collection.behavior == behavior  # type: ignore[union-attr]
    lessons.at(START + MONTH + DAY)
    during = lessons.get(subscription)
    assert (during.status, during.latest_invoice.status) == ("active", left)
    assert during.latest_invoice.auto_advance is False
    lessons.at(START + MONTH + 6 * DAY)
    assert lessons.get(subscription).pause_collection is None
    lessons.at(START + MONTH + 32 * DAY)
    after = lessons.get(subscription).latest_invoice
    assert (after.status, after.amount_paid) == ("paid", 20_00)
    kept = stripe.v1.invoices.retrieve(during.latest_invoice.id)
    assert (kept.status, kept.amount_paid) == (left, 0)


def test_a_pause_is_ended_by_unsetting_it_and_a_voided_period_is_not_credited(
    lessons: Lessons, stripe: StripeClient
) -> None:
    subscription = lessons.subscribed()
    stripe.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    lessons.at(START + MONTH + DAY)
    resumed = stripe.v1.subscriptions.update(subscription.id, {"pause_collection": ""})
    assert resumed.pause_collection is None
    changes = stripe.v1.events.list({"type": "customer.subscription.updated"}).data
    assert changes[0].data.previous_attributes.to_dict() == {  # type: ignore[union-attr]
        "pause_collection": {"behavior": "void", "resumes_at": None}
    }
    stripe.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})
    assert lessons.balance(subscription) == 0


def test_a_customers_balance_can_be_adjusted_and_is_given_back_by_a_voided_invoice(
    lessons: Lessons, stripe: StripeClient
) -> None:
    customer = lessons.customer(card=None)
    service = stripe.v1.customers.balance_transactions
    made = service.create(customer.id, {"amount": -5_00, "currency": "usd"})
    assert (made.type, made.ending_balance) == ("adjustment", -5_00)
    service.update(customer.id, made.id, {"description": "sorry"})
    assert service.retrieve(customer.id, made.id).description == "sorry"
    subscription = lessons.subscribe(customer, payment_behavior="default_incomplete")
    invoice = subscription.latest_invoice
    assert (invoice.starting_balance, invoice.amount_due) == (-5_00, 15_00)
    intent = invoice.payments.data[0].payment.payment_intent
    assert stripe.v1.payment_intents.retrieve(intent).amount == 15_00
    assert stripe.v1.customers.retrieve(customer.id).balance == 0
    stripe.v1.invoices.void_invoice(invoice.id)
    assert stripe.v1.customers.retrieve(customer.id).balance == -5_00
    with pytest.raises(sdk.InvalidRequestError) as caught:
        service.create(customer.id, {"amount": 1, "currency": "eur"})
    assert caught.value.param == "currency"


def test_what_is_too_little_to_charge_waits_for_the_next_invoice(lessons: Lessons) -> None:
    small = lessons.monthly("Stickers", 30)
    subscription = lessons.subscribed(items=[{"price": small.id}])
    invoice = subscription.latest_invoice
    assert (invoice.total, invoice.amount_due, invoice.status) == (30, 0, "paid")
    assert lessons.balance(subscription) == 30
    lessons.at(START + MONTH + 2 * 3600)
    renewal = lessons.get(subscription).latest_invoice
    assert (renewal.total, renewal.amount_paid, lessons.balance(subscription)) == (30, 60, 0)


def test_an_invoice_of_a_deleted_customer_is_not_finalised(
    lessons: Lessons, stripe: StripeClient
) -> None:
    subscription = lessons.subscribed()
    lessons.at(START + MONTH + 60)
    draft = lessons.get(subscription).latest_invoice
    stripe.v1.customers.delete(subscription.customer)
    with pytest.raises(sdk.InvalidRequestError, match="has been deleted"):
        stripe.v1.invoices.finalize_invoice(draft.id)


def test_what_is_not_imitated_of_changes_is_said(lessons: Lessons, stripe: StripeClient) -> None:
    subscription = lessons.subscribed()
    item = subscription["items"].data[0].id
    refused: list[dict[str, Any]] = [
        {"items": [{"id": item, "price": lessons.monthly("Lessons", 200_00, "year").id}]},
        {"items": [{"id": item, "quantity": 2}], "payment_behavior": "pending_if_incomplete"},
        {"billing_cycle_anchor": {"type": "now"}},
        {"trial_end": "now"},
    ]
    for params in refused:
        with pytest.raises(sdk.APIError) as caught:
            stripe.v1.subscriptions.update(subscription.id, params)  # type: ignore[arg-type]
        assert caught.value.http_status == 501
    with pytest.raises(sdk.APIError) as caught:
        lessons.subscribed(billing_mode={"type": "classic"})
    assert caught.value.http_status == 501
    assert lessons.waiting(subscription) == []


@given(st.integers(0, 10**8), st.integers(1, 10**7), st.data())
def test_shares_of_a_period_are_never_more_than_it_and_shrink_with_the_time_left(
    amount: int, length: int, data: st.DataObject
) -> None:
    early = data.draw(st.integers(0, length))
    late = data.draw(st.integers(early, length))
    shares = [share(amount, 0, length, at) for at in (0, early, late, length)]
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1]) == (amount, 0)


@given(st.integers(-(10**8), 10**8), st.integers(-(10**8), 10**8))
def test_what_an_invoice_asks_for_and_what_is_left_make_up_what_was_owed(
    total: int, balance: int
) -> None:
    asked, after = due(total, balance, "usd")
    assert asked + after == total + balance
    assert asked == 0 or (asked >= 50 and after == 0)


def test_units_are_written_as_decimals_without_a_float() -> None:
    assert unit_amount(-10_00, 3) == "-333.333333333333"
    assert unit_amount(30_00, 3) == "1000"
    assert unit_amount(0, 0) == "0"
