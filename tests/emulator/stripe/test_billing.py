"""Products, prices, subscriptions, invoices and test clocks."""

from __future__ import annotations

import calendar
import datetime
from typing import Any

import pytest
import stripe as sdk
from hypothesis import given
from hypothesis import strategies as st
from stripe import StripeClient

from emulator.stripe.resources.periods import end_of_period, shifted
from tests.emulator.stripe.driver import Emulator, Marketplace

DAY = 86400


class Billing:
    """A price of 20.00 a month and customers to sell it to."""

    def __init__(self, client: StripeClient) -> None:
        self.client = client
        product = client.v1.products.create({"name": "Lessons", "metadata": {"serviceId": "s1"}})
        self.price = client.v1.prices.create(
            {
                "product": product.id,
                "currency": "usd",
                "unit_amount": 20_00,
                "recurring": {"interval": "month"},
            }
        )

    def customer(self, card: str | None = "pm_card_visa", **params: Any) -> Any:
        customer = self.client.v1.customers.create({"email": "c@example.com", **params})
        if card is not None:
            method = self.client.v1.payment_methods.attach(card, {"customer": customer.id})
            self.client.v1.customers.update(
                customer.id, {"invoice_settings": {"default_payment_method": method.id}}
            )
        return customer

    def subscribe(self, customer: Any, **params: Any) -> Any:
        return self.client.v1.subscriptions.create(
            {
                "customer": customer.id,
                "items": [{"price": self.price.id}],
                "expand": ["latest_invoice.payments", "latest_invoice.confirmation_secret"],
                **params,
            }
        )

    def get(self, subscription: Any) -> Any:
        return self.client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice.payments"]}
        )


@pytest.fixture
def billing(stripe: StripeClient) -> Billing:
    return Billing(stripe)


def test_a_customer_with_a_card_pays_the_first_period_at_once(
    billing: Billing, market: Marketplace, emulator: Emulator
) -> None:
    subscription = billing.subscribe(billing.customer(), metadata={"bookingId": "b"})
    assert subscription.status == "active"
    invoice = subscription.latest_invoice
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == (
        "paid",
        20_00,
        "subscription_create",
    )
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.parent.subscription_details.metadata.to_dict() == {"bookingId": "b"}
    line = invoice.lines.data[0]
    assert line.pricing.price_details.price == billing.price.id
    payment = invoice.payments.data[0]
    assert (payment.status, payment.amount_paid) == ("paid", 20_00)
    item = subscription["items"].data[0]
    assert item.current_period_end > item.current_period_start
    emulator.idle()
    assert market.funds() == (0, 20_00 - 88)
    events = market.events()
    assert events[events.index("customer.subscription.created") :] == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "charge.updated",
        "invoice_payment.paid",
    ]
    created = billing.client.v1.events.list({"type": "customer.subscription.created"}).data[0]
    assert created.data.object["status"] == "active"
    found = billing.client.v1.invoice_payments.list({"invoice": invoice.id}).data
    assert [p.id for p in found] == [payment.id]


def test_an_incomplete_subscription_begins_when_its_customer_pays(
    billing: Billing, emulator: Emulator
) -> None:
    subscription = billing.subscribe(
        billing.customer(card=None),
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
    )
    assert subscription.status == "incomplete"
    secret = subscription.latest_invoice.confirmation_secret.client_secret
    intent = secret.partition("_secret_")[0]
    public = emulator.client(emulator.publishable_key)
    public.v1.payment_intents.confirm(
        intent,
        {"client_secret": secret, "payment_method": "pm_card_visa"},  # type: ignore[typeddict-unknown-key]
    )
    after = billing.get(subscription)
    assert (after.status, after.latest_invoice.status) == ("active", "paid")
    assert after.default_payment_method.startswith("pm_")


def test_an_incomplete_subscription_expires_after_23_hours(
    billing: Billing, emulator: Emulator
) -> None:
    subscription = billing.subscribe(
        billing.customer(card=None), payment_behavior="default_incomplete"
    )
    emulator.advance(23 * 3600)
    after = billing.get(subscription)
    assert (after.status, after.latest_invoice.status) == ("incomplete_expired", "void")
    intent = after.latest_invoice.payments.data[0].payment.payment_intent
    assert billing.client.v1.payment_intents.retrieve(intent).status == "canceled"


