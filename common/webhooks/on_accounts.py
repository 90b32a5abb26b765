"""account.* and capability.*: whether a provider can be booked and paid."""

from __future__ import annotations

from common.accounts import leaving
from common.accounts.model import profile_fields
from common.context import Context
from common.operations import runner
from common.store import collections
from common.store.collections import Key
from common.store.store import Document, Patch, Replace
from common.stripe_gateway.calls import Json
from common.webhooks.finding import named


def updated(_: Json, event: Json, context: Context) -> bool:
    """Read the account anew, since events come late and in bursts, and keep what it says."""
    return refresh(str(event["account"]), context) is not None


def refresh(account_id: str, context: Context) -> Json | None:
    """Bring an account as Stripe has it to its provider's profile.

    Returns:
        The account; None where it is no provider's any more.
    """
    index = collections.account(account_id)
    found = context.read(index)[index].data or _made_unheard(account_id, index, context)
    if found is None or found.get("replacedAt"):
        return None
    context.notes["providerId"] = found["providerId"]
    key = collections.profile(str(found["providerId"]))

    def once() -> Json | None:
        # The profile first, then Stripe's word: what somebody has written meanwhile is newer.
        was = context.read(key)[key]
        profile = was.data or {}
        if profile.get("stripeAccountId") not in (None, account_id):
            return None
        account = context.services.stripe.account(account_id)
        if not profile.get("stripeDeauthorizedAt"):
            fields = profile_fields(account)
            done = {"onboardingComplete": fields["stripeOnboardingComplete"]}
            context.commit([Replace(was, {**profile, **fields}), Patch(index, done)])
        return account

    return context.until_settled(once)


def _made_unheard(account_id: str, index: Key, context: Context) -> Document | None:
    """The way to the provider of an account whose making was not recorded yet."""
    operation_id = named(context.services.stripe.account(account_id), "operationId")
    if operation_id is None or runner.resume(context, operation_id) is None:
        return None
    return context.services.store.read([index])[index].data


def deauthorized(_: Json, event: Json, context: Context) -> bool:
    """The account has left the platform: nothing new for it, what it earned is kept."""
    account_id = str(event["account"])
    index = collections.account(account_id)
    found = context.read(index)[index].data
    if found is None:
        return False
    return leaving.mark(context, str(found["providerId"]), account_id)
