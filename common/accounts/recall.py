"""Brings home what lies in an account that was replaced, booking by booking.

That it is to be done stands on the account's own document from the commit that replaces it on, so
the maintenance run finishes what a request did not.
Source: docs/accounts.md.
"""

from __future__ import annotations

from common.accounts import leaving
from common.accounts.recall_operation import recall_operation
from common.bookings import documents
from common.bookings.listing import of_provider
from common.context import Context
from common.operations import runner
from common.operations.model import Operation
from common.store import collections
from common.store.collections import Key
from common.store.store import Patch

OPEN, DONE = "OPEN", "DONE"


def to_bring_home(context: Context, provider_id: str | None = None) -> list[str]:
    """Replaced accounts that may still have money, everybody's or one provider's."""
    found = context.services.store.query("accounts", [("recall", "==", OPEN)])
    return [one.key.id for one in found if provider_id in (None, one.require()["providerId"])]


def bring_home(context: Context, account_id: str) -> bool:
    """Reverse what the account has; whether all of it is settled.

    A payout that is still on its way from there may come back, and then there is more; not from
    an account that Stripe shows us no more.
    """
    key = collections.account(account_id)
    found = context.services.store.read([key])[key].data
    if found is None or found.get("recall") != OPEN:
        return False
    provider_id = str(found["providerId"])
    under_way = _under_way(context, provider_id, account_id)
    for snapshot in of_provider(context, provider_id):
        if documents.load(snapshot).money.there:
            operation = context.until_settled(
                lambda key=snapshot.key: _begin(context, key, account_id)  # type: ignore[misc]
            )
            if operation is not None:
                runner.carry_on(context, operation)
    if under_way and not leaving.gone(context, account_id):
        return False
    context.commit([Patch(key, {"recall": DONE})])
    return True


def _under_way(context: Context, provider_id: str, account_id: str) -> bool:
    found = context.services.store.query(
        "payouts", [("providerId", "==", provider_id), ("status", "==", "PROCESSING")], limit=200
    )
    return any(one.require()["accountId"] == account_id for one in found)


def _begin(context: Context, key: Key, account_id: str) -> Operation | None:
    was = context.read(key)[key]
    begun = recall_operation(
        documents.load(was),
        account_id,
        action=context.action,
        request_id=context.request_id,
        now=context.now,
    )
    if begun is None:
        return None
    booking, operation = begun
    context.commit([*documents.change(was, booking), operation.create()])
    return operation