def test_renewals_keep_the_day_and_are_paid_an_hour_after_they_were_drafted(
    billing: Billing, emulator: Emulator, market: Marketplace
) -> None:
    subscription = billing.subscribe(billing.customer())
    first_end = subscription["items"].data[0].current_period_end
    now = emulator.control("GET", "/clock")["now"]
    emulator.advance(first_end - now + 1)
    drafted = billing.get(subscription)
    assert drafted.latest_invoice.status == "draft"
    assert drafted["items"].data[0].current_period_start == first_end
    assert (
        drafted.latest_invoice.automatically_finalizes_at == drafted.latest_invoice.created + 3600
    )
    emulator.advance(3600)
    renewed = billing.get(subscription)
    assert (renewed.status, renewed.latest_invoice.status) == ("active", "paid")
    assert renewed.latest_invoice.billing_reason == "subscription_cycle"
    assert len(billing.client.v1.invoices.list({"subscription": subscription.id}).data) == 2


def test_a_renewal_that_is_not_paid_is_tried_again_and_cancelled_in_the_end(
    billing: Billing, emulator: Emulator, market: Marketplace
) -> None:
    customer = billing.customer()
    subscription = billing.subscribe(customer)
    failing = billing.client.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer.id}
    )
    billing.client.v1.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": failing.id}}
    )
    emulator.advance(31 * DAY + 3600)
    late = billing.get(subscription)
    assert (late.status, late.latest_invoice.status) == ("past_due", "open")
    assert late.latest_invoice.attempt_count == 1
    assert "invoice.payment_failed" in market.events()
    emulator.advance(3 * DAY)
    assert billing.get(subscription).latest_invoice.attempt_count == 2
    emulator.advance(12 * DAY)
    assert billing.get(subscription).status == "canceled"


def test_a_past_due_subscription_is_active_again_once_its_invoice_is_paid(
    billing: Billing, emulator: Emulator
) -> None:
    customer = billing.customer()
    subscription = billing.subscribe(customer)
    failing = billing.client.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer.id}
    )
    billing.client.v1.subscriptions.update(subscription.id, {"default_payment_method": failing.id})
    emulator.advance(31 * DAY + 3600)
    late = billing.get(subscription)
    assert late.status == "past_due"
    with pytest.raises(sdk.CardError):
        billing.client.v1.invoices.pay(late.latest_invoice.id)
    good = billing.client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    paid = billing.client.v1.invoices.pay(late.latest_invoice.id, {"payment_method": good.id})
    assert paid.status == "paid"
    assert billing.get(subscription).status == "active"
    with pytest.raises(sdk.InvalidRequestError, match="already paid"):
        billing.client.v1.invoices.pay(late.latest_invoice.id)


def test_cancelling_at_the_end_of_the_period_and_at_once(
    billing: Billing, emulator: Emulator, market: Marketplace
) -> None:
    later = billing.subscribe(billing.customer())
    updated = billing.client.v1.subscriptions.update(later.id, {"cancel_at_period_end": True})
    assert (updated.status, updated.cancel_at_period_end) == ("active", True)
    assert updated.cancel_at == later["items"].data[0].current_period_end
    emulator.advance(31 * DAY)
    assert billing.get(later).status == "canceled"
    now = billing.subscribe(billing.customer())
    assert billing.client.v1.subscriptions.cancel(now.id).status == "canceled"
    assert market.events().count("customer.subscription.deleted") == 2
    with pytest.raises(sdk.InvalidRequestError) as caught:
        billing.client.v1.subscriptions.cancel(now.id)
    assert caught.value.code == "resource_missing"


def test_error_if_incomplete_leaves_nothing_behind(billing: Billing, emulator: Emulator) -> None:
    customer = billing.customer(card="pm_card_chargeCustomerFail")
    with pytest.raises(sdk.CardError):
        billing.subscribe(customer, payment_behavior="error_if_incomplete")
    assert emulator.state()["objects"].get("subscription", []) == []
    assert emulator.state()["objects"].get("payment_intent", []) == []
    incomplete = billing.subscribe(customer)
    assert incomplete.status == "incomplete"
    with pytest.raises(sdk.InvalidRequestError):
        billing.subscribe(billing.customer(card=None))


def test_a_trial_is_free_and_tells_three_days_before_its_end(
    billing: Billing, emulator: Emulator, market: Marketplace
) -> None:
    subscription = billing.subscribe(billing.customer(), trial_period_days=10)
    assert subscription.status == "trialing"
    assert (subscription.latest_invoice.status, subscription.latest_invoice.total) == ("paid", 0)
    emulator.advance(7 * DAY)
    assert market.events()[-1] == "customer.subscription.trial_will_end"
    emulator.advance(3 * DAY + 3600)
    after = billing.get(subscription)
    assert (after.status, after.latest_invoice.amount_paid) == ("active", 20_00)


def test_a_first_payment_that_needs_its_customer_waits_for_them(
    billing: Billing, emulator: Emulator, market: Marketplace
) -> None:
    subscription = billing.subscribe(billing.customer(card="pm_card_authenticationRequired"))
    assert subscription.status == "incomplete"
    assert "invoice.payment_action_required" in market.events()
    intent = subscription.latest_invoice.payments.data[0].payment.payment_intent
    emulator.control("POST", f"/payment_intents/{intent}/authenticate", {"outcome": "succeeded"})
    assert billing.get(subscription).status == "active"


