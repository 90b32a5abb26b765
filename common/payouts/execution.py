"""From a provider's earnings to a payout on its way: set aside, written down, carried out.

Source: contract, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common.accounts import leaving
from common.accounts.model import takes_payouts
from common.bookings import deadlines, documents
from common.bookings.model import Booking
from common.context import Answer, Context
from common.currencies import currency
from common.errors import InsufficientEarnings, InvalidFields, NotSetUp, RefusedAmount
from common.http.command import money_of
from common.ledger.posting import post
from common.money import to_major
from common.operations import runner
from common.operations.model import BARRED, Operation
from common.payouts import postings
from common.payouts.allocation import MOST_LINES, Allocation, allocate, instant_fee, line
from common.payouts.lines import no_longer_due, payable_cuts, released
from common.payouts.model import Line, Payout, PayoutStatus
from common.payouts.pause import Switch
from common.payouts.payout_operation import payout_operation
from common.refunds.clawback_operation import clawback_operation, set_aside
from common.store import collections
from common.store.collections import Key
from common.store.store import Patch, Replace, Snapshot, Write

FALLBACK_CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What payout is asked for.

    Attributes:
        amount: As the client sent it; None: all there is.
        date: When; None: now.
        least: Minor units below which nothing is paid.
    """

    payout_id: str
    provider_id: str
    amount: Any = None
    date: datetime | None = None
    method: str = "standard"
    currency: str | None = None
    run_id: str | None = None
    least: int = 1


@dataclass(frozen=True, slots=True)
class Totals:
    """A provider's running totals in one currency, minor units."""

    currency: str
    held: int = 0
    available: int = 0
    claimed: int = 0
    paid: int = 0
    parked: int = 0
    debt: int = 0
    count: int = 0

    @property
    def payable(self) -> int:
        """What could be paid out now, debts deducted."""
        return max(0, self.available - self.debt)


def totals_of(context: Context, provider_id: str) -> list[Totals]:
    """A provider's running totals, one for each currency they have earned in."""
    found = context.services.store.query("earnings", [("providerId", "==", provider_id)], limit=200)
    return [totals_in(snapshot.require()) for snapshot in found]


def totals_in(doc: Mapping[str, Any]) -> Totals:
    """The running totals in a document."""
    names = ("held", "available", "claimed", "paid", "parked", "debt", "count")
    return Totals(doc["currency"], **{name: doc.get(name, 0) for name in names})


def chosen(
    totals: Sequence[Totals], profile: Mapping[str, Any] | None, asked: str | None
) -> Totals:
    """The currency meant: the one asked for, the profile's, or where most can be paid out."""
    preferred = asked or (profile or {}).get("defaultCurrency")
    for one in totals:
        if one.currency == preferred:
            return one
    if asked or not totals:
        return Totals(asked or str(preferred or FALLBACK_CURRENCY))
    return max(totals, key=lambda one: one.available)


def eligible(
    context: Context, provider_id: str, currency: str, limit: int
) -> list[tuple[Snapshot, Booking]]:
    """Bookings with something to pay out, the oldest earnings first."""
    found = context.services.store.query(
        "bookings",
        [
            ("providerId", "==", provider_id),
            ("currency", "==", currency),
            ("payableOpen", "==", True),
        ],
        order=(("earnedAt", "ASCENDING"),),
        limit=limit,
    )
    return [(snapshot, documents.load(snapshot)) for snapshot in found]


def request(wanted: Wanted, context: Context) -> Answer:
    """Make a payout, now or for its date, or go on with the one that has this id.

    Raises:
        PayoutsPaused: an operator has stopped them.
        NotSetUp: nothing can be sent to the provider.
        InsufficientEarnings: more was asked for than there is.
    """
    context.notes["payoutId"] = wanted.payout_id
    operation, docs = context.until_settled(lambda: _set_aside(wanted, context))
    for reversal in _reversals(docs, wanted):
        runner.carry_on(context, reversal)
    key = collections.payout(wanted.payout_id)
    if operation is None or operation.settled:
        return Payout.load(docs[key]).as_json()
    given: Answer = {}

    def answer(after: Mapping[Key, Snapshot], _: object) -> Answer:
        given.update(Payout.load(after[key]).as_json())
        return given

    _, after = runner.run(context, operation, docs, answer)
    payout = Payout.load(after[key])
    _notice(context, payout)
    return given or payout.as_json()


#: Stripe's refusals of a transfer or payout where its account may have left unheard.
_NO_ACCOUNT = frozenset({leaving.GONE, "resource_missing"})


def _notice(context: Context, payout: Payout) -> None:
    if payout.status is PayoutStatus.FAILED and payout.failure_code in _NO_ACCOUNT:
        leaving.notice(context, payout.provider_id, payout.account_id)


