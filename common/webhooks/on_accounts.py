"""account.* and capability.*: whether a provider can be booked and paid."""

from __future__ import annotations

from common.accounts.model import deauthorized as left
from common.accounts.model import profile_fields
from common.context import Context
from common.operations import runner
from common.store import collections
from common.store.store import Replace
from common.stripe_gateway.calls import Json
from common.webhooks.finding import named


def updated(_: Json, event: Json, context: Context) -> bool:
    """Read the account anew, since events come late and in bursts, and keep what it says."""
    account = context.services.stripe.account(str(event["account"]))
    return refresh(account, context)


def refresh(account: Json, context: Context) -> bool:
    """Bring an account as Stripe has it to its provider's profile."""
    index = collections.account(account["id"])
    found = context.read(index)[index].data
    if found is None:
        operation_id = named(account, "operationId")
        if operation_id is None or runner.resume(context, operation_id) is None:
            return False
        found = context.services.store.read([index])[index].data
    if found is None:
        return False
    context.notes["providerId"] = found["providerId"]
    key = collections.profile(str(found["providerId"]))

    def once() -> bool:
        was = context.read(key)[key]
        profile = was.data or {}
        if profile.get("stripeAccountId") not in (None, account["id"]):
            return False  # an account this provider no longer has
        fields = profile_fields(account)
        if profile.get("stripeDeauthorizedAt"):
            return True
        context.commit([Replace(was, {**profile, **fields})])
        return True

    return context.until_settled(once)


def deauthorized(_: Json, event: Json, context: Context) -> bool:
    """The account has left the platform: nothing new for it, what it earned is kept."""
    account_id = str(event["account"])
    index = collections.account(account_id)
    found = context.read(index)[index].data
    if found is None:
        return False
    key = collections.profile(str(found["providerId"]))

    def once() -> bool:
        was = context.read(key)[key]
        if (was.data or {}).get("stripeAccountId") != account_id:
            return False
        context.commit([Replace(was, {**(was.data or {}), **left(context.now)})])
        return True

    return context.until_settled(once)