def test_a_test_clock_moves_its_own_customers_and_nobody_else(
    billing: Billing, emulator: Emulator, stripe: StripeClient
) -> None:
    start = int(datetime.datetime(2030, 1, 31, 12, tzinfo=datetime.UTC).timestamp())
    clock = stripe.v1.test_helpers.test_clocks.create({"frozen_time": start})
    on_clock = billing.subscribe(billing.customer(test_clock=clock.id))
    other = billing.subscribe(billing.customer())
    assert on_clock["items"].data[0].current_period_start == start

    def advance(year: int, month: int, day: int) -> None:
        to = int(datetime.datetime(year, month, day, 14, tzinfo=datetime.UTC).timestamp())
        stripe.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": to})
        emulator.idle()

    advance(2030, 2, 28)
    renewed = billing.get(on_clock)
    assert renewed.latest_invoice.status == "paid"
    period = renewed["items"].data[0]
    ends = datetime.datetime.fromtimestamp(period.current_period_end, datetime.UTC)
    assert (ends.month, ends.day) == (3, 31)
    advance(2030, 5, 31)
    assert len(stripe.v1.invoices.list({"subscription": on_clock.id}).data) == 5
    assert len(stripe.v1.invoices.list({"subscription": other.id}).data) == 1
    assert stripe.v1.test_helpers.test_clocks.retrieve(clock.id).status == "ready"
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": start})
    assert stripe.v1.test_helpers.test_clocks.delete(clock.id).deleted


def test_prices_and_products_are_checked(billing: Billing, stripe: StripeClient) -> None:
    once = stripe.v1.prices.create(
        {"product_data": {"name": "Once"}, "currency": "usd", "unit_amount": 500}
    )
    assert once.type == "one_time"
    customer = billing.customer()
    with pytest.raises(sdk.InvalidRequestError, match="one_time"):
        billing.subscribe(customer, items=[{"price": once.id}])
    with pytest.raises(sdk.InvalidRequestError) as caught:
        billing.subscribe(customer, items=[{"price": "price_none"}])
    assert caught.value.param == "items[0][price]"
    stripe.v1.prices.update(billing.price.id, {"active": False})
    with pytest.raises(sdk.InvalidRequestError, match="inactive"):
        billing.subscribe(customer)
    found = stripe.v1.products.search({"query": 'metadata["serviceId"]:"s1"'}).data
    assert [product.name for product in found] == ["Lessons"]
    assert stripe.v1.prices.list({"active": False}).data[0].id == billing.price.id


@given(
    st.datetimes(datetime.datetime(2020, 1, 1), datetime.datetime(2040, 1, 1)),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 30),
)
def test_periods_follow_one_another_and_end_on_the_anchors_day_or_the_last_of_the_month(
    at: datetime.datetime, interval: str, number: int
) -> None:
    anchor = int(at.replace(tzinfo=datetime.UTC).timestamp())
    start = shifted(anchor, interval, number)
    end = end_of_period(anchor, start, interval, 1)
    assert end == shifted(anchor, interval, number + 1)
    if interval in ("month", "year"):
        day = datetime.datetime.fromtimestamp(end, datetime.UTC)
        last = calendar.monthrange(day.year, day.month)[1]
        assert day.day == min(at.day, last)


def _first_intent(subscription: Any) -> str:
    return str(subscription.latest_invoice.payments.data[0].payment.payment_intent)


def test_the_intent_of_an_invoice_is_ended_and_changed_by_the_invoice_alone(
    billing: Billing, stripe: StripeClient
) -> None:
    customer = billing.customer(card=None)
    subscription = billing.subscribe(customer, payment_behavior="default_incomplete")
    intent = _first_intent(subscription)
    with pytest.raises(sdk.InvalidRequestError, match="void the invoice"):
        stripe.v1.payment_intents.cancel(intent)
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.payment_intents.update(intent, {"amount": 1_00})
    assert caught.value.param == "amount"
    stripe.v1.invoices.void_invoice(subscription.latest_invoice.id)
    assert stripe.v1.payment_intents.retrieve(intent).status == "canceled"


def test_an_invoice_that_was_given_up_can_still_be_paid_or_voided(
    billing: Billing, stripe: StripeClient
) -> None:
    customer = billing.customer(card=None)
    paid = billing.subscribe(customer, payment_behavior="default_incomplete")
    stripe.v1.invoices.mark_uncollectible(paid.latest_invoice.id)
    stripe.v1.payment_intents.confirm(_first_intent(paid), {"payment_method": "pm_card_visa"})
    assert stripe.v1.invoices.retrieve(paid.latest_invoice.id).status == "paid"
    void = billing.subscribe(customer, payment_behavior="default_incomplete")
    stripe.v1.invoices.mark_uncollectible(void.latest_invoice.id)
    assert stripe.v1.invoices.void_invoice(void.latest_invoice.id).status == "void"


