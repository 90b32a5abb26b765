"""payout.* and balance.available: from the connected account to the provider's bank.

Source: contract, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from common.bookings import documents
from common.bookings.model import Booking
from common.context import Context
from common.ledger.posting import post
from common.operations import runner
from common.operations.model import Operation
from common.payouts import outcome, postings
from common.payouts.idle import lying_idle, made_elsewhere
from common.payouts.model import Payout
from common.refunds.clawback_operation import clawback_operation, set_aside
from common.refunds.debt_relief import relieve_each, there_again
from common.store import collections
from common.store.store import Replace, Snapshot, Write
from common.stripe_gateway.calls import Json
from common.webhooks import on_accounts
from common.webhooks.finding import named

#: Payouts of one provider that wait for the same funds.
_PAGE = 50


def changed(stale: Json, event: Json, context: Context) -> bool:
    """Bring Stripe's word to the payout, its bookings and the ledger, if its account speaks."""
    payout_id = named(stale, "payoutId") or elsewhere_id(str(stale["id"]))
    return refresh(payout_id, str(stale["id"]), str(event["account"]), context)


def elsewhere_id(stripe_id: str) -> str:
    """The id of our record of a payout that was made at Stripe, without us."""
    return f"payout-{stripe_id}"


def refresh(payout_id: str, stripe_id: str, account: str, context: Context) -> bool:
    """Read a payout anew at Stripe and keep what it says.

    An event is older than what happened since, and names its balance transaction only.
    """
    context.notes["payoutId"] = payout_id
    stripe = context.services.stripe.payout(stripe_id, account)
    if stripe["status"] == "failed":
        # Stripe pays no more to a bank that refused. The account's own event may be lost, and in a
        # unit of its own, before the payout's end is recorded, this is done again after a crash.
        own = context.apart()
        on_accounts.refresh(account, own)
    found, follow = context.until_settled(lambda: _once(stripe, payout_id, account, context))
    for operation in follow:
        runner.carry_on(context, operation)
    return found


def _once(
    stripe: Json, payout_id: str, account: str, context: Context
) -> tuple[bool, list[Operation]]:
    key = collections.payout(payout_id)
    posted = [
        collections.transaction(f"{kind}_{stripe['id']}") for kind in ("payout", "payout_returned")
    ]
    docs = context.read(key, *posted)
    known = _known(docs[key], context) or _elsewhere(payout_id, stripe, account, context)
    if known is None:
        return False, []
    payout, found, bookings = known
    if payout.account_id != account or payout.stripe_payout_id not in (None, stripe["id"]):
        return False, []
    result = outcome.apply(payout, bookings, stripe)
    changed, relief, back = _owed_no_more(result.bookings, stripe, context)
    if docs[key].data is None:
        changed = {**bookings, **changed}
    writes: list[Write] = [
        *relief,
        Replace(docs[key], result.payout.to_document()),
        *(
            write
            for booking_id, booking in changed.items()
            for write in documents.change(found[booking_id], booking)
        ),
        *(write for posting in result.postings for write in post(docs, posting, context.now)),
        *(operation.create() for operation in back),
    ]
    context.commit(writes)
    return True, back


#: A payout, its bookings as they were read, and the same as they now are.
Known = tuple[Payout, Mapping[str, Snapshot], Mapping[str, Booking]]


def _known(snapshot: Snapshot, context: Context) -> Known | None:
    if snapshot.data is None:
        return None
    payout = Payout.load(snapshot)
    wanted = [collections.booking(line.booking_id) for line in payout.lines]
    found = {key.id: one for key, one in (context.read(*wanted) if wanted else {}).items()}
    return payout, found, {id_: documents.load(one) for id_, one in found.items()}


def _elsewhere(payout_id: str, stripe: Json, account: str, context: Context) -> Known | None:
    """A payout that nobody asked us for, such as the provider's own in Stripe's dashboard: it has
    taken what lay in the balance. None where it names one of ours, or the account is nobody's."""
    key = collections.account(account)
    found = context.read(key)[key].data if payout_id == elsewhere_id(stripe["id"]) else None
    if found is None:
        return None
    provider_id = str(found["providerId"])
    payout = made_elsewhere(payout_id, provider_id, account, stripe, context.now)
    idle = lying_idle(context, provider_id, payout.currency, payout.amount, held_too=True)
    payout = replace(payout, lines=idle.lines, beyond=payout.amount - idle.amount)
    return payout, idle.was, idle.bookings


def _owed_no_more(
    bookings: Mapping[str, Booking], stripe: Json, context: Context
) -> tuple[dict[str, Booking], list[Write], list[Operation]]:
    """What the provider owes of a payout that came back lies in their balance again: it is taken
    from there, and not from their next earnings."""
    after, writes, back = dict(bookings), list[Write](), list[Operation]()
    if stripe["status"] not in ("failed", "canceled") or not bookings:
        return after, writes, back
    owed = [(one, there_again(one), f"{stripe['id']}-{one.id}") for one in bookings.values()]
    for relief in relieve_each(context, owed):
        booking = relief.booking
        operation = clawback_operation(
            booking,
            f"clawback-{stripe['id']}-{booking.id}",
            action=context.action,
            request_id=context.request_id,
            now=context.now,
        )
        after[booking.id] = set_aside(booking, operation)
        writes += relief.writes
        writes += (one for posting in relief.postings for one in posting.writes(context.now))
        back += [operation] if operation else []
    return after, writes, back


def platform(payout: Json, event: Json, context: Context) -> bool:
    """Our own payouts to our own bank: the ledger follows."""
    posting = postings.platform_payout(
        payout["id"], payout["amount"], str(payout["currency"]).upper()
    )
    back = posting.reversed("platform_payout_returned", payout["id"])
    wanted = [posting, back] if payout["status"] in ("failed", "canceled") else [posting]

    def once() -> bool:
        docs = context.read(*(collections.transaction(one.id) for one in wanted))
        context.commit([write for one in wanted for write in post(docs, one, context.now)])
        return True

    return context.until_settled(once)


def funds_available(balance: Json, event: Json, context: Context) -> bool:
    """What a provider's payouts waited for has come: go on with them."""
    key = collections.account(str(event["account"]))
    found = context.read(key)[key].data
    if found is None:
        return False
    waiting = context.services.store.query(
        "payouts",
        [("providerId", "==", found["providerId"]), ("status", "==", "PROCESSING")],
        limit=_PAGE,
    )
    context.commit([])  # the marker first: what follows is finished by the maintenance run, too
    for snapshot in waiting:
        if snapshot.require().get("stripePayoutId") is None:
            runner.resume(context.apart(), snapshot.key.id)
    return True
