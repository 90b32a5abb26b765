"""Connected accounts, transfers, reversals, payouts, and what they do to balances."""

from __future__ import annotations

import datetime
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
import stripe as sdk
from stripe import StripeClient

from emulator.stripe.resources.automatic_payouts import next_payday
from tests.emulator.stripe.driver import Emulator, Marketplace


def test_an_account_starts_with_nothing_enabled_and_onboarding_enables_it(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    account = market.account(ready=False, email="p@example.com", metadata={"uid": "u1"})
    assert not account.charges_enabled
    assert not account.payouts_enabled
    assert not account.details_submitted
    assert account.requirements.disabled_reason == "requirements.past_due"
    assert account.capabilities.transfers == "inactive"
    assert account.controller.fees.payer == "application_express"
    assert account.type == "express"
    emulator.control("POST", f"/accounts/{account.id}/onboarding", {})
    ready = stripe.v1.accounts.retrieve(account.id)
    assert ready.charges_enabled
    assert ready.payouts_enabled
    assert ready.details_submitted
    assert ready.requirements.currently_due == []
    assert ready.capabilities.transfers == "active"
    assert ready.external_accounts.data[0].last4 == "6789"
    assert market.events(account) == [
        "account.updated",
        "capability.updated",
        "account.external_account.created",
        "account.updated",
        "capability.updated",
    ]
    assert market.events() == []


@pytest.mark.parametrize(
    ("outcome", "reason", "transfers"),
    [
        ("pending", "requirements.pending_verification", "pending"),
        ("restricted", "requirements.past_due", "inactive"),
        ("rejected", "rejected.fraud", "inactive"),
    ],
)
def test_other_outcomes_of_onboarding_leave_the_account_as_stripe_does(
    market: Marketplace, emulator: Emulator, outcome: str, reason: str, transfers: str
) -> None:
    account = market.account(ready=False)
    emulator.control("POST", f"/accounts/{account.id}/onboarding", {"outcome": outcome})
    after = market.stripe.v1.accounts.retrieve(account.id)
    assert after.details_submitted
    assert not after.payouts_enabled
    assert after.requirements.disabled_reason == reason
    assert after.capabilities.transfers == transfers


def test_the_older_types_stand_for_their_controller_properties(stripe: StripeClient) -> None:
    for kind, dashboard in (("standard", "full"), ("express", "express"), ("custom", "none")):
        account = stripe.v1.accounts.create({"type": kind})  # type: ignore[typeddict-item]
        assert account.controller is not None
        assert account.controller.stripe_dashboard is not None
        assert account.controller.stripe_dashboard.type == dashboard
        assert account.type == kind


def test_an_onboarding_link_works_once_and_its_form_finishes_onboarding(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account(ready=False)
    link = stripe.v1.account_links.create(
        {
            "account": account.id,
            "type": "account_onboarding",
            "refresh_url": "http://127.0.0.1:9/refresh",
            "return_url": "http://127.0.0.1:9/return",
        }
    )
    assert link.expires_at - link.created == 300
    assert urlsplit(link.url).path.startswith(f"/setup/e/{account.id}/")

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object, **kwargs: object) -> None:
            return None

    browser = urllib.request.build_opener(Stay)
    page = browser.open(link.url)
    assert b"<form" in page.read()
    with pytest.raises(urllib.error.HTTPError) as second:
        browser.open(link.url)
    assert second.value.headers["Location"] == "http://127.0.0.1:9/refresh"
    with pytest.raises(urllib.error.HTTPError) as sent:
        browser.open(link.url, data=b"outcome=complete")
    assert (sent.value.code, sent.value.headers["Location"]) == (303, "http://127.0.0.1:9/return")
    assert stripe.v1.accounts.retrieve(account.id).payouts_enabled


def test_login_links_are_for_express_accounts_that_are_onboarded(
    stripe: StripeClient, market: Marketplace
) -> None:
    ready = market.account()
    assert stripe.v1.accounts.login_links.create(ready.id).url.startswith("http://")
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.accounts.login_links.create(market.account(ready=False).id)
    standard = stripe.v1.accounts.create({"type": "standard"})
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.accounts.login_links.create(standard.id)


def test_a_transfer_of_a_pending_charge_is_pending_until_the_charge_is_available(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    account = market.account()
    payment = market.payment(200_00, transfer_group="b1")
    transfer = market.transfer(account, 184_00, payment)
    assert transfer.transfer_group == "b1"
    assert market.funds() == (0, 200_00 - 610 - 184_00)
    assert market.funds(account) == (0, 184_00)
    emulator.advance(2 * 86400)
    assert market.funds() == (200_00 - 610 - 184_00, 0)
    assert market.funds(account) == (184_00, 0)
    assert market.events(account)[-1] == "balance.available"
    shown = stripe.v1.transfers.retrieve(
        transfer.id, {"expand": ["destination_payment.balance_transaction", "balance_transaction"]}
    )
    assert shown.balance_transaction.type == "transfer"
    assert shown.destination_payment.balance_transaction.reporting_category == "charge"


def test_transfers_with_one_source_never_exceed_it(market: Marketplace) -> None:
    account, payment = market.account(), market.payment(10_00)
    market.transfer(account, 6_00, payment)
    market.transfer(account, 4_00, payment)
    with pytest.raises(sdk.InvalidRequestError, match="must not exceed the source amount"):
        market.transfer(account, 50, payment)


def test_without_a_source_a_transfer_needs_available_money(market: Marketplace) -> None:
    account = market.account()
    market.payment(100_00)
    with pytest.raises(sdk.InvalidRequestError) as caught:
        market.transfer(account, 10_00)
    assert caught.value.code == "balance_insufficient"
    market.payment(100_00, card="pm_card_bypassPending")
    market.transfer(account, 10_00)
    assert market.funds(account) == (10_00, 0)


def test_a_transfer_needs_a_destination_with_the_capability(
    market: Marketplace, stripe: StripeClient
) -> None:
    payment = market.payment()
    with pytest.raises(sdk.InvalidRequestError) as caught:
        market.transfer(market.account(ready=False), 100, payment)
    assert caught.value.code == "insufficient_capabilities_for_transfer"
    with pytest.raises(sdk.InvalidRequestError, match="No such destination: 'acct_none'"):
        stripe.v1.transfers.create({"amount": 100, "currency": "usd", "destination": "acct_none"})
    with pytest.raises(sdk.InvalidRequestError, match="currency"):
        stripe.v1.transfers.create(
            {
                "amount": 100,
                "currency": "eur",
                "destination": market.account().id,
                "source_transaction": payment.latest_charge.id,
            }
        )


def test_a_reversal_takes_back_what_the_account_still_has(
    market: Marketplace, stripe: StripeClient
) -> None:
    account, payment = market.account(), market.payment(100_00, card="pm_card_bypassPending")
    transfer = market.transfer(account, 92_00, payment)
    reversal = stripe.v1.transfers.reversals.create(transfer.id, {"amount": 46_00})
    assert market.funds(account) == (46_00, 0)
    after = stripe.v1.transfers.retrieve(transfer.id)
    assert (after.amount_reversed, after.reversed) == (46_00, False)
    assert after.reversals.data[0].id == reversal.id
    with pytest.raises(sdk.InvalidRequestError, match="greater than unreversed amount"):
        stripe.v1.transfers.reversals.create(transfer.id, {"amount": 46_01})
    stripe.v1.transfers.reversals.create(transfer.id)
    with pytest.raises(sdk.InvalidRequestError, match="already fully reversed"):
        stripe.v1.transfers.reversals.create(transfer.id)
    assert market.events().count("transfer.reversed") == 2
    assert market.funds(account) == (0, 0)


def test_what_was_paid_out_cannot_be_reversed(market: Marketplace, stripe: StripeClient) -> None:
    account, payment = market.account(), market.payment(100_00, card="pm_card_bypassPending")
    transfer = market.transfer(account, 92_00, payment)
    as_account: sdk.RequestOptions = {"stripe_account": account.id}
    stripe.v1.payouts.create({"amount": 90_00, "currency": "usd"}, as_account)
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.transfers.reversals.create(transfer.id)
    assert caught.value.code == "balance_insufficient"
    stripe.v1.transfers.reversals.create(transfer.id, {"amount": 2_00})


def test_a_standard_payout_is_in_transit_after_a_day_and_paid_after_two(
    market: Marketplace, stripe: StripeClient, emulator: Emulator
) -> None:
    account = market.account()
    market.transfer(account, 50_00, market.payment(100_00, card="pm_card_bypassPending"))
    as_account: sdk.RequestOptions = {"stripe_account": account.id}
    payout = stripe.v1.payouts.create({"amount": 50_00, "currency": "usd"}, as_account)
    assert (payout.status, payout.automatic) == ("pending", False)
    assert market.funds(account) == (0, 0)
    emulator.advance(86400)
    assert stripe.v1.payouts.retrieve(payout.id, options=as_account).status == "in_transit"
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.payouts.cancel(payout.id, options=as_account)
    emulator.advance(86400)
    assert stripe.v1.payouts.retrieve(payout.id, options=as_account).status == "paid"
    payouts = [name for name in market.events(account) if name.startswith("payout.")]
    assert payouts == ["payout.created", "payout.updated", "payout.paid"]
    listed = stripe.v1.payouts.list({"status": "paid"}, as_account).data
    assert [p.id for p in listed] == [payout.id]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("000111111116", "no_account"),
        ("000111111113", "account_closed"),
        ("000222222227", "insufficient_funds"),
        ("000333333335", "debit_not_authorized"),
        ("000444444440", "invalid_currency"),
    ],
)
def test_a_payout_to_a_bad_bank_account_fails_and_the_money_returns(
    market: Marketplace, stripe: StripeClient, emulator: Emulator, number: str, code: str
) -> None:
    account = market.account(ready=False)
    emulator.control("POST", f"/accounts/{account.id}/onboarding", {"bank_account_number": number})
    market.transfer(account, 50_00, market.payment(100_00, card="pm_card_bypassPending"))
    as_account: sdk.RequestOptions = {"stripe_account": account.id}
    payout = stripe.v1.payouts.create({"amount": 50_00, "currency": "usd"}, as_account)
    emulator.advance(2 * 86400)
    failed = stripe.v1.payouts.retrieve(
        payout.id, {"expand": ["failure_balance_transaction"]}, as_account
    )
    assert (failed.status, failed.failure_code) == ("failed", code)
    assert failed.failure_balance_transaction.type == "payout_failure"
    assert market.funds(account) == (50_00, 0)
    assert "account.external_account.updated" in market.events(account)
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.payouts.create({"amount": 50_00, "currency": "usd"}, as_account)
    stripe.v1.accounts.external_accounts.create(
        account.id,
        {
            "external_account": {
                "object": "bank_account",
                "country": "US",
                "currency": "usd",
                "account_number": "000123456789",
                "routing_number": "110000000",
            },
            "default_for_currency": True,
        },
    )
    assert stripe.v1.accounts.retrieve(account.id).payouts_enabled
    again = stripe.v1.payouts.create({"amount": 50_00, "currency": "usd"}, as_account)
    emulator.advance(2 * 86400)
    assert stripe.v1.payouts.retrieve(again.id, options=as_account).status == "paid"


