"""Payouts from an account's balance to its bank: standard, instant, failed, cancelled."""

from __future__ import annotations

from typing import Any

from emulator.stripe import ledger
from emulator.stripe.banks import FAILURES, PAYS
from emulator.stripe.errors import no_such, refused
from emulator.stripe.events import emit
from emulator.stripe.ids import base62
from emulator.stripe.lists import page
from emulator.stripe.money import WHOLE_PAYOUTS, check_granularity
from emulator.stripe.params import LIST, RANGE, integer, merged_metadata, metadata, one_of, text
from emulator.stripe.params import currency as currency_param
from emulator.stripe.resources.common import retrieving
from emulator.stripe.resources.external_accounts import add_bank_account, default_for
from emulator.stripe.resources.transfers import check_source_type
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

KINDS = [Kind("payout", "po", indexes=("status", "destination"))]
IN_TRANSIT_SECONDS = 86400
STANDARD_SECONDS = 2 * 86400
INSTANT_SECONDS = 1800
INSTANT_MAXIMUM = 999_900


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    amount, currency = p["amount"], p["currency"]
    instant = p.get("method") == "instant"
    check_source_type(call)
    _check_allowed(call, amount, currency)
    bank = _bank(call, currency)
    fee = _instant_fee(bank, amount) if instant else 0
    has = ledger.available(world, call.account, currency)
    if instant:
        has += ledger.pending(world, call.account, currency)
    if has < amount + fee:
        raise refused(
            "You have insufficient funds in your Stripe account for this transfer. Your card "
            "balance "
            "is too low.  You can use the the /v1/balance endpoint to view your Stripe "
            "balance (for "
            "more details, see stripe.com/docs/api#balance).",
            code="balance_insufficient",
        )
    return send(world, call.account, amount, currency, bank, instant=instant, fee=fee, params=p)


