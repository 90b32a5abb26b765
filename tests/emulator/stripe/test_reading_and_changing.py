"""Lists, single objects, updates and deletions of each resource, beside its life told elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, Marketplace

NOTED: Any = {"metadata": {"booking": "b-1"}}
BANK = {
    "object": "bank_account",
    "country": "US",
    "currency": "usd",
    "routing_number": "110000000",
    "account_number": "000123456789",
}


def noted(thing: Any) -> bool:
    return bool(thing.metadata.to_dict() == {"booking": "b-1"})


def test_the_platforms_own_account_is_not_in_the_list_of_connected_ones(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    own = stripe.v1.accounts.retrieve_current()
    assert (own.charges_enabled, own.payouts_enabled) == (True, True)
    assert stripe.v1.accounts.retrieve(own.id).to_dict() == own.to_dict()
    assert [one.id for one in stripe.v1.accounts.list().data] == [account.id]


def test_an_account_without_money_can_be_deleted_and_is_gone(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    assert stripe.v1.accounts.delete(account.id).deleted
    with pytest.raises(sdk.PermissionError):
        stripe.v1.accounts.retrieve(account.id)


def test_an_account_with_money_cannot_be_deleted(stripe: StripeClient, market: Marketplace) -> None:
    account = market.account()
    payment = market.payment(card="pm_card_bypassPending")
    market.transfer(account, 50_00, payment)
    with pytest.raises(sdk.StripeError):
        stripe.v1.accounts.delete(account.id)
    assert stripe.v1.accounts.retrieve(account.id).id == account.id


def test_a_capability_can_be_given_up_and_asked_for_again(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    capabilities = stripe.v1.accounts.capabilities
    assert [one.id for one in capabilities.list(account.id).data] == ["transfers"]
    assert capabilities.update(account.id, "transfers", {"requested": False}).requested is False
    assert capabilities.retrieve(account.id, "transfers").status != "active"
    assert capabilities.update(account.id, "transfers", {"requested": True}).status == "active"


def test_bank_accounts_are_listed_changed_and_removed_but_not_the_default(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    banks = stripe.v1.accounts.external_accounts
    [first] = banks.list(account.id).data
    second = banks.create(account.id, {"external_account": BANK})  # type: ignore[typeddict-item]
    assert noted(banks.update(account.id, second.id, NOTED))
    assert noted(banks.retrieve(account.id, second.id))
    assert {one.id for one in banks.list(account.id).data} == {first.id, second.id}
    with pytest.raises(sdk.InvalidRequestError):
        banks.delete(account.id, first.id)
    assert banks.delete(account.id, second.id).deleted
    assert [one.id for one in banks.list(account.id).data] == [first.id]


def test_a_person_is_read_alone(stripe: StripeClient, market: Marketplace) -> None:
    account = market.account(ready=False, business_type="company")
    made = stripe.v1.accounts.persons.create(account.id, {"first_name": "Ada"})
    assert stripe.v1.accounts.persons.retrieve(account.id, made.id).first_name == "Ada"


def test_a_charges_notes_its_refunds_and_its_balance_transaction(
    stripe: StripeClient, market: Marketplace
) -> None:
    charge = market.payment().latest_charge
    assert noted(stripe.v1.charges.update(charge.id, NOTED))
    transaction = stripe.v1.balance_transactions.retrieve(charge.balance_transaction.id)
    assert (transaction.source, transaction.net) == (charge.id, 200_00 - 610)
    made = stripe.v1.refunds.create({"charge": charge.id, "amount": 5_00})
    found = stripe.raw_request("get", f"/v1/charges/{charge.id}/refunds/{made.id}")
    assert stripe.deserialize(found, api_mode="V1").amount == 5_00
    assert noted(stripe.v1.refunds.update(made.id, NOTED))
    assert [one.id for one in stripe.v1.refunds.list({"charge": charge.id}).data] == [made.id]
    searched = stripe.v1.charges.search({"query": "metadata['booking']:'b-1'"})
    assert [one.id for one in searched.data] == [charge.id]


def test_a_card_refund_cannot_be_cancelled(stripe: StripeClient, market: Marketplace) -> None:
    payment = market.payment()
    made = stripe.v1.refunds.create({"payment_intent": payment.id})
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.refunds.cancel(made.id)
    assert stripe.v1.refunds.retrieve(made.id).status == "succeeded"


def test_an_intents_amount_changes_until_it_is_paid(
    stripe: StripeClient, market: Marketplace
) -> None:
    intent = stripe.v1.payment_intents.create({"amount": 10_00, "currency": "usd"})
    assert stripe.v1.payment_intents.update(intent.id, {"amount": 12_00}).amount == 12_00
    paid = market.payment()
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.payment_intents.update(paid.id, {"amount": 12_00})


def test_a_saved_card_is_read_by_its_customer_changed_and_let_go(stripe: StripeClient) -> None:
    customer = stripe.v1.customers.create({"name": "Ada", "metadata": {"booking": "b-1"}})
    found = stripe.v1.customers.search({"query": "metadata['booking']:'b-1'"})
    assert [one.id for one in found.data] == [customer.id]
    card = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert stripe.v1.customers.payment_methods.retrieve(customer.id, card.id).id == card.id
    assert noted(stripe.v1.payment_methods.update(card.id, NOTED))
    assert stripe.v1.payment_methods.retrieve(card.id).customer == customer.id
    assert stripe.v1.payment_methods.detach(card.id).customer is None
    assert stripe.v1.customers.payment_methods.list(customer.id).data == []


def test_a_setup_is_listed_and_changed(stripe: StripeClient) -> None:
    customer = stripe.v1.customers.create({"name": "Ada"})
    made = stripe.v1.setup_intents.create({"customer": customer.id})
    assert noted(stripe.v1.setup_intents.update(made.id, NOTED))
    listed = stripe.v1.setup_intents.list({"customer": customer.id}).data
    assert [one.id for one in listed] == [made.id]


def test_transfers_reversals_and_payouts_keep_notes(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    transfer = market.transfer(account, 50_00, market.payment(card="pm_card_bypassPending"))
    assert noted(stripe.v1.transfers.update(transfer.id, NOTED))
    listed = stripe.v1.transfers.list({"destination": account.id}).data
    assert [one.id for one in listed] == [transfer.id]
    reversals = stripe.v1.transfers.reversals
    back = reversals.create(transfer.id, {"amount": 10_00})
    assert [one.id for one in reversals.list(transfer.id).data] == [back.id]
    assert noted(reversals.update(transfer.id, back.id, NOTED))
    assert reversals.retrieve(transfer.id, back.id).amount == 10_00
    there: Any = {"stripe_account": account.id}
    payout = stripe.v1.payouts.create({"amount": 20_00, "currency": "usd"}, there)
    assert noted(stripe.v1.payouts.update(payout.id, NOTED, there))


def test_an_application_fees_refunds_are_read_one_by_one(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    account = market.account(
        capabilities={"transfers": {"requested": True}, "card_payments": {"requested": True}}
    )
    direct: Any = {
        "amount": 20_00,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "application_fee_amount": 2_00,
    }
    emulator.client().v1.payment_intents.create(direct, {"stripe_account": account.id})
    emulator.idle()
    fee = stripe.v1.application_fees.list().data[0]
    refunds = stripe.v1.application_fees.refunds
    made = refunds.create(fee.id, {"amount": 50})
    assert [one.id for one in refunds.list(fee.id).data] == [made.id]
    assert refunds.retrieve(fee.id, made.id).amount == 50


def test_a_review_is_listed_while_it_is_open(stripe: StripeClient, market: Marketplace) -> None:
    market.payment(card="pm_card_riskLevelElevated")
    assert [one.open for one in stripe.v1.reviews.list().data] == [True]


def test_a_product_is_read_changed_listed_and_deleted_without_prices(
    stripe: StripeClient,
) -> None:
    products = stripe.v1.products
    bare = products.create({"name": "Lessons"})
    assert products.update(bare.id, {"name": "Piano lessons"}).name == "Piano lessons"
    assert products.retrieve(bare.id).name == "Piano lessons"
    assert [one.id for one in products.list().data] == [bare.id]
    assert products.delete(bare.id).deleted
    with pytest.raises(sdk.InvalidRequestError):
        products.retrieve(bare.id)


def test_a_product_with_prices_stays_and_its_price_is_found(stripe: StripeClient) -> None:
    product = stripe.v1.products.create({"name": "Lessons"})
    price = stripe.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 20_00, **NOTED}
    )
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.products.delete(product.id)
    assert stripe.v1.prices.retrieve(price.id).unit_amount == 20_00
    found = stripe.v1.prices.search({"query": "metadata['booking']:'b-1'"})
    assert [one.id for one in found.data] == [price.id]


@pytest.fixture
def subscription(stripe: StripeClient) -> Any:
    """A subscription whose first invoice waits for its customer."""
    product = stripe.v1.products.create({"name": "Lessons"})
    price = stripe.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 20_00,
            "recurring": {"interval": "month"},
        }
    )
    customer = stripe.v1.customers.create({"name": "Ada"})
    return stripe.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "payment_behavior": "default_incomplete",
            **NOTED,
        }
    )


def test_a_subscription_and_its_items_are_listed_and_found(
    stripe: StripeClient, subscription: Any
) -> None:
    subscriptions = stripe.v1.subscriptions
    listed = subscriptions.list({"customer": subscription.customer, "status": "all"}).data
    assert [one.id for one in listed] == [subscription.id]
    found = subscriptions.search({"query": "metadata['booking']:'b-1'"})
    assert [one.id for one in found.data] == [subscription.id]
    [item] = stripe.v1.subscription_items.list({"subscription": subscription.id}).data
    assert stripe.v1.subscription_items.retrieve(item.id).subscription == subscription.id


def test_an_open_invoice_is_read_noted_found_and_voided(
    stripe: StripeClient, subscription: Any
) -> None:
    invoices = stripe.v1.invoices
    invoice = invoices.retrieve(subscription.latest_invoice, {"expand": ["payments"]})
    assert noted(invoices.update(str(invoice.id), NOTED))
    found = invoices.search({"query": "metadata['booking']:'b-1'"})
    assert [one.id for one in found.data] == [invoice.id]
    [line] = invoices.line_items.list(str(invoice.id)).data
    assert line.amount == 20_00
    assert invoice.payments is not None
    [payment] = invoice.payments.data
    assert stripe.v1.invoice_payments.retrieve(payment.id).invoice == invoice.id
    assert invoices.void_invoice(str(invoice.id)).status == "void"
    with pytest.raises(sdk.InvalidRequestError):
        invoices.pay(str(invoice.id))


def test_an_open_invoice_can_be_written_off(stripe: StripeClient, subscription: Any) -> None:
    written_off = stripe.v1.invoices.mark_uncollectible(subscription.latest_invoice)
    assert written_off.status == "uncollectible"


def test_a_renewals_draft_is_finalized_by_hand_and_never_deleted(
    stripe: StripeClient, emulator: Emulator, subscription: Any
) -> None:
    card = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": subscription.customer})
    stripe.v1.invoices.pay(subscription.latest_invoice, {"payment_method": card.id})
    stripe.v1.subscriptions.update(subscription.id, {"default_payment_method": card.id})
    item = stripe.v1.subscriptions.retrieve(subscription.id)["items"].data[0]
    emulator.advance(item.current_period_end - item.current_period_start + 60)
    invoices = stripe.v1.invoices
    [draft] = invoices.list({"subscription": subscription.id, "status": "draft"}).data
    with pytest.raises(sdk.InvalidRequestError):
        invoices.delete(str(draft.id))
    assert invoices.finalize_invoice(str(draft.id)).status == "open"


def test_a_checkout_session_is_listed_noted_and_lists_what_it_sells(stripe: StripeClient) -> None:
    sessions = stripe.v1.checkout.sessions
    session = sessions.create(
        {
            "mode": "payment",
            "success_url": "https://example.com/paid",
            "line_items": [
                {
                    "quantity": 2,
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 5_00,
                        "product_data": {"name": "Lesson"},
                    },
                }
            ],
        }
    )
    assert noted(sessions.update(session.id, NOTED))
    assert [one.id for one in sessions.list().data] == [session.id]
    [line] = sessions.line_items.list(session.id).data
    assert (line.quantity, line.amount_total) == (2, 10_00)


def test_test_clocks_are_listed(stripe: StripeClient) -> None:
    made = stripe.v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000})
    listed = stripe.v1.test_helpers.test_clocks.list().data
    assert [one.id for one in listed] == [made.id]