def test_an_instant_payout_costs_a_fee_and_arrives_within_the_hour(
    market: Marketplace, stripe: StripeClient, emulator: Emulator
) -> None:
    account = market.account()
    market.transfer(account, 92_00, market.payment(100_00))
    as_account: sdk.RequestOptions = {"stripe_account": account.id}
    balance = stripe.v1.balance.retrieve(
        {"expand": ["instant_available.net_available"]}, as_account
    )
    assert balance.instant_available is not None
    assert balance.instant_available[0].amount == 92_00
    assert balance.instant_available[0].net_available is not None
    assert balance.instant_available[0].net_available[0].amount == 91_09
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.payouts.create(
            {"amount": 92_00, "currency": "usd", "method": "instant"}, as_account
        )
    assert caught.value.code == "balance_insufficient"
    payout = stripe.v1.payouts.create(
        {
            "amount": 91_00,
            "currency": "usd",
            "method": "instant",
            "expand": ["balance_transaction"],
        },
        as_account,
    )
    assert (payout.balance_transaction.fee, payout.balance_transaction.net) == (91, -91_91)
    emulator.advance(1800)
    assert stripe.v1.payouts.retrieve(payout.id, options=as_account).status == "paid"
    assert sum(market.funds(account)) == 9


def test_a_cancelled_payout_gives_the_money_back(market: Marketplace, stripe: StripeClient) -> None:
    account = market.account()
    market.transfer(account, 50_00, market.payment(100_00, card="pm_card_bypassPending"))
    as_account: sdk.RequestOptions = {"stripe_account": account.id}
    payout = stripe.v1.payouts.create({"amount": 50_00, "currency": "usd"}, as_account)
    assert stripe.v1.payouts.cancel(payout.id, options=as_account).status == "canceled"
    assert market.funds(account) == (50_00, 0)