def _reversals(docs: Mapping[Key, Snapshot], wanted: Wanted) -> list[Operation]:
    """What takes back earnings that a debt was netted from and that had been transferred."""
    begun = collections.operation(wanted.payout_id)
    return [
        Operation.load(snapshot)
        for key, snapshot in docs.items()
        if key.collection == begun.collection and key != begun and snapshot.data is not None
    ]


def _set_aside(wanted: Wanted, context: Context) -> tuple[Operation | None, Mapping[Key, Snapshot]]:
    """Claim the bookings' earnings and write down what Stripe will be asked for."""
    payout, begun = collections.payout(wanted.payout_id), collections.operation(wanted.payout_id)
    who = collections.profile(wanted.provider_id)
    switch = collections.payouts_switch()
    docs: Mapping[Key, Snapshot] = context.read(who, payout, begun, switch)
    if docs[payout].data is not None:
        known = docs[begun]
        return (Operation.load(known) if known.data is not None else None), docs
    Switch.load(docs[switch]).require_running()  # and the operation looks again before its calls
    profile = docs[who].data
    if not takes_payouts(profile):
        raise NotSetUp
    totals = chosen(totals_of(context, wanted.provider_id), profile, wanted.currency)
    bookings = eligible(context, wanted.provider_id, totals.currency, MOST_LINES)
    # Read after the bookings and written as it was read: what another payout recovered of the debt
    # since is not recovered again.
    owing = collections.earnings(wanted.provider_id, totals.currency)
    docs = {**docs, **context.read(owing)}
    if docs[owing].data is not None:
        totals = totals_in(docs[owing].require())
    allocation = _allocation(
        wanted, totals, [_meant_for(profile, booking) for _, booking in bookings]
    )
    made = _payout(wanted, context, str((profile or {})["stripeAccountId"]), totals, allocation)
    was = {booking.id: snapshot for snapshot, booking in bookings}
    writes: list[Write] = [
        *_recovered(context, made, docs[owing]),
        made.create(),
        *_claimed(context, wanted, was, allocation),
    ]
    operation = None
    if made.status is PayoutStatus.PROCESSING:
        operation = _operation(made, context)
        writes.append(operation.create())
    return operation, {**docs, **context.commit(writes)}


def _allocation(wanted: Wanted, totals: Totals, bookings: Sequence[Booking]) -> Allocation:
    amount = None
    if wanted.amount is not None:
        amount = payable_amount(wanted.amount, totals.currency)
    allocation = allocate(bookings, totals.debt, amount)
    if amount is not None and allocation.available < amount <= totals.payable:
        raise RefusedAmount(
            f"One payout carries the earnings of at most {MOST_LINES} bookings; ask for the rest "
            "in a payout of its own",
            type="too_many_bookings",
            allowed=to_major(allocation.available, totals.currency),
        )
    asked = max(amount if amount is not None else 0, wanted.least)
    if amount == 0 or allocation.available < asked or not allocation.lines:
        shown = amount if amount is not None else wanted.least
        raise InsufficientEarnings(
            to_major(allocation.available, totals.currency), to_major(shown, totals.currency)
        )
    return allocation


def payable_amount(amount: Any, code: str) -> int:
    """An amount asked for, minor units.

    Raises:
        InvalidFields: no amount, or one that Stripe cannot pay out: some currencies go in steps of
            ten or a hundred minor units.
    """
    minor, step = money_of(amount, code, "amount").amount, currency(code).payout_multiple
    if minor % step:
        raise InvalidFields([("amount", f"must be a multiple of {to_major(step, code)} {code}")])
    return minor


def _payout(
    wanted: Wanted, context: Context, account_id: str, totals: Totals, allocation: Allocation
) -> Payout:
    now, settings = context.now, context.services.settings
    later = wanted.date is not None and wanted.date > now
    fee = 0
    if wanted.method == "instant":
        fee = instant_fee(
            allocation.amount,
            settings.instant_fee_bps,
            settings.instant_fee_minimum,
            totals.currency,
        )
        if fee >= allocation.amount:
            raise InsufficientEarnings(
                to_major(allocation.available, totals.currency),
                to_major(fee + 1, totals.currency),
            )
    return Payout(
        id=wanted.payout_id,
        provider_id=wanted.provider_id,
        account_id=account_id,
        currency=totals.currency,
        amount=allocation.amount,
        lines=allocation.lines,
        method=wanted.method,
        requested_by=context.caller.actor,
        created_at=now,
        scheduled_date=wanted.date if later and wanted.date else now,
        status=PayoutStatus.SCHEDULED if later else PayoutStatus.PROCESSING,
        fee=fee,
        debt_recovered=allocation.recovered,
        run_id=wanted.run_id,
    )


def _meant_for(profile: Mapping[str, Any] | None, booking: Booking) -> Booking:
    """The booking meant for the account that its provider has now, whose country decides how long
    the money may lie there."""
    country = (profile or {}).get("stripeAccountCountry")
    return replace(booking, countries={**booking.countries, deadlines.ACCOUNT: country})