def send(
    world: World,
    account: str,
    amount: int,
    currency: str,
    bank: Obj,
    *,
    instant: bool = False,
    automatic: bool = False,
    fee: int = 0,
    params: dict[str, Any] | None = None,
) -> Obj:
    """Debit the balance and put a payout on its way."""
    p = params or {}
    arrives = world.now + (INSTANT_SECONDS if instant else STANDARD_SECONDS)
    payout: Obj = {
        "id": world.ids.new("po"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": arrives,
        "automatic": automatic,
        "balance_transaction": None,
        "created": world.now,
        "currency": currency,
        "description": p.get("description", "STRIPE PAYOUT" if automatic else None),
        "destination": bank["id"],
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged_metadata({}, p.get("metadata", {})),
        "method": "instant" if instant else "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": p.get("statement_descriptor"),
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
    world.store.insert("payout", payout, account, world.now)
    fees = [ledger.stripe_fee(fee, currency, "Instant payout fee")] if fee else []
    txn = ledger.post(
        world, account, "payout", -amount, currency, payout["id"], fee_details=fees,
        description="STRIPE PAYOUT",
    )  # fmt: skip
    payout["balance_transaction"] = txn["id"]
    emit(world, "payout.created", payout)
    args = {"payout": payout["id"]}
    if instant:
        world.timers.soon("payout_in_transit", args)
    else:
        world.timers.at(world.now + IN_TRANSIT_SECONDS, "payout_in_transit", args)
    world.timers.at(arrives, "payout_arrives", args)
    return payout


def _check_allowed(call: Call, amount: int, currency: str) -> None:
    account = call.world.store.find("account", call.account)
    if account is not None and not account["payouts_enabled"]:
        raise refused(
            "Payouts are not enabled for this account: it has requirements that are due, or no "
            "external account that can be paid.",
            code="payouts_not_allowed",
        )
    check_granularity(amount, currency)
    if currency in WHOLE_PAYOUTS and amount % 100:
        raise refused(
            f"Invalid integer: payout amounts in {currency} must be divisible by 100.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if call.params.get("method") == "instant" and amount > INSTANT_MAXIMUM:
        raise refused(
            "Instant Payouts to bank accounts are only supported for amounts less than or equal to "
            "$9999",
            param="amount",
        )


def _bank(call: Call, currency: str) -> Obj:
    """Where the money goes; the platform is given a test bank account in any currency."""
    world = call.world
    named = call.params.get("destination")
    if named is not None:
        row = world.store.tables["bank_account"].get(named)
        if row is None or row.account != call.account:
            raise no_such("external account", named, param="destination", status=400)
        bank: Obj | None = row.obj
    else:
        bank = default_for(world, call.account, currency)
    if bank is None and call.account == world.platform:
        return add_bank_account(
            world,
            {"id": world.platform, "country": "US"},
            {"currency": currency, "account_number": PAYS},
        )
    if bank is None or bank["currency"] != currency:
        raise refused(
            f"Sorry, you don't have any external accounts in that currency ({currency}).",
        )
    if bank["status"] == "errored":
        raise refused(
            "The bank account provided cannot be used for payouts. A different bank account "
            "must be "
            "used.",
            code="bank_account_unusable",
        )
    return bank


def _instant_fee(bank: Obj, amount: int) -> int:
    if "instant" not in (bank["available_payout_methods"] or []):
        raise refused(
            "The destination does not support instant payouts.", code="instant_payouts_unsupported"
        )
    return ledger.instant_fee(amount)


@timer("payout_in_transit")
def payout_in_transit(world: World, args: Obj) -> None:
    """The money left for the bank: the payout can no longer be cancelled."""
    payout = world.store.edit("payout", args["payout"])
    if payout["status"] == "pending":
        payout["status"] = "in_transit"
        emit(world, "payout.updated", payout)


@timer("payout_arrives")
def payout_arrives(world: World, args: Obj) -> None:
    """The bank took the money, or sent it back."""
    payout = world.store.edit("payout", args["payout"])
    if payout["status"] not in ("pending", "in_transit"):
        return
    bank = world.store.find("bank_account", payout["destination"])
    failure = FAILURES.get(bank["_number"]) if bank is not None else FAILURES["000111111113"]
    if failure is not None:
        _fail(world, payout, *failure)
        return
    payout["status"] = "paid"
    payout["trace_id"] = {"status": "supported", "value": base62(payout["id"], 15).upper()}
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
    emit(world, "payout.paid", payout)
    if payout["automatic"]:
        emit(world, "payout.reconciliation_completed", payout)


def _fail(world: World, payout: Obj, code: str, message: str) -> None:
    """The money returns and the bank account is disabled until it is replaced."""
    account_id = world.store.rows[payout["id"]].account
    txn = ledger.post(
        world, account_id, "payout_failure", payout["amount"], payout["currency"], payout["id"],
        description="STRIPE PAYOUT FAILURE",
    )  # fmt: skip
    payout["status"] = "failed"
    payout["failure_code"] = code
    payout["failure_message"] = message
    payout["failure_balance_transaction"] = txn["id"]
    emit(world, "payout.failed", payout)
    if world.store.find("bank_account", payout["destination"]) is not None:
        bank = world.store.edit("bank_account", payout["destination"])
        bank["status"] = "errored"
        emit(world, "account.external_account.updated", bank)
    if world.store.find("account", account_id) is not None:
        account = world.store.edit("account", account_id)
        account["payouts_enabled"] = False
        for name in ("currently_due", "eventually_due", "past_due"):
            if "external_account" not in account["requirements"][name]:
                account["requirements"][name].append("external_account")
        emit(world, "account.updated", account, account=account_id)


def cancel(call: Call) -> Obj:
    payout = call.edit("payout")
    if payout["status"] != "pending" or payout["automatic"]:
        raise refused(
            f"Payouts can only be canceled while they are pending and were not made automatically; "
            f"this one is {payout['status']}.",
        )
    txn = ledger.post(
        call.world, call.account, "payout_cancel", payout["amount"], payout["currency"],
        payout["id"], description="STRIPE PAYOUT CANCELLATION",
    )  # fmt: skip
    payout["status"] = "canceled"
    payout["failure_balance_transaction"] = txn["id"]
    emit(call.world, "payout.canceled", payout)
    return payout


def update(call: Call) -> Obj:
    payout = call.edit("payout")
    if "metadata" in call.params:
        payout["metadata"] = merged_metadata(payout["metadata"], call.params["metadata"])
    emit(call.world, "payout.updated", payout)
    return payout


def _list(call: Call) -> Obj:
    p = call.params
    filters = {name: p.get(name) for name in ("status", "destination")}
    wanted: Any = p.get("arrival_date")

    def arrives(payout: Obj) -> bool:
        at = payout["arrival_date"]
        if isinstance(wanted, int):
            return bool(at == wanted)
        tests = {
            "gt": lambda limit: at > limit,
            "gte": lambda limit: at >= limit,
            "lt": lambda limit: at < limit,
            "lte": lambda limit: at <= limit,
        }
        return all(tests[name](limit) for name, limit in wanted.items())

    keep = arrives if wanted is not None else None
    return page(call.world.store, "payout", call.account, p, filters, call.path, keep)


OPERATIONS = [
    Operation(
        "POST",
        "/v1/payouts",
        create,
        {
            "amount": integer(1).needed(),
            "currency": currency_param().needed(),
            "description": text(),
            "destination": text(),
            "metadata": metadata(),
            "method": one_of("standard", "instant"),
            "source_type": one_of("bank_account", "card", "fpx"),
            "statement_descriptor": text(22),
        },
        note="to bank accounts",
    ),
    Operation(
        "GET",
        "/v1/payouts",
        _list,
        {
            **LIST,
            "created": RANGE,
            "arrival_date": RANGE,
            "destination": text(),
            "status": one_of("canceled", "failed", "in_transit", "paid", "pending"),
        },
    ),
    retrieving("payout", "/v1/payouts/{id}"),
    Operation("POST", "/v1/payouts/{id}", update, {"metadata": metadata()}),
    Operation("POST", "/v1/payouts/{id}/cancel", cancel),
]
