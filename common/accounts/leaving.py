"""An account that has left the platform: nothing new for it, what it earned is kept.

Stripe says so by an event, or by refusing every call for the account where that event was lost.
Source: contract, section 4; docs/accounts.md.
"""

from __future__ import annotations

from common.accounts.model import deauthorized
from common.context import Context
from common.store import collections
from common.store.store import Replace
from common.stripe_gateway.gateway import Refused

#: Stripe's code for an account that is deleted or not connected any more.
GONE = "account_invalid"


def mark(context: Context, provider_id: str, account_id: str) -> bool:
    """Remember that a provider's account has left; whether it was theirs still."""
    key = collections.profile(provider_id)

    def once() -> bool:
        was = context.read(key)[key]
        profile = was.data or {}
        if profile.get("stripeAccountId") != account_id:
            return False
        if not profile.get("stripeDeauthorizedAt"):
            context.commit([Replace(was, {**profile, **deauthorized(context.now)})])
        return True

    return context.until_settled(once)


def gone(context: Context, account_id: str) -> bool:
    """Whether Stripe shows an account no more."""
    try:
        context.services.stripe.account(account_id)
    except Refused as refused:
        if refused.code != GONE:
            raise
        return True
    return False


def notice(context: Context, provider_id: str, account_id: str) -> bool:
    """Ask Stripe whether an account is still there; one that is not is marked."""
    if not gone(context, account_id):
        return False
    return mark(context.apart(), provider_id, account_id)