def _claimed(
    context: Context, wanted: Wanted, was: Mapping[str, Snapshot], allocation: Allocation
) -> list[Write]:
    """The bookings as the allocation leaves them. What a debt was netted from and lies in the
    connected balance already comes back to us."""
    writes: list[Write] = []
    for booking in allocation.bookings:
        back = clawback_operation(
            booking,
            f"clawback-{wanted.payout_id}-{booking.id}",
            action=context.action,
            request_id=context.request_id,
            now=context.now,
        )
        writes += documents.change(was[booking.id], set_aside(booking, back))
        writes += [back.create()] if back else []
    return writes


def _recovered(context: Context, payout: Payout, owing: Snapshot) -> list[Write]:
    """The debt that this payout's earnings settle, if it still stands as it was read."""
    if not payout.debt_recovered:
        return []
    left = owing.require()["debt"] - payout.debt_recovered
    return [
        Patch(owing.key, {"debt": left}, version=owing.version),
        *post({}, postings.debt_recovered(payout), context.now),
    ]


def _operation(payout: Payout, context: Context) -> Operation:
    return payout_operation(
        payout,
        actor=context.caller.actor,
        action=context.action,
        request_id=context.request_id,
        now=context.now,
    )


def start(context: Context, payout_id: str) -> Payout | None:
    """Send a scheduled payout whose date has come, with what is still due of it.

    Returns:
        The payout; None where it is not one that waits for its date.
    """
    operation, docs = context.until_settled(lambda: _leave(context, payout_id))
    key = collections.payout(payout_id)
    if operation is None:
        return Payout.load(docs[key]) if docs[key].data is not None else None
    _, after = runner.run(context, operation, docs)
    payout = Payout.load(after[key])
    _notice(context, payout)
    return payout


def _leave(context: Context, payout_id: str) -> tuple[Operation | None, Mapping[Key, Snapshot]]:
    key = collections.payout(payout_id)
    docs: dict[Key, Snapshot] = context.read(key)
    if docs[key].data is None:
        return None, docs
    payout = Payout.load(docs[key])
    if payout.status is not PayoutStatus.SCHEDULED:
        return None, docs
    wanted = [collections.booking(one.booking_id) for one in payout.lines]
    switch = collections.payouts_switch()
    docs.update(context.read(collections.profile(payout.provider_id), switch, *wanted))
    if Switch.load(docs[switch]).paused or not takes_payouts(
        docs[collections.profile(payout.provider_id)].data
    ):
        return None, docs  # waits until the provider can be paid
    return _revised(context, payout, docs)


def _revised(
    context: Context, payout: Payout, docs: dict[Key, Snapshot]
) -> tuple[Operation | None, Mapping[Key, Snapshot]]:
    """What was set aside may have been refunded or put on hold since: only what is due goes out."""
    lines: list[Line] = []
    writes: list[Write] = []
    bookings = {
        one.booking_id: documents.load(docs[collections.booking(one.booking_id)])
        for one in payout.lines
    }
    cuts = payable_cuts(payout, no_longer_due(payout, bookings))
    for one in payout.lines:
        was = docs[collections.booking(one.booking_id)]
        free = released(bookings[one.booking_id], one.amount)
        take = one.amount - cuts.get(one.booking_id, 0)
        if take:
            lines.append(line(free, take))
        if take != one.amount:
            writes += documents.change(was, free.with_money(claimed=free.money.claimed + take))
    key = collections.payout(payout.id)
    amount = sum(one.amount for one in lines)
    if not lines or amount <= payout.fee:
        cancelled = replace(
            payout.moved(PayoutStatus.CANCELLED),
            failure_code=BARRED,
            failure_message="nothing of it is due any more",
        )
        writes.append(Replace(docs[key], cancelled.to_document()))
        return None, {**docs, **context.commit(writes)}
    profile = docs[collections.profile(payout.provider_id)].require()
    going = replace(
        payout.moved(PayoutStatus.PROCESSING),
        account_id=str(profile["stripeAccountId"]),  # it may have been replaced since
        lines=tuple(lines),
        amount=amount,
    )
    operation = _operation(going, context)
    writes += [Replace(docs[key], going.to_document()), operation.create()]
    return operation, {**docs, **context.commit(writes)}


def cancel(context: Context, payout: Payout, was: Snapshot) -> list[Write]:
    """The writes that call off a payout that has not left: its bookings are free again."""
    docs = context.read(*(collections.booking(one.booking_id) for one in payout.lines))
    writes: list[Write] = [Replace(was, payout.moved(PayoutStatus.CANCELLED).to_document())]
    for one in payout.lines:
        snapshot = docs[collections.booking(one.booking_id)]
        writes += documents.change(snapshot, released(documents.load(snapshot), one.amount))
    return writes