def test_nobodys_card_is_tried_again_once_the_subscription_has_ended(
    billing: Billing, emulator: Emulator, stripe: StripeClient
) -> None:
    customer = billing.customer()
    subscription = billing.subscribe(customer)
    failing = stripe.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer.id}
    )
    stripe.v1.subscriptions.update(subscription.id, {"default_payment_method": failing.id})
    emulator.advance(31 * DAY + 3600)
    late = billing.get(subscription).latest_invoice
    assert (late.status, late.attempt_count) == ("open", 1)
    stripe.v1.subscriptions.cancel(subscription.id)
    emulator.advance(30 * DAY)
    after = stripe.v1.invoices.retrieve(late.id)
    assert (after.status, after.attempt_count, after.auto_advance) == ("open", 1, False)


def test_a_draft_is_not_finalised_for_a_subscription_that_ended_or_when_told_not_to(
    billing: Billing, emulator: Emulator, stripe: StripeClient
) -> None:
    ended, held = billing.subscribe(billing.customer()), billing.subscribe(billing.customer())
    now = emulator.control("GET", "/clock")["now"]
    emulator.advance(held["items"].data[0].current_period_end - now + 1)
    stripe.v1.subscriptions.cancel(ended.id)
    draft = billing.get(held).latest_invoice.id
    stripe.v1.invoices.update(draft, {"auto_advance": False})
    emulator.advance(DAY)
    assert billing.get(ended).latest_invoice.status == "draft"
    assert stripe.v1.invoices.retrieve(draft).status == "draft"
    again = stripe.v1.invoices.update(draft, {"auto_advance": True})
    assert again.automatically_finalizes_at is not None
    emulator.advance(3600)
    assert stripe.v1.invoices.retrieve(draft).status == "paid"


def test_a_deleted_customers_subscriptions_end(
    billing: Billing, stripe: StripeClient, emulator: Emulator, market: Marketplace
) -> None:
    customer = billing.customer()
    subscription = billing.subscribe(customer)
    stripe.v1.customers.delete(customer.id)
    assert billing.get(subscription).status == "canceled"
    assert "customer.subscription.deleted" in market.events()
    emulator.advance(40 * DAY)
    assert len(stripe.v1.invoices.list({"subscription": subscription.id}).data) == 1


def test_an_end_may_be_planned_from_the_beginning_or_for_a_moment(
    billing: Billing, stripe: StripeClient, emulator: Emulator
) -> None:
    planned = billing.subscribe(billing.customer(), cancel_at_period_end=True)
    end = planned["items"].data[0].current_period_end
    assert (planned.cancel_at_period_end, planned.cancel_at) == (True, end)
    moment = billing.subscribe(billing.customer())
    now = emulator.control("GET", "/clock")["now"]
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.subscriptions.update(moment.id, {"cancel_at": now - 60})
    assert caught.value.param == "cancel_at"
    with pytest.raises(sdk.APIError) as refused:
        stripe.v1.subscriptions.update(moment.id, {"cancel_at": now + DAY})
    assert refused.value.http_status == 501
    stripe.v1.subscriptions.update(
        moment.id, {"cancel_at": now + DAY, "proration_behavior": "none"}
    )
    emulator.advance(DAY + 60)
    assert billing.get(moment).status == "canceled"
    emulator.advance(31 * DAY)
    assert billing.get(planned).status == "canceled"


def test_what_only_fits_updates_or_comes_twice_is_refused_at_the_beginning(
    billing: Billing, stripe: StripeClient
) -> None:
    customer = billing.customer()
    with pytest.raises(sdk.InvalidRequestError) as caught:
        billing.subscribe(customer, payment_behavior="pending_if_incomplete")
    assert caught.value.param == "payment_behavior"
    with pytest.raises(sdk.InvalidRequestError, match="same plan"):
        billing.subscribe(customer, items=[{"price": billing.price.id}] * 2)
    assert stripe.v1.subscriptions.list({"status": "all"}).data == []


def test_a_card_that_was_taken_away_leaves_the_next_one_to_pay(
    billing: Billing, stripe: StripeClient, emulator: Emulator
) -> None:
    customer = billing.customer()
    own = stripe.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    subscription = billing.subscribe(customer, default_payment_method=own.id)
    stripe.v1.payment_methods.detach(own.id)
    emulator.advance(31 * DAY + 3600)
    after = billing.get(subscription)
    assert (after.status, after.latest_invoice.status) == ("active", "paid")