def test_one_account_never_sees_what_belongs_to_another(
    market: Marketplace, stripe: StripeClient
) -> None:
    one, other = market.account(), market.account()
    payment = market.payment(100_00, card="pm_card_bypassPending")
    market.transfer(one, 50_00, payment)
    payout = stripe.v1.payouts.create(
        {"amount": 50_00, "currency": "usd"}, {"stripe_account": one.id}
    )
    for options in ({}, {"stripe_account": other.id}):
        with pytest.raises(sdk.InvalidRequestError) as caught:
            stripe.v1.payouts.retrieve(payout.id, options=options)  # type: ignore[arg-type]
        assert caught.value.http_status == 404
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.charges.retrieve(payment.latest_charge.id, options={"stripe_account": one.id})
    with pytest.raises(sdk.PermissionError) as denied:
        stripe.v1.balance.retrieve(options={"stripe_account": "acct_unknown"})
    assert denied.value.error.code == "account_invalid"
    with pytest.raises(sdk.PermissionError):
        stripe.v1.accounts.retrieve("acct_unknown")


def test_a_deauthorised_account_is_gone_for_the_platform(
    market: Marketplace, emulator: Emulator, stripe: StripeClient
) -> None:
    account = market.account()
    emulator.control("POST", f"/accounts/{account.id}/deauthorize", {})
    with pytest.raises(sdk.PermissionError):
        stripe.v1.accounts.retrieve(account.id)
    with pytest.raises(sdk.InvalidRequestError, match="No such destination"):
        market.transfer(account, 100, market.payment())
    events = [e for e in emulator.state()["events"] if e["account"] == account.id]
    assert events[-1]["type"] == "account.application.deauthorized"
    assert events[-1]["data"]["object"]["object"] == "application"


