"""CREATE_PAYOUT: from the connected account's own balance to the provider's bank.

What lies there is what payouts that failed have left; SCHEDULE_PAYOUT transfers as well. What a
dispute or another hold keeps there stays, and so does what the provider owes.
Source: guide, section 2; contract, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from common.accounts.model import takes_payouts
from common.clock import rfc3339
from common.context import Answer, Context
from common.currencies import UnknownCurrency, currency
from common.errors import InsufficientEarnings, InvalidFields, NotSetUp, StripeRefused
from common.http.command import Amount, Command, Id
from common.ids import derived, fresh
from common.money import to_major
from common.operations import runner
from common.operations.model import Operation
from common.payouts import execution
from common.payouts.allocation import instant_fee
from common.payouts.idle import lying_idle
from common.payouts.model import Payout, PayoutStatus
from common.payouts.pause import Switch
from common.payouts.payout_operation import payout_operation
from common.store import collections
from common.store.collections import Key
from common.store.store import Snapshot, Write
from common.stripe_gateway.calls import Json


class Request(Command):
    """How much of the balance, in which currency."""

    provider_id: Id
    amount: Amount
    currency: str | None = None
    method: Literal["standard", "instant"] = "standard"


def handle(command: Request, context: Context) -> Answer:
    """The payout as Stripe took it.

    Raises:
        PayoutsPaused: an operator has stopped them.
        NotSetUp: nothing can be sent to the provider.
        InsufficientEarnings: the balance holds less.
    """
    context.act(provider_id=command.provider_id, what="provider")
    context.notes["providerId"] = command.provider_id
    payout_id = (
        fresh("payout")
        if context.record is None
        else derived("payout", context.caller.uid, context.action, context.record.text)
    )
    operation, docs = context.until_settled(lambda: _begin(command, context, payout_id))
    key = collections.payout(payout_id)
    if not operation.settled:
        operation, docs = runner.run(context, operation, docs)
    payout = Payout.load(docs[key])
    if payout.status is PayoutStatus.FAILED:
        raise StripeRefused(payout.failure_code)
    return {
        "payoutId": payout.id,
        "stripePayoutId": payout.stripe_payout_id,
        "amount": to_major(payout.amount, payout.currency),
        "fee": to_major(payout.fee, payout.currency),
        "netAmount": to_major(payout.net, payout.currency),
        "currency": payout.currency,
        "status": str(payout.status),
        "method": payout.method,
        "arrivalDate": None if payout.arrival_date is None else rfc3339(payout.arrival_date),
    }


def _begin(
    command: Request, context: Context, payout_id: str
) -> tuple[Operation, Mapping[Key, Snapshot]]:
    key, begun = collections.payout(payout_id), collections.operation(payout_id)
    who = collections.profile(command.provider_id)
    switch = collections.payouts_switch()
    docs: Mapping[Key, Snapshot] = context.read(key, begun, who, switch)
    if docs[key].data is not None:
        return Operation.load(docs[begun]), docs
    Switch.load(docs[switch]).require_running()
    profile = docs[who].data
    if not takes_payouts(profile):
        raise NotSetUp
    code = _currency(command, profile)
    amount = execution.payable_amount(command.amount, code)
    account_id = str((profile or {})["stripeAccountId"])
    totals = _totals(context, command.provider_id, code)
    there = _spare(context, command.provider_id, account_id, totals)
    if not 0 < amount <= there:
        raise InsufficientEarnings(to_major(max(0, there), code), to_major(amount, code))
    idle = lying_idle(context, command.provider_id, code, amount)
    settings = context.services.settings
    instant = command.method == "instant"
    fee = (
        instant_fee(amount, settings.instant_fee_bps, settings.instant_fee_minimum, code)
        if instant
        else 0
    )
    payout = Payout(
        id=payout_id,
        provider_id=command.provider_id,
        account_id=account_id,
        currency=code,
        amount=amount,
        lines=idle.lines,
        beyond=amount - idle.amount,
        method=command.method,
        requested_by=context.caller.actor,
        created_at=context.now,
        scheduled_date=context.now,
        status=PayoutStatus.PROCESSING,
        fee=fee,
    )
    operation = payout_operation(
        payout,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
        now=context.now,
        waits=False,
    )
    writes: list[Write] = [payout.create(), operation.create(), *idle.writes()]
    return operation, {**docs, **context.commit(writes)}


def _currency(command: Request, profile: Mapping[str, Any] | None) -> str:
    code = command.currency or (profile or {}).get("defaultCurrency") or "USD"
    try:
        return currency(str(code).upper()).code
    except UnknownCurrency:
        raise InvalidFields([("currency", "is not a currency we know")]) from None


def _totals(context: Context, provider_id: str, code: str) -> execution.Totals:
    key = collections.earnings(provider_id, code)
    found = context.read(key)[key].data
    return execution.Totals(code) if found is None else execution.totals_in(found)


def _spare(context: Context, provider_id: str, account_id: str, totals: execution.Totals) -> int:
    """What the account could pay out now: no payout under way waits for it, no hold keeps it
    there, and the provider's debt is left. Minor units."""
    code = totals.currency
    balance = context.services.stripe.balance(account_id)
    now, soon = _in(balance["available"], code), _in(balance["pending"], code)
    kept = _awaited(context, provider_id, code) + totals.parked
    # What is kept may be what is pending; only beyond that does it take from what is there.
    return min(now, now + soon - kept) - totals.debt


def _awaited(context: Context, provider_id: str, code: str) -> int:
    """What payouts under way have in the connected balance, Stripe's payout not made yet: the
    balance counts it as free. Minor units."""
    found = context.services.store.query(
        "payouts",
        [
            ("providerId", "==", provider_id),
            ("currency", "==", code),
            ("status", "==", "PROCESSING"),
            ("stripePayoutId", "==", None),
        ],
        limit=200,
    )
    return sum(Payout.load(snapshot).there for snapshot in found)


def _in(amounts: list[Json], code: str) -> int:
    return sum(int(one["amount"]) for one in amounts if one["currency"].upper() == code)