def test_a_rejected_account_can_do_nothing(market: Marketplace, stripe: StripeClient) -> None:
    account = market.account()
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.accounts.reject(account.id, {"reason": "fraud"})
    rejected = stripe.v1.accounts.reject(account.id, {"reason": "fraud_other"})
    assert rejected.requirements is not None
    assert rejected.requirements.disabled_reason == "rejected.platform_fraud"
    assert not rejected.payouts_enabled
    assert stripe.v1.accounts.unreject(account.id).payouts_enabled
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.accounts.unreject(account.id)


def test_an_account_that_is_not_paid_by_hand_is_paid_on_its_days(
    market: Marketplace, stripe: StripeClient, emulator: Emulator
) -> None:
    account = market.account(settings={"payouts": {"schedule": {"interval": "daily"}}})
    market.transfer(account, 50_00, market.payment(100_00, card="pm_card_bypassPending"))
    emulator.idle()
    emulator.advance(86400)
    payout = stripe.v1.payouts.list({}, {"stripe_account": account.id}).data[0]
    assert (payout.amount, payout.automatic) == (50_00, True)
    assert payout.created % 86400 == 0
    emulator.advance(2 * 86400)
    assert "payout.reconciliation_completed" in market.events(account)


def test_paydays_follow_the_schedule() -> None:
    def day(year: int, month: int, date: int) -> int:
        return int(datetime.datetime(year, month, date, tzinfo=datetime.UTC).timestamp())

    start = day(2027, 2, 10) + 5
    assert next_payday(start, {"interval": "daily"}) == day(2027, 2, 11)
    weekly = {"interval": "weekly", "weekly_payout_days": ["friday"]}
    assert next_payday(start, weekly) == day(2027, 2, 12)
    monthly = {"interval": "monthly", "monthly_payout_days": [31]}
    assert next_payday(start, monthly) == day(2027, 2, 28)


def test_persons_belong_to_their_account(market: Marketplace, stripe: StripeClient) -> None:
    account, other = market.account(), market.account()
    person = stripe.v1.accounts.persons.create(
        account.id,
        {
            "first_name": "Ada",
            "dob": {"day": 10, "month": 12, "year": 1980},
            "relationship": {"owner": True, "percent_ownership": 25.5},
            "ssn_last_4": "0000",
        },
    )
    assert person.ssn_last_4_provided
    assert person.relationship is not None
    assert person.relationship.percent_ownership == 25.5
    stripe.v1.accounts.persons.update(account.id, person.id, {"last_name": "L"})
    owners = stripe.v1.accounts.persons.list(account.id, {"relationship": {"owner": True}}).data
    assert [p.last_name for p in owners] == ["L"]
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.accounts.persons.retrieve(other.id, person.id)
    assert stripe.v1.accounts.persons.delete(account.id, person.id).deleted
    assert "person.deleted" in market.events(account)


def test_a_payout_schedule_keeps_only_the_anchor_of_its_interval(
    market: Marketplace, stripe: StripeClient
) -> None:
    account = market.account()

    def schedule(**given: object) -> dict[str, object]:
        updated = stripe.v1.accounts.update(
            account.id,
            {"settings": {"payouts": {"schedule": given}}},  # type: ignore[typeddict-item]
        )
        assert updated.settings is not None
        assert updated.settings.payouts is not None
        found: dict[str, object] = updated.settings.payouts.schedule.to_dict()
        return found

    assert schedule(interval="weekly", weekly_anchor="friday") == {
        "interval": "weekly",
        "delay_days": 2,
        "weekly_anchor": "friday",
        "weekly_payout_days": ["friday"],
    }
    assert schedule(interval="manual") == {"interval": "manual", "delay_days": 2}
    with pytest.raises(sdk.InvalidRequestError):
        schedule(interval="monthly")


def test_what_is_pending_does_not_pay_for_the_reversal_of_what_was_paid_out(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    first = market.transfer(account, 50_00, market.payment(card="pm_card_bypassPending"))
    stripe.v1.payouts.create({"amount": 50_00, "currency": "usd"}, {"stripe_account": account.id})
    second = market.transfer(account, 90_00, market.payment())
    assert market.funds(account) == (0, 90_00)
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.transfers.reversals.create(first.id)
    assert caught.value.code == "balance_insufficient"
    stripe.v1.transfers.reversals.create(second.id)
    assert market.funds(account) == (0, 0)


def test_no_movement_pretends_to_be_of_other_balances_than_card_payments(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account()
    market.payment(card="pm_card_bypassPending")
    with pytest.raises(sdk.APIError) as caught:
        market.transfer(account, 1_00, source_type="bank_account")
    assert caught.value.http_status == 501
    with pytest.raises(sdk.APIError) as caught:
        stripe.v1.payouts.create({"amount": 1_00, "currency": "usd", "source_type": "fpx"})
    assert caught.value.http_status == 501


def test_a_rejection_may_leave_payouts_on(stripe: StripeClient, market: Marketplace) -> None:
    account = market.account()
    rejected = stripe.v1.accounts.reject(account.id, {"reason": "other", "payouts_action": "none"})
    assert (rejected.charges_enabled, rejected.payouts_enabled) == (False, True)


def test_reserves_stand_for_accounts_whose_requirements_the_platform_collects(
    stripe: StripeClient, market: Marketplace
) -> None:
    account = market.account(
        controller={
            "fees": {"payer": "application"},
            "losses": {"payments": "application"},
            "requirement_collection": "application",
            "stripe_dashboard": {"type": "none"},
        }
    )
    market.payment(card="pm_card_bypassPending")
    before = market.funds()[0]
    transfer = market.transfer(account, 50_00)
    stripe.v1.payouts.create({"amount": 50_00, "currency": "usd"}, {"stripe_account": account.id})
    stripe.v1.transfers.reversals.create(transfer.id)
    assert market.funds(account) == (-50_00, 0)

    def held() -> int:
        return sum(row.amount for row in stripe.v1.balance.retrieve().connect_reserved or [])

    assert (held(), market.funds()[0]) == (50_00, before - 50_00)
    market.transfer(account, 20_00)
    assert (market.funds(account)[0], held()) == (-30_00, 30_00)
    market.transfer(account, 40_00)
    assert (market.funds(account)[0], held()) == (10_00, 0)
    assert market.funds()[0] == before - 60_00
    moves = stripe.v1.balance_transactions.list({"type": "reserve_transaction"}).data
    assert [move.net for move in moves][::-1] == [-50_00, 20_00, 30_00]
    assert {move.reporting_category for move in moves} == {"connect_reserved_funds"}
